//! Words and rules of the catalog.

use serde::{Deserialize, Serialize};

use crate::db::types::{text_enum, typed_id};

typed_id!(
    /// A kit.
    KitId, "kit"
);
typed_id!(
    /// A policy.
    PolicyId, "pol"
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

/// What a policy grants; licenses carry a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Buyer-facing name: "Personal", "Team".
    pub edition: String,
    /// Which kits.
    pub scope: Scope,
    /// What occupies a seat.
    pub seat_kind: SeatKind,
    /// How many seats; `None` = unlimited.
    pub seat_limit: Option<i32>,
    /// Months of updates from the purchase; `None` = for ever.
    pub updates_months: Option<i32>,
    /// Months of use from the purchase; `None` = for ever.
    pub valid_months: Option<i32>,
    /// Days a license file lives.
    pub license_file_days: i32,
}

/// Why terms are refused: the field and the reason.
pub type TermsFault = (&'static str, &'static str);

impl Terms {
    /// Checks ranges and what must fit together.
    pub fn check(&self) -> Result<(), TermsFault> {
        let edition = self.edition.trim();
        if edition.chars().count() > 60 || !is_visible(edition) {
            return Err(("edition", "must have 1 to 60 visible characters"));
        }
        match (self.seat_kind, self.seat_limit) {
            (SeatKind::None, Some(_)) => {
                return Err(("seat_limit", "has no meaning where the seat kind is none"));
            }
            (_, Some(limit)) if !(1..=1_000_000).contains(&limit) => {
                return Err(("seat_limit", "must be 1 to 1000000, or null for unlimited"));
            }
            _ => {}
        }
        let months = |months: Option<i32>| months.is_none_or(|m| (1..=1200).contains(&m));
        if !months(self.updates_months) {
            return Err(("updates_months", "must be 1 to 1200, or null for ever"));
        }
        if !months(self.valid_months) {
            return Err(("valid_months", "must be 1 to 1200, or null for ever"));
        }
        if !(1..=366).contains(&self.license_file_days) {
            return Err(("license_file_days", "must be 1 to 366"));
        }
        Ok(())
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

    #[test]
    fn a_limit_without_seats_is_refused() {
        let mut terms = Terms {
            edition: "Personal".to_owned(),
            scope: Scope::Kits,
            seat_kind: SeatKind::None,
            seat_limit: None,
            updates_months: Some(12),
            valid_months: None,
            license_file_days: 14,
        };
        assert_eq!(terms.check(), Ok(()));
        terms.seat_limit = Some(5);
        assert_eq!(terms.check().unwrap_err().0, "seat_limit");
        terms.seat_kind = SeatKind::Device;
        assert_eq!(terms.check(), Ok(()));
        terms.seat_limit = Some(0);
        assert_eq!(terms.check().unwrap_err().0, "seat_limit");
    }
}
