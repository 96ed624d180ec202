//! Beginning to tell people, in the unit of work of its cause.

use super::model::{NoticeKind, WalkState, tells_by_itself};
use super::store::{self, Walk};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::outbox::{self, Job, Lane, Prepared};
use crate::releases::model::ReleaseId;
use crate::releases::store::Release;
use crate::secrets::SealError;

/// The job of a walk, made before the unit of work. After the COMMIT, call [`Announcement::wake`].
#[derive(Debug, Clone)]
pub struct Announcement {
    job: Prepared,
}

impl Announcement {
    /// For a release.
    pub fn new(app: &App, release: &ReleaseId) -> Result<Self, SealError> {
        let job = Job::AnnounceRelease {
            release: release.clone(),
        };
        let job = outbox::prepare(app, &job)?;
        Ok(Self { job })
    }

    /// Tells the worker that there may be something to do.
    pub fn wake(app: &App) {
        app.lanes.wake(Lane::Jobs);
    }

    /// The same later.
    #[must_use]
    pub(super) fn due_at(mut self, due: Timestamp) -> Self {
        self.job = self.job.due_at(due);
        self
    }

    pub(super) fn insert(&self, tx: &mut WriteTx<'_>) -> Result<(), DbError> {
        outbox::insert(tx, &self.job)
    }
}

/// Begins to tell people of a release that has just come out. Where nobody says, stable ones are told.
pub fn announce_in(
    tx: &mut WriteTx<'_>,
    announcement: &Announcement,
    release: &Release,
    notify: Option<bool>,
    now: Timestamp,
) -> Result<(), DbError> {
    if !notify.unwrap_or_else(|| tells_by_itself(release.channel)) {
        return Ok(());
    }
    let walk = Walk {
        release_id: release.id.clone(),
        kind: NoticeKind::of(release.severity),
        state: WalkState::Walking,
        walk: 1,
        reached: String::new(),
        created_at: now,
    };
    store::begin(tx, &walk)?;
    announcement.insert(tx)
}

/// Goes through everybody once more: a rollout was changed, or a release came back. Where people are
/// not told of it at all, nothing.
pub fn look_again_in(
    tx: &mut WriteTx<'_>,
    announcement: &Announcement,
    release: &ReleaseId,
) -> Result<(), DbError> {
    if store::again(tx, release, false)? {
        announcement.insert(tx)?;
    }
    Ok(())
}
