//! Taking a file out of a draft.

use super::model::{ReleaseId, ReleaseStatus};
use super::store::{self, blobs};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};

/// Why it was not taken out.
#[derive(Debug, thiserror::Error)]
pub enum RemoveArtifactError {
    /// The database failed.
    #[error("the database failed while a file was removed")]
    Db(#[from] DbError),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
    /// The release has no file with this name.
    #[error("no such file")]
    NoSuchFile,
    /// The release is out: its files stay what they are.
    #[error("the release is published")]
    NotDraft,
}

/// Takes a file out of a draft. Its bytes go a day later, unless something else refers to them.
pub async fn remove_artifact(
    app: &App,
    release: ReleaseId,
    name: String,
    actor: Actor,
) -> Result<(), RemoveArtifactError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(release.as_str()), move |tx| {
            remove_artifact_in(tx, &release, &name, (actor.clone(), now))
        })
        .await
}

/// The same inside another unit of work.
pub fn remove_artifact_in(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
    name: &str,
    (actor, now): (Actor, Timestamp),
) -> Result<(), RemoveArtifactError> {
    let status = store::lock(tx, release)?.map(|release| release.status);
    let status = status.ok_or(RemoveArtifactError::NotFound)?;
    let file = store::find_artifact_named(tx.conn(), release, name)?;
    let file = file.ok_or(RemoveArtifactError::NoSuchFile)?;
    if status != ReleaseStatus::Draft {
        return Err(RemoveArtifactError::NotDraft);
    }
    store::delete_artifact(tx, &file)?;
    blobs::let_go(tx, &file.sha256, now)?;
    tx.audit(Entry::new(
        now,
        actor,
        "artifact.removed",
        &file.id,
        &["release", "name", "sha256"],
    ));
    Ok(())
}
