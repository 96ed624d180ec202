//! Entries, and how each is chained to the one before.

mod chain;

use sha2::{Digest, Sha256};

use crate::clock::Timestamp;

pub use chain::{Broken, Flaw};
pub(super) use chain::{Chain, Found};

/// Hash before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

/// Who did it, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The program itself.
    System,
    /// Somebody with a shell on the server.
    Operator,
    /// A management token.
    Token(String),
    /// A person in the portal.
    Person(String),
    /// A payment provider's event.
    Provider(&'static str),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Operator => f.write_str("operator"),
            Self::Token(id) | Self::Person(id) => f.write_str(id),
            Self::Provider(name) => write!(f, "provider:{name}"),
        }
    }
}

/// One change, before it has its number.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, as `noun.verb`.
    pub action: &'static str,
    /// Id of what was changed.
    pub subject: String,
    /// Names of the fields that changed, never their values.
    pub fields: &'static [&'static str],
    /// Values that belong to a person, and the salt of their commitment.
    pub personal: Option<(String, [u8; 16])>,
}

impl Entry {
    /// An entry without personal values.
    pub fn new(
        at: Timestamp,
        actor: Actor,
        action: &'static str,
        subject: &(impl ToString + ?Sized),
        fields: &'static [&'static str],
    ) -> Self {
        Self {
            at,
            actor,
            action,
            subject: subject.to_string(),
            fields,
            personal: None,
        }
    }

    /// Adds values that must be erasable.
    #[must_use]
    pub fn with_personal(mut self, values: String, salt: [u8; 16]) -> Self {
        self.personal = Some((values, salt));
        self
    }
}

/// What the hash of a row covers.
#[derive(Debug)]
pub struct Link<'a> {
    /// Position in the chain, from 1, without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: &'a str,
    /// What.
    pub action: &'a str,
    /// Id of what was changed.
    pub subject: &'a str,
    /// JSON list of field names.
    pub fields: &'a str,
    /// Hash of salt and personal values.
    pub commitment: Option<&'a [u8]>,
}

impl Link<'_> {
    /// SHA-256 of the previous hash and the row, each part preceded by its length.
    pub fn hash(&self, previous: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let (seq, at) = (self.seq.to_be_bytes(), self.at.unix_micros().to_be_bytes());
        let parts: [&[u8]; 8] = [
            previous,
            &seq,
            &at,
            self.actor.as_bytes(),
            self.action.as_bytes(),
            self.subject.as_bytes(),
            self.fields.as_bytes(),
            self.commitment.unwrap_or_default(),
        ];
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// SHA-256 of salt and values: proves what an erased entry said to who still has both.
pub(super) fn commit(values: &str, salt: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(salt);
    hash.update(values.as_bytes());
    hash.finalize().to_vec()
}

/// Entries after which a checkpoint is due, however fast they come.
pub(super) const CHECKPOINT_ENTRIES: i64 = 1_000;
/// Seconds after which a checkpoint is due where there is anything new.
const CHECKPOINT_AGE: i64 = 3_600;

/// Whether the head `seq` deserves a checkpoint, `last` being entry and time of the newest one.
pub(super) fn checkpoint_is_due(seq: i64, last: Option<(i64, Timestamp)>, now: Timestamp) -> bool {
    match last {
        None => seq > 0,
        Some((covered, at)) => {
            let is_old = at.plus_seconds(CHECKPOINT_AGE) <= now;
            seq - covered >= CHECKPOINT_ENTRIES || (seq > covered && is_old)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_come_with_time_or_with_entries_and_never_for_nothing() {
        let start = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        let due =
            |seq, seconds| checkpoint_is_due(seq, Some((100, start)), start.plus_seconds(seconds));
        assert!(!checkpoint_is_due(0, None, start));
        assert!(checkpoint_is_due(1, None, start));
        assert!(!due(100, i64::from(u16::MAX)) && !due(101, 3_599) && due(101, 3_600));
        assert!(!due(1_099, 0) && due(1_100, 0));
        assert!(!due(99, i64::from(u16::MAX)), "a shorter log gets none");
    }

    #[test]
    fn parts_cannot_flow_into_each_other() {
        let at = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        let link = |actor, action| Link {
            seq: 1,
            at,
            actor,
            action,
            subject: "lic",
            fields: "[]",
            commitment: None,
        };
        assert_ne!(
            link("ab", "c").hash(&GENESIS),
            link("a", "bc").hash(&GENESIS)
        );
        assert_ne!(link("a", "b").hash(&GENESIS), link("a", "b").hash(&[1; 32]));
    }
}
