//! Small pieces of language shared by pages and mails.

/// `["A", "B", "C"]` as `A, B and C`.
pub(crate) fn join_names<S: AsRef<str>>(names: &[S]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A size in bytes as people say it: `812 bytes`, `1.4 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const STEP: u64 = 1000;
    let mut unit = STEP;
    if bytes < STEP {
        return format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" });
    }
    for name in ["kB", "MB", "GB"] {
        // One decimal, rounded half up; below the next step after rounding.
        let tenths = (u128::from(bytes) * 10 + u128::from(unit) / 2) / u128::from(unit);
        if tenths < 10_000 {
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
        unit = unit.saturating_mul(STEP);
    }
    format!("{} TB", bytes / 1_000_000_000_000)
}

/// `text` on one line: control characters and line breaks become spaces, runs of spaces one.
pub(crate) fn one_line(text: &str) -> String {
    let spaced: String = text
        .chars()
        .map(|c| if breaks_line(c) { ' ' } else { c })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || turns_direction(c)
}

/// Whether a character turns the direction in which what follows is read.
pub(crate) fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// At most `limit` characters of `text`, ending in an ellipsis where some were left off.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `word` as one argument of a shell command.
pub(crate) fn shell_quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::{join_names, one_line, shell_quote, shorten, size};

    #[test]
    fn names_are_joined_as_people_say_them() {
        assert_eq!(join_names::<&str>(&[]), "");
        assert_eq!(join_names(&["A"]), "A");
        assert_eq!(join_names(&["A", "B"]), "A and B");
        assert_eq!(join_names(&["A", "B", "C"]), "A, B and C");
    }

    #[test]
    fn sizes_use_the_largest_unit_below_a_thousand() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1000), "1.0 kB");
        assert_eq!(size(999_949), "999.9 kB");
        assert_eq!(size(999_950), "1.0 MB");
        assert_eq!(size(1_440_000), "1.4 MB");
        assert_eq!(size(u64::MAX), "18446744 TB");
    }

    #[test]
    fn one_line_leaves_no_line_break_and_no_direction_override() {
        assert_eq!(
            one_line(" a\r\nBcc: b\u{2028}c\u{202E}d\0 "),
            "a Bcc: b c d"
        );
    }

    #[test]
    fn shortening_counts_characters() {
        assert_eq!(shorten("ééé", 3), "ééé");
        assert_eq!(shorten("éééé", 3), "éé…");
    }

    #[test]
    fn a_quoted_word_stays_one_word_of_a_shell() {
        assert_eq!(shell_quote("a b"), "'a b'");
        assert_eq!(shell_quote("'; rm -rf ~"), r"''\''; rm -rf ~'");
    }
}
