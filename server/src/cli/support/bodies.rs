//! What commands send.

use serde_json::{Map, Value, json};

use crate::cli::arguments::licenses::{Act, EditLicense, Extend, Issue, Seats, SetPolicy};

impl Issue {
    pub(super) fn body(self) -> Value {
        let body = json!({
            "policy": self.policy, "customer": self.customer, "email": self.email,
            "name": self.name, "starts_at": self.starts_at, "note": self.note,
            "extra_entitlements": self.entitlements, "metadata": own_words(self.metadata),
        });
        with(
            body,
            "seat_limit",
            self.seats.map(|Seats(seats)| seats.into()),
        )
    }
}

impl EditLicense {
    /// License and body, which holds what was given and nothing else.
    pub(super) fn call(self) -> (String, Value) {
        let replaces = self.no_entitlements || !self.entitlements.is_empty();
        let all = replaces.then(|| Value::from(self.entitlements));
        let some = |words: Vec<String>| (!words.is_empty()).then(|| Value::from(words));
        let rewrites = self.no_metadata || !self.metadata.is_empty();
        let metadata = rewrites.then(|| own_words(self.metadata));
        let body = with(json!({}), "extra_entitlements", all);
        let body = with(body, "add_entitlements", some(self.added));
        let body = with(body, "remove_entitlements", some(self.removed));
        (self.license, with(body, "metadata", metadata))
    }
}

fn own_words(pairs: Vec<(String, String)>) -> Value {
    let members = pairs.into_iter();
    let members: Map<String, Value> = members
        .map(|(name, text)| (name, Value::from(text)))
        .collect();
    Value::Object(members)
}

/// A member, where it is given at all: null has a meaning of its own.
pub(super) fn with(mut body: Value, member: &str, value: Option<Value>) -> Value {
    if let (Value::Object(members), Some(value)) = (&mut body, value) {
        members.insert(member.to_owned(), value);
    }
    body
}

/// A moment, or null for `never`.
fn end(text: String) -> Value {
    if text == "never" {
        Value::Null
    } else {
        Value::from(text)
    }
}

impl Act {
    /// License, verb and body.
    pub(super) fn call(self) -> (String, &'static str, Value) {
        match self {
            Self::Suspend {
                license,
                cause,
                note,
            } => (license, "suspend", json!({ "cause": cause, "note": note })),
            Self::Reinstate {
                license,
                hold,
                reason,
                cause,
                note,
            } => {
                let body = json!({ "hold": hold, "reason": reason, "cause": cause, "note": note });
                (license, "reinstate", body)
            }
            Self::Revoke {
                license,
                reason,
                cause,
                note,
            } => {
                let body = json!({ "reason": reason, "cause": cause, "note": note });
                (license, "revoke", body)
            }
            Self::Renew { license, from } => (license, "renew", json!({ "from": from })),
            Self::Note { license, text } => (license, "note", json!({ "note": text })),
            Self::Rotate {
                license,
                grace_seconds,
            } => {
                let body = json!({ "grace_seconds": grace_seconds });
                (license, "rotate", body)
            }
            Self::Merge {
                license,
                into,
                add_seats,
            } => {
                let body = json!({ "into": into, "add_seats": add_seats });
                (license, "merge", body)
            }
            Self::Extend(extend) => extend.call(),
            Self::Transfer(to) => {
                let body = json!({ "customer": to.customer, "email": to.email, "name": to.name });
                (to.license, "transfer", body)
            }
            Self::SetPolicy(set) => set.call(),
        }
    }
}

impl Extend {
    fn call(self) -> (String, &'static str, Value) {
        let body = json!({ "months": self.months, "days": self.days });
        let body = with(body, "valid_until", self.valid_until.map(end));
        let body = with(body, "updates_until", self.updates_until.map(end));
        (self.license, "extend", body)
    }
}

impl SetPolicy {
    fn call(self) -> (String, &'static str, Value) {
        let body = json!({ "policy": self.policy, "dates": self.dates });
        let seats = self.seats.map(|Seats(seats)| seats.into());
        let body = with(body, "seat_limit", seats);
        let days = self.over_limit_days.map(Value::from);
        (
            self.license,
            "set-policy",
            with(body, "over_limit_days", days),
        )
    }
}
