//! Base64url without padding (RFC 4648 section 5), canonical form only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Writes bytes as base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Writes them behind a text.
pub(crate) fn append(bytes: &[u8], text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

/// Reads base64url; padding, foreign characters and set trailing bits all answer `None`.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads base64url that must hold exactly `N` bytes.
pub(crate) fn decode_exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    <[u8; N]>::try_from(decode(text)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_of_some_bytes_is_read() {
        assert_eq!(decode("_w"), Some(vec![0xff]));
        assert_eq!(decode("_x"), None, "trailing bits are set");
        assert_eq!(decode("_w=="), None, "padding");
        assert_eq!(decode("/w"), None, "alphabet of plain base64");
        assert_eq!(decode("_w\n"), None, "line end");
    }
}
