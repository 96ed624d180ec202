//! Whether entries follow each other as they were written, and what is wrong where they do not.

use kitward_keys::VerifyError;

use super::{GENESIS, Link, commit};

/// What is wrong with an entry. Each reads as the rest of a sentence about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Its number is not there, though later ones are or the head names them.
    #[error("is missing")]
    Missing,
    /// It is not there, and neither is anything after it, though it was once signed.
    #[error("is missing, though a signed checkpoint covers entry {checkpoint}")]
    Shortened {
        /// Newest entry that the checkpoint covers.
        checkpoint: i64,
    },
    /// Its row holds what the program never writes.
    #[error("cannot be read")]
    Unreadable,
    /// Its number is not one that the head covers.
    #[error("stands outside the log that the head describes")]
    Stray,
    /// It names another hash than that of the entry before.
    #[error("does not follow the entry before it")]
    PreviousHash,
    /// Its content was changed, or its hash.
    #[error("does not fit its hash")]
    Hash,
    /// Its personal values are not those it was written with.
    #[error("has personal values that it was not written with")]
    Details,
    /// The head names another hash than that of the last entry.
    #[error("is not the one that the head names")]
    Head,
    /// A checkpoint covers another entry of this number: the log was written anew.
    #[error(
        "is not the one that a signed checkpoint covers; those after {since} may be others too"
    )]
    Checkpoint {
        /// The newest entry that a checkpoint proves, 0 where there is none.
        since: i64,
    },
    /// A stored checkpoint was changed, or signed by somebody else.
    #[error("has a checkpoint that does not count")]
    CheckpointSignature(#[source] VerifyError),
    /// A stored checkpoint says something else than what was signed.
    #[error("has a checkpoint whose row is not what was signed")]
    CheckpointRow,
}

impl Flaw {
    /// A short word for it, for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Shortened { .. } => "shortened",
            Self::Unreadable => "unreadable",
            Self::Stray => "stray",
            Self::PreviousHash => "previous_hash",
            Self::Hash => "hash",
            Self::Details => "details",
            Self::Head => "head",
            Self::Checkpoint { .. } => "checkpoint",
            Self::CheckpointSignature(_) => "checkpoint_signature",
            Self::CheckpointRow => "checkpoint_row",
        }
    }
}

/// The first entry that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} {flaw}")]
pub struct Broken {
    /// Its number.
    pub seq: i64,
    /// What is wrong with it.
    #[source]
    pub flaw: Flaw,
}

/// An entry as it stands in the database.
#[derive(Debug)]
pub(in crate::audit) struct Found<'a> {
    /// What its hash covers.
    pub(in crate::audit) link: Link<'a>,
    /// The hash it names of the entry before.
    pub(in crate::audit) previous_hash: &'a [u8],
    /// Its own hash.
    pub(in crate::audit) hash: &'a [u8],
    /// Its personal values and their salt, unless they were erased.
    pub(in crate::audit) details: Option<(&'a str, &'a [u8])>,
}

/// The chain up to one entry.
#[derive(Debug)]
pub(in crate::audit) struct Chain {
    /// Number of the last entry; 0 before the first.
    pub(in crate::audit) seq: i64,
    /// Its hash.
    pub(in crate::audit) hash: Vec<u8>,
    /// Entries whose personal values were erased.
    pub(in crate::audit) erased: i64,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: GENESIS.to_vec(),
            erased: 0,
        }
    }
}

impl Chain {
    /// Takes the entry with the next higher number that was found.
    pub(in crate::audit) fn take(&mut self, found: &Found<'_>) -> Result<(), Broken> {
        let (seq, expected) = (found.link.seq, self.seq + 1);
        if seq > expected {
            return Err(Flaw::Missing.at(expected));
        }
        if seq < expected {
            return Err(Flaw::Stray.at(seq));
        }
        if found.previous_hash != self.hash {
            return Err(Flaw::PreviousHash.at(seq));
        }
        if found.hash != found.link.hash(&self.hash) {
            return Err(Flaw::Hash.at(seq));
        }
        match (found.link.commitment, found.details) {
            (None, None) => {}
            (Some(_), None) => self.erased += 1,
            (Some(commitment), Some((values, salt))) if commit(values, salt) == commitment => {}
            (_, Some(_)) => return Err(Flaw::Details.at(seq)),
        }
        self.seq = seq;
        self.hash = found.hash.to_vec();
        Ok(())
    }
}

impl Flaw {
    /// The same, of this entry.
    pub fn at(self, seq: i64) -> Broken {
        Broken { seq, flaw: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn link(seq: i64, commitment: Option<&[u8]>) -> Link<'_> {
        Link {
            seq,
            at: Timestamp::parse("2027-01-01T00:00:00Z").unwrap(),
            actor: "system",
            action: "a.b",
            subject: "x",
            fields: "[]",
            commitment,
        }
    }

    fn take(chain: &mut Chain, seq: i64, details: Option<(&str, &[u8])>) -> Option<Flaw> {
        let commitment = details.map(|_some| commit("values", b"salt"));
        let link = link(seq, commitment.as_deref());
        let previous = chain.hash.clone();
        let hash = link.hash(&previous);
        let found = Found {
            link,
            previous_hash: &previous,
            hash: &hash,
            details,
        };
        chain.take(&found).err().map(|broken| broken.flaw)
    }

    #[test]
    fn numbers_follow_each_other_from_1() {
        let mut chain = Chain::default();
        assert_eq!(take(&mut chain, 0, None), Some(Flaw::Stray));
        assert_eq!(take(&mut chain, 2, None), Some(Flaw::Missing));
        assert_eq!(take(&mut chain, 1, None), None);
        assert_eq!(take(&mut chain, 2, None), None);
        assert_eq!(take(&mut chain, 2, None), Some(Flaw::Stray));
    }

    #[test]
    fn personal_values_are_those_committed_to() {
        let mut chain = Chain::default();
        let good: (&str, &[u8]) = ("values", b"salt");
        assert_eq!(take(&mut chain, 1, Some(good)), None);
        for other in [("value", &b"salt"[..]), ("values", b"salt2")] {
            assert_eq!(take(&mut chain, 2, Some(other)), Some(Flaw::Details));
        }
    }
}
