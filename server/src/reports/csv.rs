//! Rows as comma-separated values (RFC 4180), which a spreadsheet opens without running anything.

use crate::licenses::export::cell;

/// A head and its rows.
pub fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut text = head.join(",");
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_kit_that_is_called_like_a_formula_is_none() {
        let rows = [["=1+1".to_owned(), "a,b".to_owned()]];
        let text = table(["kit", "version"], rows.into_iter());
        assert_eq!(text, "kit,version\r\n'=1+1,\"a,b\"\r\n");
    }
}
