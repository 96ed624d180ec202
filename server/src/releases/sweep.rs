//! What is left in the storage: uploads nobody goes on with, bytes nothing refers to, files without
//! an owner. Any number of processes may sweep, in any order, while files come.
//!
//! Bytes go in steps: marked when nothing refers to them any more, claimed a day later, then the
//! file, then the row. A file without a row gets a row, marked, so that it goes the same way: what
//! an upload is about to refer to is never taken away from it.
//!
//! What cannot be removed is told and left; everything else goes.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};

use super::model::{UPLOAD_KEPT_SECONDS, UploadId};
use super::store::blobs::{self, Claimed};
use super::store::uploads;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::storage::{ContentFile, StorageError, Stored};

/// How often to sweep.
const EVERY: Duration = Duration::from_hours(1);
/// How long after the start to sweep first: what a killed process left is from before.
const FIRST_AFTER: Duration = Duration::from_mins(2);
/// Seconds for which marked bytes are kept, and after which a file without an owner is one.
const KEPT_SECONDS: i64 = 24 * 60 * 60;
/// Seconds after which whoever claimed bytes to delete them did not live to do it.
const CLAIM_SECONDS: i64 = 15 * 60;
/// Seconds after which a claim is too old to begin the deletion, a third of its life; another third
/// the deletion may take.
const CLAIM_FRESH_SECONDS: i64 = CLAIM_SECONDS / 3;
const CLAIM_FRESH: Duration = Duration::from_mins(5);
/// How long the deletion of one file may take: less than a claim lives.
const DELETE_PATIENCE: Duration = Duration::from_mins(5);
/// So many failures one after the other mean that the storage does not work at all.
const FAILURES_IN_A_ROW: usize = 20;
/// Rows looked at in one go.
const SLICE: i64 = 200;
/// Files whose rows are looked up in one go.
const LOOK_UP: usize = 200;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that were over.
    pub uploads: u64,
    /// Files on their way that belonged to no upload, and are removed.
    pub stray_parts: u64,
    /// Files in their place that had no row. They have a marked one now.
    pub orphans: u64,
    /// Files nothing referred to for a day, removed.
    pub removed: u64,
    /// Their bytes.
    pub removed_bytes: u64,
}

/// Why a sweep did not do all there was to do: the first of what failed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The database failed.
    #[error("the database failed during a sweep of the storage")]
    Db(#[from] DbError),
    /// The storage failed.
    #[error("the storage failed during a sweep")]
    Storage(#[from] StorageError),
}

/// Sweeps each hour, until it is dropped.
pub async fn run(app: Arc<App>) {
    tokio::time::sleep(FIRST_AFTER).await;
    loop {
        if let Err(error) = sweep(&app).await {
            let cause = crate::http::error::chain(&error);
            tracing::warn!(cause, "not all of the storage was swept");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// A sweep under way.
#[derive(Default)]
struct Sweep {
    swept: Swept,
    failed: Option<SweepError>,
    in_a_row: usize,
}

impl Sweep {
    /// After one thing: whether it was done. What failed is told, and the next one comes, unless
    /// nothing works any more.
    fn one(&mut self, outcome: Result<bool, SweepError>) -> Result<bool, SweepError> {
        match outcome {
            Ok(done) => {
                self.in_a_row = 0;
                Ok(done)
            }
            Err(error) if self.in_a_row + 1 < FAILURES_IN_A_ROW => {
                self.in_a_row += 1;
                self.note(error);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// After one of the steps: the next one comes whatever became of it.
    fn step(&mut self, outcome: Result<(), SweepError>) {
        self.in_a_row = 0;
        if let Err(error) = outcome {
            self.note(error);
        }
    }

    fn note(&mut self, error: SweepError) {
        let cause = crate::http::error::chain(&error);
        tracing::warn!(cause, "a sweep of the storage goes on without this");
        self.failed.get_or_insert(error);
    }
}

/// Sweeps once. What fails keeps nothing else from being swept.
pub async fn sweep(app: &App) -> Result<Swept, SweepError> {
    let mut sweep = Sweep::default();
    let ended = end_unused_uploads(app, &mut sweep).await;
    sweep.step(ended);
    let removed = remove_stray_parts(app, &mut sweep).await;
    sweep.step(removed);
    let removed = remove_stale_staging(app, &mut sweep).await;
    sweep.step(removed);
    let adopted = adopt_orphans(app, &mut sweep).await;
    sweep.step(adopted);
    let deleted = delete_unused(app, &mut sweep).await;
    sweep.step(deleted);
    report(app, &sweep.swept);
    sweep.failed.map_or(Ok(sweep.swept), Err)
}

fn report(app: &App, swept: &Swept) {
    app.metrics.swept(swept);
    if swept.stray_parts > 0 || swept.orphans > 0 {
        tracing::warn!(
            parts = swept.stray_parts,
            files = swept.orphans,
            "the storage held what nobody owns"
        );
    }
    if *swept != Swept::default() {
        tracing::info!(?swept, "the storage was swept");
    }
}

fn ago(app: &App, seconds: i64) -> Timestamp {
    app.clock.now().plus_seconds(-seconds)
}

async fn end_unused_uploads(app: &App, sweep: &mut Sweep) -> Result<(), SweepError> {
    let since = ago(app, UPLOAD_KEPT_SECONDS);
    loop {
        let list = move |conn: &mut _| uploads::unused(conn, since, SLICE);
        let slice: Vec<UploadId> = app.db.read_slow(list).await?;
        let is_last = slice.len() < usize::try_from(SLICE).unwrap_or(0);
        for id in slice {
            let over = id.clone();
            let was_ended = app
                .db
                .write(Shard::of(id.as_str()), move |tx| {
                    uploads::delete_if_unused(tx, &over, since)
                })
                .await?;
            if was_ended {
                sweep.swept.uploads += 1;
                // Parts that stay are strays from now on.
                let removed = app.storage.remove_parts_of(id.as_str()).await;
                sweep.one(removed.map(|_parts| true).map_err(SweepError::from))?;
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Parts of dead uploads, and whole files that a killed process did not get to their place.
async fn remove_stray_parts(app: &App, sweep: &mut Sweep) -> Result<(), SweepError> {
    let before = ago(app, KEPT_SECONDS);
    let mut alive: HashMap<String, bool> = HashMap::new();
    let mut files = pin!(app.storage.temporary_files());
    while let Some(file) = files.try_next().await? {
        if file.written_at >= before {
            continue;
        }
        let is_alive = match alive.get(&file.upload) {
            Some(known) => *known,
            None => is_alive(app, &file.upload).await?,
        };
        alive.insert(file.upload.clone(), is_alive);
        if !is_alive {
            let removed = app.storage.remove_temporary(&file).await;
            let removed = sweep.one(removed.map(|()| true).map_err(SweepError::from))?;
            sweep.swept.stray_parts += u64::from(removed);
        }
    }
    Ok(())
}

async fn remove_stale_staging(app: &App, sweep: &mut Sweep) -> Result<(), SweepError> {
    let before = ago(app, KEPT_SECONDS);
    let removed = app.storage.remove_stale_staging(before).await?;
    sweep.swept.stray_parts += removed as u64;
    Ok(())
}

async fn is_alive(app: &App, upload: &str) -> Result<bool, DbError> {
    let Some(id) = UploadId::parse(upload) else {
        return Ok(false);
    };
    let found = app.db.read(move |conn| uploads::find(conn, &id)).await?;
    Ok(found.is_some())
}

async fn adopt_orphans(app: &App, sweep: &mut Sweep) -> Result<(), SweepError> {
    let before = ago(app, KEPT_SECONDS);
    let files = app.storage.content_files();
    let mut slices = pin!(files.try_chunks(LOOK_UP));
    while let Some(slice) = slices.next().await {
        let slice = slice.map_err(|failed| failed.1)?;
        for orphan in without_row(app, slice).await? {
            if orphan.written_at < before && adopt(app, orphan).await? {
                sweep.swept.orphans += 1;
            }
        }
    }
    Ok(())
}

/// Those of some files that no row knows.
pub async fn without_row(
    app: &App,
    mut files: Vec<ContentFile>,
) -> Result<Vec<ContentFile>, DbError> {
    let names: Vec<String> = files.iter().map(|file| file.sha256.clone()).collect();
    let known = app
        .db
        .read_slow(move |conn| blobs::known(conn, &names))
        .await?;
    files.retain(|file| !known.contains(&file.sha256));
    Ok(files)
}

async fn adopt(app: &App, orphan: ContentFile) -> Result<bool, DbError> {
    let now = app.clock.now();
    tracing::warn!(file = orphan.key, "a stored file without an owner");
    let stored = Stored {
        sha256: orphan.sha256,
        sha512: String::new(),
        blake2b: None,
        size: orphan.size,
        key: orphan.key,
    };
    app.db
        .write(Shard::of(stored.sha256.as_str()), move |tx| {
            blobs::adopt(tx, &stored, now)
        })
        .await
}

async fn delete_unused(app: &App, sweep: &mut Sweep) -> Result<(), SweepError> {
    while let Some(claim) = claim_next(app).await? {
        let removed = remove_claimed(app, &claim).await;
        if sweep.one(removed)? {
            sweep.swept.removed += 1;
            sweep.swept.removed_bytes += u64::try_from(claim.blob.size).unwrap_or(0);
        }
    }
    Ok(())
}

/// A claim of this process on bytes that it is about to delete.
#[derive(Debug)]
pub struct OwnClaim {
    blob: Claimed,
    /// What the row bears.
    at: Timestamp,
    /// The same moment by a clock that nobody sets.
    since: Instant,
}

/// Claims the bytes that have been unused for longest, if there are any for long enough.
pub async fn claim_next(app: &App) -> Result<Option<OwnClaim>, DbError> {
    // Each claim bears its own moment: a sweep may take longer than a claim holds.
    let (at, since) = (app.clock.now(), Instant::now());
    let due = (
        at.plus_seconds(-KEPT_SECONDS),
        at.plus_seconds(-CLAIM_SECONDS),
    );
    let claimed = app
        .db
        .write(Shard::Wide, move |tx| blobs::claim(tx, due, 1, at))
        .await?;
    let blob = claimed.into_iter().next();
    Ok(blob.map(|blob| OwnClaim { blob, at, since }))
}

/// Removes claimed bytes, the file and then the row; whether it did. Not where the claim is too old
/// or another's: then the bytes may be referred to again.
pub async fn remove_claimed(app: &App, claim: &OwnClaim) -> Result<bool, SweepError> {
    let (sha256, at) = (claim.blob.sha256.clone(), claim.at);
    if !holds(app, claim).await? {
        tracing::warn!(sha256, "unused bytes stay: their deletion came too late");
        return Ok(false);
    }
    if let Err(error) = delete_file(app, &sha256).await {
        give_back(app, claim, &error).await?;
        tracing::warn!(sha256, "unused bytes cannot be deleted");
        return Err(error.into());
    }
    let gone = sha256.clone();
    let was_ours = app
        .db
        .write(Shard::of(sha256.as_str()), move |tx| {
            blobs::forget(tx, &gone, at)
        })
        .await?;
    if !was_ours {
        tracing::error!(sha256, "a file was deleted whose row is no longer claimed");
    }
    Ok(true)
}

/// Whether nobody can have taken the claim for an abandoned one before the deletion is over.
async fn holds(app: &App, claim: &OwnClaim) -> Result<bool, DbError> {
    let (sha256, at) = (claim.blob.sha256.clone(), claim.at);
    let is_ours = app
        .db
        .read(move |conn| blobs::bears_claim(conn, &sha256, at))
        .await?;
    // Last, as the process may have been stopped until now. The wall clock may have been set back
    // meanwhile, the other one may stand still where the machine does: both are asked.
    let is_fresh = app.clock.now() < at.plus_seconds(CLAIM_FRESH_SECONDS);
    Ok(is_ours && is_fresh && claim.since.elapsed() < CLAIM_FRESH)
}

/// What cannot be deleted may be referred to again, and others come before it: its day begins anew.
/// Storage that did not answer may delete it yet; there the claim stays until it is abandoned.
async fn give_back(app: &App, claim: &OwnClaim, error: &StorageError) -> Result<(), DbError> {
    if matches!(error, StorageError::Unavailable(_)) {
        return Ok(());
    }
    let (sha256, at, now) = (claim.blob.sha256.clone(), claim.at, app.clock.now());
    app.db
        .write(Shard::of(claim.blob.sha256.as_str()), move |tx| {
            blobs::give_back(tx, &sha256, at, now)
        })
        .await
}

/// One that takes too long is left to the next sweep, which claims it anew.
async fn delete_file(app: &App, sha256: &str) -> Result<(), StorageError> {
    let deleting = app.storage.remove_content(sha256);
    match tokio::time::timeout(DELETE_PATIENCE, deleting).await {
        Ok(deleted) => deleted,
        Err(late) => Err(StorageError::Unavailable(late.into())),
    }
}
