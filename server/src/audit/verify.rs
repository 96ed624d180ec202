//! Reads the whole log, in slices, and names the first entry that is not as it was written.

mod store;

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use kitward_keys::{CheckpointClaims, VerifyError, verify_checkpoint};

use super::model::{Broken, Chain, Flaw};
use super::store::CheckpointRow;
use crate::app::App;
use crate::db::DbError;
use store::Slice;

/// Entries read at once.
const SLICE: i64 = 1_000;

/// Why the log was not found whole.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database failed.
    #[error("the database failed while the audit log was read")]
    Db(#[from] DbError),
    /// An entry is not as it was written.
    #[error("the audit log is broken: {0}")]
    Broken(Broken),
    /// A checkpoint that was handed in does not count.
    #[error("checkpoint {0} that was given does not count")]
    Given(usize, #[source] VerifyError),
}

impl From<Broken> for AuditError {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// A log in which every entry is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: i64,
    /// Hash of the last one.
    pub head: Vec<u8>,
    /// Checkpoints that agree, those handed in included.
    pub checkpoints: usize,
    /// The newest entry that a checkpoint proves, 0 where there is none.
    pub proven: i64,
    /// Checkpoints signed with a key that is compromised now: they prove nothing.
    pub unproven: usize,
    /// Entries whose personal values were erased.
    pub erased: i64,
}

/// Verifies the log up to its present head. `given` are checkpoints kept elsewhere, as signed.
pub async fn verify(app: &App, given: &[String]) -> Result<Verified, AuditError> {
    let end = app.db.read_slow(store::end).await?;
    let mut walk = Walk::new(app, given)?;
    walk.to(end.seq).await?;
    if walk.chain.seq < end.seq {
        return Err(Flaw::Missing.at(walk.chain.seq + 1).into());
    }
    if walk.chain.hash != end.hash {
        return Err(Flaw::Head.at(end.seq).into());
    }
    if let Some(seq) = end.stray {
        return Err(Flaw::Stray.at(seq).into());
    }
    let stored = match &end.beyond {
        Some(row) => walk.claims(row)?.map(|_claims| row.seq),
        None => None,
    };
    let beyond = walk.given.keys().copied().chain(stored).min();
    if let Some(checkpoint) = beyond {
        return Err(Flaw::Shortened { checkpoint }.at(end.seq + 1).into());
    }
    Ok(Verified {
        entries: walk.chain.seq,
        head: walk.chain.hash,
        checkpoints: walk.checkpoints,
        proven: walk.proven,
        unproven: walk.unproven,
        erased: walk.chain.erased,
    })
}

/// The way through the log.
struct Walk<'a> {
    app: &'a App,
    chain: Chain,
    /// Checkpoints handed in that were not reached yet: entry and hash.
    given: BTreeMap<i64, String>,
    checkpoints: usize,
    unproven: usize,
    proven: i64,
}

impl<'a> Walk<'a> {
    fn new(app: &'a App, given: &[String]) -> Result<Self, AuditError> {
        let mut claimed = BTreeMap::new();
        for (number, token) in (1..).zip(given) {
            let keys = app.keys.load();
            let claims = verify_checkpoint(token, &keys.all, Some(&app.installation_id))
                .map_err(|reason| AuditError::Given(number, reason))?;
            if let Some(other) = claimed.insert(claims.seq, claims.hash.clone())
                && other != claims.hash
            {
                return Err(Flaw::Checkpoint { since: 0 }.at(claims.seq).into());
            }
        }
        Ok(Self {
            app,
            chain: Chain::default(),
            given: claimed,
            checkpoints: 0,
            unproven: 0,
            proven: 0,
        })
    }

    async fn to(&mut self, end: i64) -> Result<(), AuditError> {
        let (mut after, mut limit) = (i64::MIN, SLICE);
        loop {
            let db = &self.app.db;
            let read = db
                .read_slow(move |conn| store::slice(conn, after, end, limit))
                .await;
            let slice = match read {
                Ok(slice) => slice,
                Err(error) if !store::is_unreadable(&error) => return Err(error.into()),
                // One of them cannot be read: from here on one by one, to name it.
                Err(_) if limit > 1 => {
                    limit = 1;
                    continue;
                }
                Err(error) => {
                    let seq = db
                        .read_slow(move |conn| store::seq_after(conn, after))
                        .await?;
                    let broken = seq.map(|seq| Flaw::Unreadable.at(seq).into());
                    return Err(broken.unwrap_or(error.into()));
                }
            };
            self.take(&slice)?;
            match slice.rows.last() {
                Some((row, _)) => after = row.seq,
                None => return Ok(()),
            }
        }
    }

    fn take(&mut self, slice: &Slice) -> Result<(), AuditError> {
        let mut checkpoints = slice.checkpoints.iter().peekable();
        for (row, details) in &slice.rows {
            self.chain.take(&row.found(details.as_ref()))?;
            let here = |checkpoint: &&CheckpointRow| checkpoint.seq <= row.seq;
            while let Some(checkpoint) = checkpoints.next_if(here) {
                if let Some(claims) = self.claims(checkpoint)? {
                    self.compare(claims.seq, &claims.hash)?;
                }
            }
            if let Some(hash) = self.given.remove(&row.seq) {
                self.compare(row.seq, &hash)?;
            }
        }
        Ok(())
    }

    /// What a stored checkpoint proves; nothing where its key is compromised.
    fn claims(&mut self, row: &CheckpointRow) -> Result<Option<CheckpointClaims>, Broken> {
        let keys = self.app.keys.load();
        let issuer = Some(self.app.installation_id.as_str());
        match verify_checkpoint(&row.token, &keys.all, issuer) {
            Ok(claims) => {
                let is_same = claims.seq == row.seq
                    && claims.hash == HEXLOWER.encode(&row.hash)
                    && claims.iat == row.at.unix();
                if is_same {
                    Ok(Some(claims))
                } else {
                    Err(Flaw::CheckpointRow.at(row.seq))
                }
            }
            Err(VerifyError::KeyCompromised) => {
                self.unproven += 1;
                Ok(None)
            }
            Err(reason) => Err(Flaw::CheckpointSignature(reason).at(row.seq)),
        }
    }

    /// The chain stands at the entry that a checkpoint covers.
    fn compare(&mut self, seq: i64, hash: &str) -> Result<(), Broken> {
        if seq != self.chain.seq || hash != HEXLOWER.encode(&self.chain.hash) {
            return Err(Flaw::Checkpoint { since: self.proven }.at(seq));
        }
        self.checkpoints += 1;
        self.proven = seq;
        Ok(())
    }
}
