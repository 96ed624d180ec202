//! Which addresses may stand in a page.

use std::fmt::Write as _;

/// `value` as one segment of a path, or as the address of a `mailto:` link.
pub(crate) fn encode(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// `address`, if it may be followed from a page: a path of this site, a web page or a mail address.
pub(crate) fn followable(address: &str) -> Option<&str> {
    let allowed = ["https://", "http://", "mailto:"];
    if allowed.iter().any(|scheme| address.starts_with(scheme)) {
        return Some(address);
    }
    local_path(address)
}

/// `path`, if it is a path of this site and cannot be read as another host.
pub(crate) fn local_path(path: &str) -> Option<&str> {
    let mut characters = path.chars();
    let rooted = characters.next() == Some('/');
    let elsewhere = matches!(characters.next(), Some('/' | '\\'));
    let clean = !path.chars().any(char::is_control);
    (rooted && !elsewhere && clean).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::{encode, followable, local_path};

    #[test]
    fn an_id_cannot_leave_its_segment_of_a_path() {
        assert_eq!(encode("lic_01ab"), "lic_01ab");
        assert_eq!(encode("../x?y#z"), "..%2Fx%3Fy%23z");
        assert_eq!(encode("\"é"), "%22%C3%A9");
        assert_eq!(encode("help@example.com"), "help@example.com");
    }

    #[test]
    fn only_paths_web_pages_and_mail_addresses_may_be_followed() {
        for good in ["/", "/downloads", "https://example.com/x", "mailto:a@b"] {
            assert_eq!(followable(good), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            "//evil.example",
            "/\\evil",
            "data:,x",
            "",
            "x",
        ] {
            assert_eq!(followable(bad), None, "{bad}");
        }
        assert_eq!(local_path("https://example.com"), None);
        assert_eq!(local_path("/\t/evil.example"), None);
    }
}
