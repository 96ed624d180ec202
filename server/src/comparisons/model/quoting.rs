//! Names of files in patches.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `prefix` and `path`, quoted as C does where a reader would not find its end otherwise.
pub(super) fn name<'a>(prefix: &str, path: &'a [u8]) -> Cow<'a, [u8]> {
    let plain = |byte: &u8| (0x20..0x7f).contains(byte) && !b"\"\\".contains(byte);
    if path.iter().all(plain) {
        return if prefix.is_empty() {
            Cow::Borrowed(path)
        } else {
            Cow::Owned([prefix.as_bytes(), path].concat())
        };
    }
    let mut quoted = format!("\"{prefix}");
    for byte in path {
        match byte {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\t' => quoted.push_str("\\t"),
            b'\r' => quoted.push_str("\\r"),
            0x20..0x7f => quoted.push(char::from(*byte)),
            other => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\{other:03o}");
            }
        }
    }
    quoted.push('"');
    Cow::Owned(quoted.into_bytes())
}

/// Whether git takes a file of this name: none of its own folders, in any spelling.
pub(super) fn is_for_git(path: &[u8]) -> bool {
    let mut parts = path.split(|byte| *byte == b'/');
    parts.all(|part| !is_git_folder(part))
}

/// As file systems that fold names see them: `.git`, `.GIT`, `git~1`, `.git. `, and with characters
/// between that some ignore.
fn is_git_folder(part: &[u8]) -> bool {
    let text = String::from_utf8_lossy(part);
    let seen: String = text.chars().filter(|c| !is_ignored(*c)).collect();
    let seen = seen.trim_end_matches([' ', '.']).to_ascii_lowercase();
    let stem = seen.split(':').next().unwrap_or_default();
    stem.trim_end_matches([' ', '.']) == ".git" || stem == "git~1"
}

/// Characters that HFS+ leaves out of names.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}
