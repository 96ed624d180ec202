//! Comma-separated values (RFC 4180), which a spreadsheet opens without running anything.

/// One row.
pub fn line(cells: &[impl AsRef<str>]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text.as_ref())).collect();
    let mut line = cells.join(",");
    line.push_str("\r\n");
    line
}

/// A head and its rows.
pub fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut text = line(&head);
    for row in rows {
        text.push_str(&line(&row));
    }
    text
}

/// What a spreadsheet would run as a formula gets an apostrophe in front of it.
fn cell(text: &str) -> String {
    let starts = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r');
    let text = if text.starts_with(starts) {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            let shown = cell(text);
            assert!(shown.trim_start_matches('"').starts_with('\''), "{text:?}");
        }
        assert_eq!(cell("a-b"), "a-b");
    }

    #[test]
    fn a_cell_stays_one_cell() {
        assert_eq!(cell("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(cell("=A1,B1"), "\"'=A1,B1\"");
    }

    #[test]
    fn a_kit_that_is_called_like_a_formula_is_none() {
        let rows = [["=1+1".to_owned(), "a,b".to_owned()]];
        let text = table(["kit", "version"], rows.into_iter());
        assert_eq!(text, "kit,version\r\n'=1+1,\"a,b\"\r\n");
    }
}
