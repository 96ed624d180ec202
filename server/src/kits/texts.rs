//! What names, descriptions and addresses of kits and policies may be.

use url::Url;

use super::model::{has_control, is_slug, is_visible};

/// A refused field and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct Fault {
    /// Name of the field.
    pub field: &'static str,
    /// What it must be, as the end of a sentence.
    pub reason: &'static str,
}

fn fault(field: &'static str, reason: &'static str) -> Fault {
    Fault { field, reason }
}

/// A slug.
pub fn slug(text: &str) -> Result<String, Fault> {
    if is_slug(text) {
        return Ok(text.to_owned());
    }
    let reason = "must be 1 to 64 of a-z, 0-9 and single hyphens between them";
    Err(fault("slug", reason))
}

/// A name, trimmed.
pub fn name(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.chars().count() > 100 || !is_visible(text) {
        return Err(fault("name", "must have 1 to 100 visible characters"));
    }
    Ok(text.to_owned())
}

/// A description, trimmed; it may be empty.
pub fn description(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.chars().count() > 2000 || has_control(text) {
        let reason = "must have at most 2000 printable characters";
        return Err(fault("description", reason));
    }
    Ok(text.to_owned())
}

/// The address of a page; an empty text takes it away.
pub fn homepage(text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let refused = fault(
        "homepage",
        "must be an http or https URL of at most 2000 bytes, without user name and password",
    );
    let url = Url::parse(text).ok().filter(|_| text.len() <= 2000);
    let url = url.ok_or(refused)?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !is_web || !url.username().is_empty() || url.password().is_some() {
        return Err(refused);
    }
    Ok(Some(url.to_string()))
}

/// Package ecosystems: at most 10 words.
pub fn ecosystems(words: Vec<String>) -> Result<Vec<String>, Fault> {
    if words.len() > 10 || !words.iter().all(|word| is_slug(word)) {
        let reason = "must be at most 10 words of a-z, 0-9 and hyphens, such as npm";
        return Err(fault("ecosystems", reason));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_homepage_is_a_web_address_without_secrets() {
        assert_eq!(homepage(""), Ok(None));
        assert_eq!(
            homepage("https://example.com/kit"),
            Ok(Some("https://example.com/kit".to_owned()))
        );
        for bad in [
            "javascript:alert(1)",
            "ftp://example.com",
            "https://user:pass@example.com",
            "example.com",
            "https://",
        ] {
            assert!(homepage(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_trimmed_and_printable() {
        assert_eq!(
            name("  Feedback Widget Kit "),
            Ok("Feedback Widget Kit".to_owned())
        );
        for bad in ["", " ", "a\nb", &"x".repeat(101)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
