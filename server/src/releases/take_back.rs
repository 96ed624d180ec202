//! Taking a release back: off the lists, which can be undone, or away, which cannot.

use super::change::{self, Change, ChangeError};
use super::fields;
use super::model::{ReleaseId, ReleaseStatus};
use super::store::Release;
use crate::app::App;
use crate::db::WriteTx;
use crate::idempotency::{Claim, Once};

/// Takes it off the lists: it is had by its exact version only, by who has it in a lock file.
pub async fn yank(
    app: &App,
    of: Change,
    reason: &str,
    claim: Claim,
) -> Result<Once<ReleaseId>, ChangeError> {
    let reason = fields::reason(reason)?;
    change::run(app, claim, of, move |tx, of| yank_in(tx, of, &reason)).await
}

/// The same inside another unit of work.
pub fn yank_in(tx: &mut WriteTx<'_>, of: &Change, reason: &str) -> Result<(), ChangeError> {
    let before = present_in(tx, of)?;
    let mut after = before.clone();
    after.yanked_at = before.yanked_at.or(Some(of.now));
    after.yank_reason = Some(reason.to_owned());
    let entry: (_, &[_]) = ("release.yanked", &["yanked_at", "yank_reason"]);
    Ok(change::write_in(tx, of, (&before, &after), entry)?)
}

/// Puts it on the lists again.
pub async fn unyank(app: &App, of: Change, claim: Claim) -> Result<Once<ReleaseId>, ChangeError> {
    change::run(app, claim, of, unyank_in).await
}

/// The same inside another unit of work.
pub fn unyank_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<(), ChangeError> {
    let before = present_in(tx, of)?;
    let mut after = before.clone();
    after.yanked_at = None;
    after.yank_reason = None;
    let entry: (_, &[_]) = ("release.unyanked", &["yanked_at", "yank_reason"]);
    Ok(change::write_in(tx, of, (&before, &after), entry)?)
}

/// Takes it away from everybody, for ever.
pub async fn withdraw(
    app: &App,
    of: Change,
    reason: &str,
    claim: Claim,
) -> Result<Once<ReleaseId>, ChangeError> {
    let reason = fields::reason(reason)?;
    change::run(app, claim, of, move |tx, of| withdraw_in(tx, of, &reason)).await
}

/// The same inside another unit of work. Doing it again may mend the reason, and nothing else.
pub fn withdraw_in(tx: &mut WriteTx<'_>, of: &Change, reason: &str) -> Result<(), ChangeError> {
    let before = change::open_in(tx, of)?;
    check_published(&before)?;
    let mut after = before.clone();
    after.withdrawn_at = before.withdrawn_at.or(Some(of.now));
    after.withdraw_reason = Some(reason.to_owned());
    let entry: (_, &[_]) = ("release.withdrawn", &["withdrawn_at", "withdraw_reason"]);
    Ok(change::write_in(tx, of, (&before, &after), entry)?)
}

/// A release that is out and was not taken away.
fn present_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<Release, ChangeError> {
    let release = change::open_in(tx, of)?;
    check_published(&release)?;
    if release.withdrawn_at.is_some() {
        let gone = "The release was withdrawn. That cannot be undone.";
        return Err(ChangeError::Refused(gone));
    }
    Ok(release)
}

fn check_published(release: &Release) -> Result<(), ChangeError> {
    match release.status {
        ReleaseStatus::Published => Ok(()),
        ReleaseStatus::Draft => Err(ChangeError::Refused(
            "The release is a draft: nobody has it. Delete it instead.",
        )),
    }
}
