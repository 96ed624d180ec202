//! Where a browser goes next: pages of ours only.

use url::Url;

/// Longest path that is remembered.
const LONGEST: usize = 512;

/// Path and query of a page of ours; `None` for anything that could lead, or be read as leading,
/// somewhere else.
pub fn local_path(public_url: &Url, text: &str) -> Option<String> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
    if text.len() > LONGEST || !text.starts_with('/') || text.chars().any(odd) {
        return None;
    }
    let target = public_url.join(text).ok()?;
    let ours = target.origin() == public_url.origin();
    let anonymous = target.username().is_empty() && target.password().is_none();
    // Looked at after parsing too: `/.//host` becomes `//host`.
    let path = target.path();
    let lower = path.to_ascii_lowercase();
    let hidden = lower.contains("%2f") || lower.contains("%5c");
    if !ours || !anonymous || path.contains("//") || hidden {
        return None;
    }
    Some(match target.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Url {
        Url::parse("https://kits.example.com").unwrap()
    }

    #[test]
    fn pages_of_ours_are_kept() {
        for (text, kept) in [
            ("/", "/"),
            ("/downloads", "/downloads"),
            (
                "/licenses/lic_1?done=seat-freed",
                "/licenses/lic_1?done=seat-freed",
            ),
            ("/downloads#kit-a", "/downloads"),
            ("/a/../b", "/b"),
            (
                "/x?to=https://other.example//y",
                "/x?to=https://other.example//y",
            ),
        ] {
            assert_eq!(local_path(&base(), text).as_deref(), Some(kept), "{text}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        let long = format!("/{}", "a".repeat(LONGEST));
        for text in [
            "",
            "downloads",
            "https://evil.example/",
            "https://kits.example.com/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/.//evil.example",
            "/x/..//evil.example",
            "/%2e//evil.example",
            "/%2fevil.example",
            "/%5Cevil.example",
            "/a b",
            "javascript:alert(1)",
            "/\u{0}",
            "@evil.example",
            &long,
        ] {
            assert_eq!(local_path(&base(), text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_kept_stays_on_our_origin(text in "[/\\\\.%?#@:a-zA-Z0-9 \t\n\u{0}-\u{ff}]{0,40}") {
            if let Some(path) = local_path(&base(), &text) {
                prop_assert!(path.starts_with('/') && !path.starts_with("//"), "{}", path);
                let again = base().join(&path).unwrap();
                prop_assert_eq!(again.origin(), base().origin());
                prop_assert_eq!(local_path(&base(), &path), Some(path));
            }
        }

        #[test]
        fn slashes_and_dots_never_become_a_host(text in "/[/.\\\\%2fFeE5cC]{0,12}evil\\.example") {
            if let Some(path) = local_path(&base(), &text) {
                let target = base().join(&path).unwrap();
                prop_assert_eq!(target.host_str(), Some("kits.example.com"));
            }
        }
    }
}
