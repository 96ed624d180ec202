//! What names, descriptions and addresses of kits and policies may be.

use url::Url;

use super::model::{has_control, is_invisible, is_slug, is_visible};

/// Longest license text, in bytes.
const LICENSE_TEXT_MAX: usize = 50_000;

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

/// The address of a kit's page; an empty text takes it away.
pub fn homepage(text: &str) -> Result<Option<String>, Fault> {
    page("homepage", text)
}

/// Where licenses of a policy are renewed; an empty text takes it away.
pub fn renew_url(text: &str) -> Result<Option<String>, Fault> {
    page("renew_url", text)
}

fn page(field: &'static str, text: &str) -> Result<Option<String>, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let refused = fault(
        field,
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

/// A license text, with one kind of line end. It is shown as it is, never as markup.
pub fn license_text(text: &str) -> Result<String, Fault> {
    let text = text.replace("\r\n", "\n");
    let odd = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_invisible(c);
    let shows = text.chars().any(|c| !c.is_whitespace());
    if !shows || text.len() > LICENSE_TEXT_MAX || text.chars().any(odd) {
        let reason = "must have 1 to 50000 bytes of text, without control or invisible characters";
        return Err(fault("body", reason));
    }
    Ok(text)
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
    fn a_license_text_is_plain_text() {
        let read = license_text("Terms\r\n\tof use\n");
        assert_eq!(read.as_deref(), Ok("Terms\n\tof use\n"));
        for bad in ["", " \n", "a\0b", "a\u{202e}b", &"x".repeat(50_001)] {
            assert!(license_text(bad).is_err(), "{bad:?}");
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
