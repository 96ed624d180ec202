//! The mails, one struct each, rendered to a subject, a text part and an HTML part.
//!
//! Both parts say the same, hold one action and load nothing from anywhere. No value can add a line
//! to the subject.

mod advisory;
mod license_issued;
mod new_versions;
mod news;
mod sign_in;

pub use advisory::{AdvisoryMail, Urgency, WayOut};
pub use license_issued::{FirstStep, IssuedItem, LicenseIssuedMail};
pub use new_versions::{KitNews, NewVersionsMail};
pub use news::VersionNews;
pub use sign_in::SignInMail;

use crate::wording::{one_line, shorten};

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line of at most 60 characters.
    pub subject: String,
    /// The `text/plain` part.
    pub text: String,
    /// The `text/html` part.
    pub html: String,
}

/// Longest subject that mail programs show whole.
const SUBJECT: usize = 60;
/// Longest name that is taken over from outside.
const NAME: usize = 60;

fn subject(text: &str) -> String {
    shorten(&one_line(text), SUBJECT)
}

fn name(text: &str) -> String {
    shorten(&one_line(text), NAME)
}

/// How to address someone by a name they typed somewhere: never one that reads as a link.
fn greeting(customer: Option<&str>) -> String {
    let typed = customer.map(one_line).unwrap_or_default();
    let plain = !typed.contains(['/', ':', '@', '<', '>', '.', '\\']);
    if plain && (1..=NAME).contains(&typed.chars().count()) {
        format!("Hello {typed},")
    } else {
        "Hello,".to_owned()
    }
}

/// A part; empty should a template ever fail, which none of these can.
fn part(rendered: askama::Result<String>) -> String {
    rendered.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{greeting, subject};

    #[test]
    fn a_line_break_in_a_value_cannot_reach_the_subject() {
        let hostile = subject("Your license\r\nBcc: someone@example.com\n\nbody");
        assert!(!hostile.contains(['\r', '\n']), "{hostile:?}");
        assert!(subject(&"long ".repeat(40)).chars().count() <= 60);
    }

    #[test]
    fn a_name_that_reads_as_a_link_is_not_repeated() {
        assert_eq!(greeting(Some("Example Ltd")), "Hello Example Ltd,");
        for bad in [
            "https://evil.example",
            "win at evil.example",
            "a@b",
            " ",
            "",
        ] {
            assert_eq!(greeting(Some(bad)), "Hello,", "{bad}");
        }
        assert_eq!(greeting(None), "Hello,");
        assert_eq!(greeting(Some(&"x".repeat(61))), "Hello,");
    }
}
