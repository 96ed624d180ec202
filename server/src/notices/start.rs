//! Telling people of a release that is out, by hand: where nobody was told, or once more for those
//! who were not reached.

use super::announce::Announcement;
use super::model::NoticeKind;
use super::store;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{DbError, Shard};
use crate::releases;
use crate::releases::model::{ReleaseId, ReleaseStatus};
use crate::secrets::SealError;

/// Why nobody is told.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database failed.
    #[error("the database failed while people were to be told of a release")]
    Db(#[from] DbError),
    /// The job could not be sealed.
    #[error("a job could not be sealed")]
    Seal(#[from] SealError),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
    /// It is a draft.
    #[error("the release is not published")]
    NotPublished,
}

/// Begins, also after it was called off. Who heard of the release does not hear of it again; whose mail
/// was given up does.
pub async fn start(app: &App, id: ReleaseId, actor: Actor) -> Result<(), StartError> {
    let now = app.clock.now();
    let announcement = Announcement::new(app, &id)?;
    let started = app.db.write(Shard::of(id.as_str()), move |tx| {
        let release = releases::store::lock(tx, &id)?.ok_or(StartError::NotFound)?;
        if release.status != ReleaseStatus::Published {
            return Err(StartError::NotPublished);
        }
        let subject = (&id, NoticeKind::of(release.severity));
        if announcement.again(tx, subject, true)? {
            store::forget_failed(tx, &id)?;
        } else {
            announcement.begin(tx, subject, now)?;
        }
        let action = "release.notices_started";
        tx.audit(Entry::new(now, actor.clone(), action, &id, &["notices"]));
        Ok(())
    });
    started.await?;
    Announcement::wake(app);
    Ok(())
}
