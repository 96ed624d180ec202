//! Words and rules of the catalog.

pub(super) mod described;
mod terms;

use crate::db::types::{text_enum, typed_id};

pub use terms::{TermsFault, check_entitlements};

typed_id!(
    /// A kit.
    KitId, "kit"
);
typed_id!(
    /// A policy.
    PolicyId, "pol"
);
typed_id!(
    /// One version of a policy's terms.
    TermsId, "trm"
);
typed_id!(
    /// One version of a license text.
    LicenseTextId, "ltx"
);

text_enum! {
    /// How far a kit is.
    pub enum KitStatus {
        /// Planned.
        Queued = "queued",
        /// Being made.
        InProduction = "in_production",
        /// On sale.
        Released = "released",
        /// No longer on sale; licenses go on.
        Retired = "retired",
    }
}

text_enum! {
    /// Which kits a license covers.
    pub enum Scope {
        /// Those listed.
        Kits = "kits",
        /// All, those published later included.
        All = "all",
    }
}

text_enum! {
    /// What occupies a seat.
    pub enum SeatKind {
        /// Nothing: no seats, no run-time call needed.
        None = "none",
        /// A machine.
        Device = "device",
        /// A host name.
        Site = "site",
        /// A person.
        User = "user",
        /// A project.
        Project = "project",
    }
}

/// Longest slug.
pub const SLUG_MAX: usize = 64;

/// Whether a text can be a slug: `a-z`, `0-9` and single hyphens inside, 1 to 64 characters.
pub fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= SLUG_MAX
        && text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

text_enum! {
    /// From when the durations of a license count.
    pub enum Basis {
        /// From its purchase or issue.
        Issue = "issue",
        /// From the first activation.
        FirstActivation = "first_activation",
    }
}

text_enum! {
    /// What is left of a license whose subscription lapsed.
    pub enum OnLapse {
        /// What was covered stays; nothing newer.
        Keep = "keep",
        /// Nothing.
        Stop = "stop",
    }
}

/// Whether a text can be read as it is stored: something to be seen, nothing hidden.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !is_blank(c)) && !has_invisible(text)
}

/// Whether a text has characters that are not seen, or that turn what is seen.
pub fn has_invisible(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || is_invisible(c))
}

/// Marks that turn the direction of text or are not seen: they make `exe.zip` of `piz.exe`, and two
/// names look the same.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// Letters that leave an empty space.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
        )
}

/// Whether a text has control characters: nothing we store or repeat needs them.
pub fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_lower_case_words_joined_by_hyphens() {
        for good in ["a", "feedback-widget", "kit2"] {
            assert!(is_slug(good), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "ä",
            "a/b",
            &"a".repeat(65),
        ] {
            assert!(!is_slug(bad), "{bad}");
        }
    }

    #[test]
    fn names_show_what_they_are() {
        for good in ["Kit", "Über Kit", "キット", "🎉", "a\u{a0}b"] {
            assert!(is_visible(good), "{good:?}");
        }
        for bad in [
            "",
            "\u{3164}",
            "\u{2800} ",
            "a\0b",
            "a\u{200b}b",
            "a\u{202e}b",
            "\u{feff}a",
            "a\u{ad}b",
        ] {
            assert!(!is_visible(bad), "{bad:?}");
        }
    }
}
