//! The files served beside the pages, each under a name that holds a hash of its content.
//!
//! Because the name changes with the content, they may be cached for ever
//! (`Cache-Control: public, max-age=31536000, immutable`).

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

/// One embedded file.
#[derive(Debug)]
pub struct Asset {
    /// Where it is served, such as `/static/portal.0123456789abcdef.css`.
    pub path: String,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The file.
    pub bytes: &'static [u8],
    /// Value of the `ETag` header, quotes included.
    pub etag: String,
}

impl Asset {
    fn new(stem: &str, extension: &str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        Self {
            path: hashed_path(stem, extension, bytes),
            content_type,
            bytes,
            etag: format!("\"{}\"", digest(bytes)),
        }
    }
}

static EMBEDDED: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new(
            "portal",
            "css",
            "text/css; charset=utf-8",
            include_bytes!("../static/portal.css"),
        ),
        Asset::new(
            "portal",
            "js",
            "text/javascript; charset=utf-8",
            include_bytes!("../static/portal.js"),
        ),
        Asset::new(
            "icon",
            "svg",
            "image/svg+xml",
            include_bytes!("../static/icon.svg"),
        ),
    ]
});

/// Every embedded file.
pub fn assets() -> &'static [Asset] {
    EMBEDDED.as_slice()
}

/// The file served at `path`, if there is one.
pub fn find_asset(path: &str) -> Option<&'static Asset> {
    assets().iter().find(|asset| asset.path == path)
}

/// Where the style sheet is served.
pub fn css_path() -> &'static str {
    let [css, _, _] = &*EMBEDDED;
    &css.path
}

/// Where the script is served.
pub fn js_path() -> &'static str {
    let [_, js, _] = &*EMBEDDED;
    &js.path
}

/// Where the icon is served.
pub fn icon_path() -> &'static str {
    let [_, _, icon] = &*EMBEDDED;
    &icon.path
}

fn hashed_path(stem: &str, extension: &str, bytes: &[u8]) -> String {
    format!("/static/{stem}.{}.{extension}", digest(bytes))
}

/// The first 64 bits of the SHA-256, in hexadecimal: this names versions, it guards nothing.
fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(16);
    for byte in Sha256::digest(bytes).iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{assets, css_path, find_asset, hashed_path, icon_path, js_path};

    #[test]
    fn the_name_of_an_asset_changes_with_its_content() {
        let before = hashed_path("portal", "css", b"a{}");
        let after = hashed_path("portal", "css", b"b{}");
        assert_ne!(before, after);
        assert_eq!(before, hashed_path("portal", "css", b"a{}"));
        let parts: Vec<&str> = before.split('.').collect();
        assert!(
            matches!(parts.as_slice(), ["/static/portal", hash, "css"] if hash.len() == 16),
            "{before}"
        );
    }

    #[test]
    fn every_asset_is_found_by_its_path_and_nothing_else_is() {
        for asset in assets() {
            let found = find_asset(&asset.path).unwrap();
            assert_eq!(found.bytes, asset.bytes);
            assert!(found.etag.starts_with('"') && found.etag.ends_with('"'));
        }
        assert!(find_asset("/static/portal.css").is_none());
        assert!(find_asset("/static/../portal.css").is_none());
        let named = [css_path(), js_path(), icon_path()].map(find_asset);
        let types = named.map(|asset| asset.unwrap().content_type);
        let expected = [
            "text/css; charset=utf-8",
            "text/javascript; charset=utf-8",
            "image/svg+xml",
        ];
        assert_eq!(types, expected);
    }
}
