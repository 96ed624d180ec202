//! Letting a draft out.

use super::look_again::{LookAgainError, examine_release};
use super::model::{ReleaseId, ReleaseStatus};
use super::store::{self, Artifact, Release};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::kits;
use crate::notices::announce::{Announcement, announce_in};
use crate::secrets::SealError;

/// Why it was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishReleaseError {
    /// The database failed.
    #[error("the database failed while a release was published")]
    Db(#[from] DbError),
    /// The job that tells people could not be sealed.
    #[error("a job could not be sealed")]
    Seal(#[from] SealError),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
    /// There is nothing in it.
    #[error("the release has no files")]
    Empty,
    /// A file of before could not be looked into.
    #[error(transparent)]
    Look(#[from] LookAgainError),
    /// The kit stamps, and this archive has no room for a stamp.
    #[error("{name} cannot carry a stamp")]
    Unstampable {
        /// The file.
        name: String,
        /// Why.
        why: String,
    },
}

/// Publishes a release; one that is out already stays as it is. People are told of it, unless
/// `notify` says otherwise.
pub async fn publish_release(
    app: &App,
    id: ReleaseId,
    notify: Option<bool>,
    actor: Actor,
) -> Result<Release, PublishReleaseError> {
    if is_draft_to_stamp(app, &id).await? {
        examine_release(app, &id).await?;
    }
    let now = app.clock.now();
    let announcement = Announcement::new(app, &id)?;
    let published = app.db.write(Shard::of(id.as_str()), move |tx| {
        publish_release_in(tx, &id, (&announcement, notify), actor.clone(), now)
    });
    let release = published.await?;
    Announcement::wake(app);
    Ok(release)
}

/// Whether it has to be known what its files are. Looked at again under the lock.
async fn is_draft_to_stamp(app: &App, id: &ReleaseId) -> Result<bool, DbError> {
    let id = id.clone();
    let read = move |conn: &mut AnyConn| {
        let release = store::find(conn, &id)?;
        let Some(draft) = release.filter(|it| it.status == ReleaseStatus::Draft) else {
            return Ok(false);
        };
        let kit = kits::store::find_kit(conn, &draft.kit_id)?;
        Ok::<_, DbError>(kit.is_some_and(|kit| kit.stamps))
    };
    app.db.read_snapshot(read).await
}

/// The same inside another unit of work.
pub fn publish_release_in(
    tx: &mut WriteTx<'_>,
    id: &ReleaseId,
    (announcement, notify): (&Announcement, Option<bool>),
    actor: Actor,
    now: Timestamp,
) -> Result<Release, PublishReleaseError> {
    let mut release = store::lock(tx, id)?.ok_or(PublishReleaseError::NotFound)?;
    if release.status == ReleaseStatus::Published {
        return Ok(release);
    }
    let files = store::artifacts_of(tx.conn(), std::slice::from_ref(id))?;
    if files.is_empty() {
        return Err(PublishReleaseError::Empty);
    }
    let kit = kits::store::find_kit(tx.conn(), &release.kit_id)?;
    if kit.is_some_and(|kit| kit.stamps) {
        check_stampable(files)?;
    }
    store::set_published(tx, id, now)?;
    release.status = ReleaseStatus::Published;
    release.published_at = Some(now);
    release.revision += 1;
    announce_in(tx, announcement, &release, notify, now)?;
    tx.audit(Entry::new(
        now,
        actor,
        "release.published",
        id,
        &["status", "published_at"],
    ));
    Ok(release)
}

fn check_stampable(files: Vec<Artifact>) -> Result<(), PublishReleaseError> {
    let why_not = |file: Artifact| Some((file.name, file.unstampable?));
    match files.into_iter().find_map(why_not) {
        Some((name, why)) => Err(PublishReleaseError::Unstampable { name, why }),
        None => Ok(()),
    }
}
