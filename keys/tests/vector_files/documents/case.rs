//! One vector under construction.

use kitward_keys::DocumentType;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Outcome;
use crate::claims::{KIT, NOW};

pub(crate) struct Case {
    members: Map<String, Value>,
}

impl Case {
    /// A token as a reader of the kit meets it, at [`NOW`], without leeway.
    pub(crate) fn new(name: &str, typ: DocumentType, token: &str) -> Self {
        let members = [
            ("name", name.into()),
            ("typ", typ.typ().into()),
            ("token", token.into()),
            ("issuer", Value::Null),
            ("audience", KIT.into()),
            ("now", NOW.into()),
            ("leeway", 0.into()),
            ("nonce", Value::Null),
            ("strict_only", false.into()),
        ];
        Self {
            members: members
                .map(|(member, value)| (member.to_owned(), value))
                .into_iter()
                .collect(),
        }
    }

    pub(crate) fn issuer(self, issuer: &str) -> Self {
        self.with("issuer", issuer.into())
    }

    pub(crate) fn audience(self, audience: &str) -> Self {
        self.with("audience", audience.into())
    }

    /// For documents that name no kit.
    pub(crate) fn no_audience(self) -> Self {
        self.with("audience", Value::Null)
    }

    pub(crate) fn nonce(self, nonce: &str) -> Self {
        self.with("nonce", nonce.into())
    }

    /// A key ring has no audience and no nonce; the reader knows a version.
    pub(crate) fn ring(name: &str, token: &str) -> Self {
        let mut case =
            Self::new(name, DocumentType::KeyRing, token).with("known_version", 7.into());
        case.members.remove("audience");
        case.members.remove("nonce");
        case
    }

    pub(crate) fn knowing(self, version: u64) -> Self {
        self.with("known_version", version.into())
    }

    pub(crate) fn at(self, now: i64, leeway: i64) -> Self {
        self.with("now", now.into()).with("leeway", leeway.into())
    }

    /// Readers that are not as strict as this project may accept it.
    pub(crate) fn strict_only(self) -> Self {
        self.with("strict_only", true.into())
    }

    /// Accepted, with these claims.
    pub(crate) fn good(self, claims: &impl Serialize) -> Outcome<Value> {
        let accepted = self.with("result", "ok".into());
        Ok(accepted
            .with("claims", serde_json::to_value(claims)?)
            .members
            .into())
    }

    /// Refused, for this reason.
    pub(crate) fn bad(self, reason: &str) -> Value {
        self.with("result", reason.into()).members.into()
    }

    fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }
}

/// Claims with some members replaced, or removed where the new value is null.
pub(crate) fn with_members(claims: &impl Serialize, changes: &Value) -> Outcome<Value> {
    let mut claims = serde_json::to_value(claims)?;
    let members = claims.as_object_mut().ok_or("claims are an object")?;
    for (name, value) in changes.as_object().ok_or("changes are an object")? {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims.sort_all_objects();
    Ok(claims)
}
