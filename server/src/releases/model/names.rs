//! Names of files that are safe on every system they may be saved on.

use unicode_normalization::UnicodeNormalization as _;

use crate::kits::model::is_invisible;

/// Longest name, in bytes.
const MAX: usize = 200;

/// Names that Windows keeps for devices, whatever follows the first dot.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Empty or too long.
    #[error("must have 1 to 200 bytes")]
    Length,
    /// Part of a path, or not printable.
    #[error("must not hold slashes, control characters, direction marks or any of <>:\"|?*")]
    Character,
    /// `..`, a leading dot, or an end that Windows cuts off.
    #[error("must not start or end with a dot or a space, nor hold two dots in a row")]
    Dots,
    /// `CON`, `nul.txt` …
    #[error("must not be the name of a device on Windows")]
    Device,
}

/// Checks the name of an artifact.
pub fn check_name(name: &str) -> Result<(), NameFault> {
    if name.is_empty() || name.len() > MAX {
        return Err(NameFault::Length);
    }
    if name.chars().any(is_refused) {
        return Err(NameFault::Character);
    }
    let at_edge = |c: char| c == '.' || c.is_whitespace();
    if name.contains("..") || name.starts_with(at_edge) || name.ends_with(at_edge) {
        return Err(NameFault::Dots);
    }
    if is_device(name) {
        return Err(NameFault::Device);
    }
    Ok(())
}

/// Whether a text can name a platform or an architecture, such as `linux` or `x86_64`.
pub fn is_machine_word(text: &str) -> bool {
    let is_inner = |byte: u8| matches!(byte, b'_' | b'-' | b'.');
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=32).contains(&text.len())
        && text.bytes().all(|byte| is_letter(byte) || is_inner(byte))
        && text.bytes().next().is_some_and(is_letter)
}

/// Whether two names are one file on systems that fold case or composition, such as Windows and
/// macOS.
pub fn are_twins(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

pub(in crate::releases) fn folded(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase()
}

fn is_refused(c: char) -> bool {
    c.is_control()
        || is_invisible(c)
        || matches!(
            c,
            '/' | '\\' | '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{FFFD}'
        )
}

pub(in crate::releases) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_ascii_lowercase();
    let numbered = ["com", "lpt"].into_iter().any(|word| {
        let rest = stem
            .strip_prefix(word)
            .map(|rest| rest.chars().collect::<Vec<_>>());
        matches!(rest.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    });
    numbered || DEVICES.contains(&stem.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass() {
        for good in [
            "feedback-widget-1.0.0.zip",
            "Kit (final).tgz",
            "über.zip",
            "console.txt",
            "100% done.zip",
            "compact",
        ] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn platforms_and_architectures_are_short_words() {
        for good in ["linux", "x86_64", "win32-msvc", "macos14.5", "arm64"] {
            assert!(is_machine_word(good), "{good}");
        }
        for bad in ["", "_x", "Linux", "a b", "a\0", "é", &"a".repeat(33)] {
            assert!(!is_machine_word(bad), "{bad:?}");
        }
    }

    #[test]
    fn names_that_differ_in_case_or_composition_are_twins() {
        assert!(are_twins("a.zip", "A.ZIP"));
        assert!(are_twins("\u{FC}.zip", "u\u{308}.zip"));
        assert!(are_twins("\u{DC}.zip", "u\u{308}.zip"));
        assert!(!are_twins("a.zip", "b.zip"));
    }

    #[test]
    fn names_that_leave_their_folder_or_lie_are_refused() {
        for (bad, fault) in [
            ("", NameFault::Length),
            (&"a".repeat(201), NameFault::Length),
            ("a/b", NameFault::Character),
            ("a\\b", NameFault::Character),
            ("a\0b", NameFault::Character),
            ("a\nb", NameFault::Character),
            ("kit\u{202E}piz.exe", NameFault::Character),
            ("kit\u{200F}.zip", NameFault::Character),
            ("kit\u{AD}.zip", NameFault::Character),
            ("kit\u{FFFD}.zip", NameFault::Character),
            ("..", NameFault::Dots),
            ("a..b", NameFault::Dots),
            (".htaccess", NameFault::Dots),
            ("kit.zip.", NameFault::Dots),
            ("kit.zip ", NameFault::Dots),
            ("CON", NameFault::Device),
            ("nul.txt", NameFault::Device),
            ("Com1.zip", NameFault::Device),
            ("lpt³", NameFault::Device),
        ] {
            assert_eq!(check_name(bad), Err(fault), "{bad:?}");
        }
    }
}
