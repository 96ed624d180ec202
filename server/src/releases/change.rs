//! What every change of a release has in common: its row is locked first and its revision is the one
//! that was expected.

use super::model::ReleaseId;
use super::store::{self, Release};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits::texts::Fault;
use crate::notices::announce::{Announcement, look_again_in};
use crate::notices::model::NoticeKind;
use crate::secrets::SealError;

/// Who changes which release.
#[derive(Debug, Clone)]
pub struct Change {
    /// The release.
    pub release: ReleaseId,
    /// Only if it still has this revision.
    pub expected_revision: Option<i64>,
    /// Who.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
}

/// Why a release was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The database failed.
    #[error("the database failed while a release was changed")]
    Db(#[from] DbError),
    /// The job that tells people could not be sealed.
    #[error("a job could not be sealed")]
    Seal(#[from] SealError),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
    /// The license was not granted the release.
    #[error("no such grant")]
    NoGrant,
    /// Somebody else changed it first.
    #[error("the release was changed meanwhile")]
    Changed {
        /// Its revision now.
        revision: i64,
    },
    /// A field is not accepted.
    #[error(transparent)]
    Field(#[from] Fault),
    /// What the release is does not allow it; a sentence for the caller.
    #[error("{0}")]
    Refused(&'static str),
}

/// Locks the release and reads it as it stands then.
pub(super) fn open_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<Release, ChangeError> {
    let release = lock_in(tx, of)?;
    expect_revision(of, &release)?;
    Ok(release)
}

/// Locks the release, whatever its revision is.
pub(super) fn lock_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<Release, ChangeError> {
    store::lock(tx, &of.release)?.ok_or(ChangeError::NotFound)
}

/// Checks that it is the revision that was meant.
pub(super) fn expect_revision(of: &Change, release: &Release) -> Result<(), ChangeError> {
    let revision = release.revision;
    match of.expected_revision {
        Some(expected) if expected != revision => Err(ChangeError::Changed { revision }),
        _ => Ok(()),
    }
}

/// Writes what became of it, unless it is what it was.
pub(super) fn write_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    (before, after): (&Release, &Release),
    (action, fields): (&'static str, &'static [&'static str]),
) -> Result<(), DbError> {
    if before == after {
        return Ok(());
    }
    store::update(tx, after)?;
    tx.audit(Entry::new(
        of.now,
        of.actor.clone(),
        action,
        &of.release,
        fields,
    ));
    Ok(())
}

/// Runs the unit of work of a change, once for one request.
pub(super) async fn run(
    app: &App,
    claim: Claim,
    of: Change,
    effect: impl Fn(&mut WriteTx<'_>, &Change) -> Result<(), ChangeError> + Send + 'static,
) -> Result<Once<ReleaseId>, ChangeError> {
    let shard = Shard::of(of.release.as_str());
    let announcement = Announcement::new(app, &of.release)?;
    let changed = app.db.write(shard, move |tx| {
        claim.once(tx, &of.release, |tx| {
            // Read behind the lock: what somebody else changes meanwhile is not told as this change.
            let before = store::lock(tx, &of.release)?;
            effect(tx, &of)?;
            let after = store::find(tx.conn(), &of.release)?;
            if before.as_ref().map(reach) != after.as_ref().map(reach)
                && let Some(release) = &after
            {
                look_again_in(tx, &announcement, release)?;
            }
            Ok::<_, ChangeError>(of.release.clone())
        })
    });
    let changed = changed.await?;
    Announcement::wake(app);
    Ok(changed)
}

/// What decides whom a release comes to, and as what: where it changes, others may hear of it now.
fn reach(release: &Release) -> impl PartialEq {
    (
        NoticeKind::of(release.severity),
        release.yanked_at,
        release.halted_at,
        release.entitled_at,
        release.rollout.clone(),
        release.required_entitlements.clone(),
    )
}
