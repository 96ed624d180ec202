//! Deleting a release that never came out.

use super::change::{self, Change, ChangeError};
use super::model::ReleaseStatus;
use super::store;
use crate::app::App;
use crate::audit::Entry;
use crate::db::WriteTx;
use crate::idempotency::Claim;

/// Deletes a draft with its files; bytes that nothing else refers to are swept later.
pub async fn delete_draft(app: &App, of: Change) -> Result<(), ChangeError> {
    let done = change::run(app, Claim::default(), of, delete_draft_in);
    done.await.map(|_once| ())
}

/// The same inside another unit of work.
pub fn delete_draft_in(tx: &mut WriteTx<'_>, of: &Change) -> Result<(), ChangeError> {
    let release = change::open_in(tx, of)?;
    if release.status != ReleaseStatus::Draft {
        return Err(ChangeError::Refused(
            "The release is published. Yank or withdraw it instead.",
        ));
    }
    store::delete_draft(tx, &of.release, of.now)?;
    let actor = of.actor.clone();
    let fields = &["kit", "version", "artifacts"];
    tx.audit(Entry::new(
        of.now,
        actor,
        "release.deleted",
        &of.release,
        fields,
    ));
    Ok(())
}
