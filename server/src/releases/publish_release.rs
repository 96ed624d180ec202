//! Letting a draft out.

use super::change::{self, Change, ChangeError};
use super::look_again::{LookAgainError, examine_release};
use super::model::{ReleaseId, ReleaseStatus};
use super::store::{self, Artifact, Release};
use crate::app::App;
use crate::audit::Entry;
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
    /// No release has this id, or another revision of it was meant.
    #[error(transparent)]
    Change(#[from] ChangeError),
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
    mut of: Change,
    notify: Option<bool>,
) -> Result<Release, PublishReleaseError> {
    if is_draft_to_stamp(app, &of.release).await? {
        examine_release(app, &of.release).await?;
        // That may have taken a while: it comes out now.
        of.now = app.clock.now();
    }
    let announcement = Announcement::new(app, &of.release)?;
    let shard = Shard::of(of.release.as_str());
    let published = app.db.write(shard, move |tx| {
        publish_release_in(tx, &of, (&announcement, notify))
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
    of: &Change,
    (announcement, notify): (&Announcement, Option<bool>),
) -> Result<Release, PublishReleaseError> {
    let mut release = change::lock_in(tx, of)?;
    // Sent again by somebody who lost the answer: it is what was asked for.
    if release.status == ReleaseStatus::Published {
        return Ok(release);
    }
    change::expect_revision(of, &release)?;
    let files = store::artifacts_of(tx.conn(), std::slice::from_ref(&of.release))?;
    if files.is_empty() {
        return Err(PublishReleaseError::Empty);
    }
    let kit = kits::store::find_kit(tx.conn(), &release.kit_id)?;
    if kit.is_some_and(|kit| kit.stamps) {
        check_stampable(files)?;
    }
    store::set_published(tx, &of.release, of.now)?;
    release.status = ReleaseStatus::Published;
    release.published_at = Some(of.now);
    release.revision += 1;
    announce_in(tx, announcement, &release, notify, of.now)?;
    tx.audit(Entry::new(
        of.now,
        of.actor.clone(),
        "release.published",
        &of.release,
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
