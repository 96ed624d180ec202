//! Letting a draft out.

use super::model::{ReleaseId, ReleaseStatus};
use super::store::{self, Release};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};

/// Why it was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishReleaseError {
    /// The database failed.
    #[error("the database failed while a release was published")]
    Db(#[from] DbError),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
    /// There is nothing in it.
    #[error("the release has no files")]
    Empty,
}

/// Publishes a release; one that is out already stays as it is.
pub async fn publish_release(
    app: &App,
    id: ReleaseId,
    actor: Actor,
) -> Result<Release, PublishReleaseError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(id.as_str()), move |tx| {
            publish_release_in(tx, &id, actor.clone(), now)
        })
        .await
}

/// The same inside another unit of work.
pub fn publish_release_in(
    tx: &mut WriteTx<'_>,
    id: &ReleaseId,
    actor: Actor,
    now: Timestamp,
) -> Result<Release, PublishReleaseError> {
    let mut release = store::lock(tx, id)?.ok_or(PublishReleaseError::NotFound)?;
    if release.status == ReleaseStatus::Published {
        return Ok(release);
    }
    if store::artifacts_of(tx.conn(), std::slice::from_ref(id))?.is_empty() {
        return Err(PublishReleaseError::Empty);
    }
    store::set_published(tx, id, now)?;
    release.status = ReleaseStatus::Published;
    release.published_at = Some(now);
    release.revision += 1;
    tx.audit(Entry::new(
        now,
        actor,
        "release.published",
        id,
        &["status", "published_at"],
    ));
    Ok(release)
}
