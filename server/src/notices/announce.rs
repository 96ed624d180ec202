//! Beginning to tell people, in the unit of work of its cause.

use super::model::{NoticeKind, WalkState, tells_by_itself};
use super::store::{self, Walk};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::entropy::bytes;
use crate::outbox::{self, Job, Lane, Prepared};
use crate::releases::model::ReleaseId;
use crate::releases::store::Release;
use crate::secrets::SealError;

/// The job of a walk, made before the unit of work. After the COMMIT, call [`Announcement::wake`].
///
/// The job and the walk have one number, drawn by chance: a job that comes late, when another walk has
/// begun meanwhile, ends at once.
#[derive(Debug, Clone)]
pub struct Announcement {
    job: Prepared,
    walk: i64,
}

impl Announcement {
    /// For a release.
    pub fn new(app: &App, release: &ReleaseId) -> Result<Self, SealError> {
        let walk = i64::from_be_bytes(bytes(app.entropy.as_ref()));
        let job = Job::AnnounceRelease {
            release: release.clone(),
            walk: Some(walk),
        };
        let job = outbox::prepare(app, &job)?;
        Ok(Self { job, walk })
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

    /// Adds the first walk of a release, and its job.
    pub(super) fn begin(
        &self,
        tx: &mut WriteTx<'_>,
        (release, kind): (&ReleaseId, NoticeKind),
        now: Timestamp,
    ) -> Result<(), DbError> {
        let walk = Walk {
            release_id: release.clone(),
            kind,
            state: WalkState::Walking,
            walk: self.walk,
            reached: String::new(),
            created_at: now,
        };
        store::begin(tx, &walk)?;
        outbox::insert(tx, &self.job)
    }

    /// Makes one more walk, and its job; `false` where there was none, or where it was called off and
    /// `also_skipped` is not said.
    pub(super) fn again(
        &self,
        tx: &mut WriteTx<'_>,
        (release, kind): (&ReleaseId, NoticeKind),
        also_skipped: bool,
    ) -> Result<bool, DbError> {
        let walks = store::again(tx, release, (kind, self.walk), also_skipped)?;
        if walks {
            outbox::insert(tx, &self.job)?;
        }
        Ok(walks)
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
    announcement.begin(tx, (&release.id, NoticeKind::of(release.severity)), now)
}

/// Goes through everybody once more: a rollout was changed, a release came back, or is known to close
/// a hole. Where people are not told of it at all, nothing.
pub fn look_again_in(
    tx: &mut WriteTx<'_>,
    announcement: &Announcement,
    release: &Release,
) -> Result<(), DbError> {
    let subject = (&release.id, NoticeKind::of(release.severity));
    announcement.again(tx, subject, false)?;
    Ok(())
}
