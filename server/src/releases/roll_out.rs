//! To how many a release is offered: a share, a schedule, a halt.

use super::change::{self, Change, ChangeError};
use super::model::{ReleaseId, Rollout, Step};
use super::store::RolloutColumn;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::WriteTx;
use crate::entropy::bytes;
use crate::idempotency::{Claim, Once};
use crate::kits::texts::Fault;

/// A rollout as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Share {
    /// This many of a hundred from now on; 100 ends the rollout.
    Percent(u8),
    /// By a schedule.
    Steps(Vec<Step>),
}

impl Share {
    /// The schedule; `None` for everybody.
    fn rollout(self, now: Timestamp) -> Result<Option<Rollout>, Fault> {
        let (field, steps) = match self {
            Self::Percent(100) => return Ok(None),
            Self::Percent(percent) => ("percent", vec![Step { at: now, percent }]),
            Self::Steps(steps) => ("steps", steps),
        };
        let checked = Rollout::new(steps).map(Some);
        checked.map_err(|fault| Fault {
            field,
            reason: fault.reason(),
        })
    }
}

/// Sets the share. A halt goes on; for a schedule it begins now, as that has not stood still before.
pub async fn set_rollout(
    app: &App,
    of: Change,
    share: Share,
    claim: Claim,
) -> Result<Once<ReleaseId>, ChangeError> {
    let rollout = share.rollout(of.now)?.map(RolloutColumn::from);
    let salt: [u8; 16] = bytes(app.entropy.as_ref());
    change::run(app, claim, of, move |tx, of| {
        set_rollout_in(tx, of, rollout.clone(), &salt)
    })
    .await
}

/// The same inside another unit of work. `salt` is for a release that has none yet.
pub fn set_rollout_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    rollout: Option<RolloutColumn>,
    salt: &[u8],
) -> Result<(), ChangeError> {
    let before = change::open_in(tx, of)?;
    let mut after = before.clone();
    // Else resuming would add the time before there was this schedule, also to a step that is now.
    if before.halted_at.is_some() && rollout.is_some() {
        after.halted_at = Some(of.now);
    }
    after.rollout = rollout;
    after.rollout_salt = before.rollout_salt.clone().or(Some(salt.to_vec()));
    let fields: &[_] = if after.halted_at == before.halted_at {
        &["rollout"]
    } else {
        &["rollout", "halted_at"]
    };
    let entry = ("release.rollout_set", fields);
    Ok(change::write_in(tx, of, (&before, &after), entry)?)
}

/// Offers it to nobody until it is resumed; who has it keeps it.
pub async fn halt(app: &App, of: Change, claim: Claim) -> Result<Once<ReleaseId>, ChangeError> {
    change::run(app, claim, of, halt_in).await
}

/// The same inside another unit of work.
pub fn halt_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<(), ChangeError> {
    let before = change::open_in(tx, of)?;
    let mut after = before.clone();
    after.halted_at = before.halted_at.or(Some(of.now));
    let entry: (_, &[_]) = ("release.halted", &["halted_at"]);
    Ok(change::write_in(tx, of, (&before, &after), entry)?)
}

/// Goes on where it was halted: what is left of a schedule is later by as long as it stood still.
pub async fn resume(app: &App, of: Change, claim: Claim) -> Result<Once<ReleaseId>, ChangeError> {
    change::run(app, claim, of, resume_in).await
}

/// The same inside another unit of work.
pub fn resume_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<(), ChangeError> {
    let before = change::open_in(tx, of)?;
    let mut after = before.clone();
    if let (Some(since), Some(column)) = (before.halted_at, &before.rollout) {
        after.rollout = Some(column.rollout().resumed(since, of.now).into());
    }
    after.halted_at = None;
    let entry: (_, &[_]) = ("release.resumed", &["halted_at", "rollout"]);
    Ok(change::write_in(tx, of, (&before, &after), entry)?)
}
