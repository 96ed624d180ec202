//! What a vendor may write beside the terms of a license, and how much of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::kits::model::{has_invisible, is_visible};
use crate::kits::texts::Fault;

/// Most texts of one license.
const TEXTS_MAX: usize = 50;
/// Longest name of one, in characters.
const NAME_MAX: usize = 64;
/// Longest text of one, in characters.
const VALUE_MAX: usize = 500;
/// Longest note, in characters.
const NOTE_MAX: usize = 5_000;

/// The vendor's own words about a license, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, String>)]
pub struct Metadata(BTreeMap<String, String>);

impl Metadata {
    /// Checks how many texts there are, and how long they are.
    pub fn check(&self) -> Result<(), Fault> {
        let is_name = |name: &String| name.chars().count() <= NAME_MAX && is_visible(name);
        let is_value = |text: &String| text.chars().count() <= VALUE_MAX && !has_invisible(text);
        let fits = self.0.len() <= TEXTS_MAX
            && self.0.keys().all(is_name)
            && self.0.values().all(is_value);
        if fits {
            return Ok(());
        }
        Err(Fault {
            field: "metadata",
            reason: "must be at most 50 texts of at most 500 characters, with names of 1 to 64",
        })
    }

    /// As it is stored.
    pub fn to_text(&self) -> String {
        // Texts by text names always are JSON.
        serde_json::to_string(&self.0).unwrap_or_else(|_never| "{}".to_owned())
    }

    /// From what is stored.
    pub fn from_text(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// Of two texts by one name neither is taken: a map of the standard library would keep the last.
impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("texts by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((name, text)) = map.next_entry::<String, String>()? {
                    if texts.insert(name, text).is_some() {
                        return Err(A::Error::custom("a name is given twice"));
                    }
                }
                Ok(Metadata(texts))
            }
        }

        deserializer.deserialize_map(Texts)
    }
}

/// A note, trimmed. Lines may end; nothing else is hidden in it.
pub fn note_text(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    let hidden = |line: &str| has_invisible(&line.replace('\t', " "));
    let fits = text.chars().count() <= NOTE_MAX
        && text.chars().any(|c| !c.is_whitespace())
        && !text.lines().any(hidden);
    if fits {
        return Ok(text.to_owned());
    }
    Err(Fault {
        field: "note",
        reason: "must have 1 to 5000 visible characters",
    })
}

/// Whether both databases and RFC 3339 can hold a moment, with some years to spare at both ends.
pub fn fits_calendar(moment: Timestamp) -> bool {
    let bound = |text| Timestamp::parse(text).is_some_and(|end| moment < end);
    bound("9999-01-01T00:00:00Z") && !bound("1970-01-01T00:00:00Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, text: &str) -> Metadata {
        Metadata(BTreeMap::from([(name.to_owned(), text.to_owned())]))
    }

    #[test]
    fn metadata_is_bounded() {
        assert!(one("crm", "").check().is_ok());
        assert!(one(&"n".repeat(64), &"v".repeat(500)).check().is_ok());
        let many = (0..51).map(|n| (n.to_string(), String::new())).collect();
        for bad in [
            one("", "v"),
            one(" ", "v"),
            one(&"n".repeat(65), "v"),
            one("n", &"v".repeat(501)),
            one("n", "a\0b"),
            one("n\u{202e}", "v"),
            Metadata(many),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        let stored = one("a\"b", "ü").to_text();
        assert_eq!(Metadata::from_text(&stored), one("a\"b", "ü"));
    }

    #[test]
    fn a_note_has_lines_and_nothing_hidden() {
        assert_eq!(note_text(" a\n\tb ").unwrap(), "a\n\tb");
        for bad in ["", " \n ", "a\0", "a\u{200b}b", &"x".repeat(5_001)] {
            assert!(note_text(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_calendar_ends_somewhere() {
        let at = |text| fits_calendar(Timestamp::parse(text).unwrap());
        assert!(at("1970-01-01T00:00:00Z") && at("9998-12-31T23:59:59Z"));
        assert!(!at("1969-12-31T23:59:59Z") && !at("9999-01-01T00:00:00Z"));
    }
}
