//! Terms made of others and the members that somebody gave.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::store::Terms;

/// Members of a request that are to be terms, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(Vec<(String, Value)>);

/// A member that does not fit, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct Misfit {
    /// Name of the member.
    pub field: String,
    /// What is wrong, as the end of a sentence.
    pub reason: String,
}

impl Given {
    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `base` with these members, checked as a whole.
    pub fn over(&self, base: &Terms) -> Result<Terms, Misfit> {
        // Terms always are an object of JSON.
        let base = serde_json::to_value(base).unwrap_or_default();
        let Value::Object(mut members) = base else {
            return Err(misfit("body", "must hold members"));
        };
        for (at, (name, value)) in self.0.iter().enumerate() {
            if !members.contains_key(name) {
                return Err(misfit(name, "is no member of a policy"));
            }
            if self.0.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(misfit(name, "is given twice"));
            }
            members.insert(name.clone(), value.clone());
        }
        let read = serde_path_to_error::deserialize::<_, Terms>(Value::Object(members));
        let mut terms = read.map_err(|error| {
            let reason = format!("cannot be taken: {}", error.inner());
            misfit(&error.path().to_string(), &reason)
        })?;
        terms.edition = terms.edition.trim().to_owned();
        let checked = terms.check();
        checked.map_err(|(field, reason)| misfit(field, reason))?;
        Ok(terms)
    }
}

fn misfit(field: &str, reason: &str) -> Misfit {
    Misfit {
        field: field.to_owned(),
        reason: reason.to_owned(),
    }
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Given(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kits::model::{SeatKind, Template};

    fn over(given: &Value) -> Result<Terms, String> {
        let given: Given = serde_json::from_value(given.clone()).unwrap();
        let made = given.over(&Template::FloatingTeam.terms());
        made.map_err(|misfit| misfit.field)
    }

    #[test]
    fn what_is_not_given_stays() {
        let terms = over(&json!({ "seat_limit": 9, "edition": " Big team " })).unwrap();
        assert_eq!(terms.seat_kind, SeatKind::Device);
        assert_eq!(
            (terms.seat_limit, terms.lease_seconds),
            (Some(9), Some(3_600))
        );
        assert_eq!(terms.edition, "Big team");
        assert_eq!(
            over(&json!({ "lease_seconds": null }))
                .unwrap()
                .lease_seconds,
            None
        );
    }

    #[test]
    fn a_refusal_names_the_member() {
        for (given, field) in [
            (json!({ "seats": 1 }), "seats"),
            (json!({ "seat_limit": "5" }), "seat_limit"),
            (json!({ "seat_limit": 99_999_999_999_i64 }), "seat_limit"),
            (json!({ "seat_limit": 0 }), "seat_limit"),
            (json!({ "seat_limit": 1.5 }), "seat_limit"),
            (json!({ "ci_use": null }), "ci_use"),
            (json!({ "entitlements": [1] }), "entitlements[0]"),
            (json!({ "scope": "some" }), "scope"),
            (json!({ "license_text_id": "x" }), "license_text_id"),
        ] {
            assert_eq!(over(&given), Err(field.to_owned()), "{given}");
        }
        let twice: Given = serde_json::from_str(r#"{"seat_limit":1,"seat_limit":2}"#).unwrap();
        let refused = twice.over(&Terms::default()).unwrap_err();
        assert_eq!(refused.to_string(), "seat_limit is given twice");
    }
}
