//! What every change of a license has in common: its row is locked first, its revision is the one
//! that was expected, and it was not folded into another license. Seats come and go without a revision:
//! whoever edits what others have not edited is not refused because kits were running meanwhile.

use std::sync::Arc;

use super::model::{BaseState, LicenseId};
use super::store::{self, Holding};
use crate::activations::hand::Hand;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::entropy::Entropy;
use crate::idempotency::{Claim, Once};
use crate::kits::texts::Fault;

/// Who changes which license.
#[derive(Debug, Clone)]
pub struct Change {
    /// The license.
    pub license: LicenseId,
    /// Only if it still has this revision.
    pub expected_revision: Option<i64>,
    /// Who.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
    /// For the ids of what it writes.
    pub entropy: Arc<dyn Entropy>,
}

/// Why a license was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The database failed.
    #[error("the database failed while a license was changed")]
    Db(#[from] DbError),
    /// No license has this id.
    #[error("no such license")]
    NotFound,
    /// Somebody else changed it first.
    #[error("the license was changed meanwhile")]
    Changed {
        /// Its revision now.
        revision: i64,
    },
    /// It was folded into another license.
    #[error("the license was merged")]
    Merged {
        /// Into this one.
        into: Option<LicenseId>,
    },
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
    /// What the license is does not allow it; a sentence for the caller.
    #[error("{0}")]
    Refused(&'static str),
    /// Others may do it, whoever asks may not; a sentence for the caller.
    #[error("{0}")]
    Forbidden(&'static str),
}

/// A refused field.
pub(super) fn fault(field: &'static str, reason: &'static str) -> ChangeError {
    ChangeError::Field(Fault { field, reason })
}

impl Change {
    /// The hand that moves its seats.
    pub(super) fn hand(&self) -> Hand {
        Hand::at(self.now, &self.actor, Arc::clone(&self.entropy))
    }

    /// An entry of the audit log about it.
    pub(super) fn entry(&self, action: &'static str, fields: &'static [&'static str]) -> Entry {
        Entry::new(self.now, self.actor.clone(), action, &self.license, fields)
    }
}

/// Locks the license and reads it as it stands then. Its revision has counted one up already.
pub(super) fn open_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<Holding, ChangeError> {
    if !store::lock_for_edit(tx, &of.license)? {
        return Err(ChangeError::NotFound);
    }
    let holding = store::find(tx.conn(), &of.license)?.ok_or(ChangeError::NotFound)?;
    let revision = holding.license.revision - 1;
    if of.expected_revision.is_some_and(|it| it != revision) {
        return Err(ChangeError::Changed { revision });
    }
    if holding.license.base_state == BaseState::Merged {
        let into = holding.license.merged_into;
        return Err(ChangeError::Merged { into });
    }
    Ok(holding)
}

/// Runs the unit of work of a change, once for one request.
pub(super) async fn run<E>(
    app: &App,
    claim: Claim,
    of: Change,
    effect: impl Fn(&mut WriteTx<'_>, &Change) -> Result<(), E> + Send + 'static,
) -> Result<Once<LicenseId>, E>
where
    E: std::error::Error + From<DbError> + Send + 'static,
{
    let shard = Shard::of(of.license.as_str());
    app.db
        .write(shard, move |tx| {
            claim.once(tx, &of.license, |tx| {
                effect(tx, &of)?;
                Ok(of.license.clone())
            })
        })
        .await
}
