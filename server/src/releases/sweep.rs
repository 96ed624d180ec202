//! What is left in the storage: uploads nobody goes on with, bytes nothing refers to, files without
//! an owner. Any number of processes may sweep, in any order, while files come.
//!
//! Bytes go in steps: marked when nothing refers to them any more, claimed a day later, then the
//! file, then the row. A file without a row gets a row, marked, so that it goes the same way: what
//! an upload is about to refer to is never taken away from it.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};

use super::model::{UPLOAD_KEPT_SECONDS, UploadId};
use super::store::{blobs, uploads};
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
/// How long the deletion of one file may take: less than a claim lives.
const DELETE_PATIENCE: Duration = Duration::from_mins(5);
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

/// Why a sweep ended early.
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
            tracing::warn!(cause, "the storage was not swept");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Sweeps once.
pub async fn sweep(app: &App) -> Result<Swept, SweepError> {
    let mut swept = Swept {
        uploads: end_unused_uploads(app).await?,
        stray_parts: remove_stray_parts(app).await?,
        orphans: adopt_orphans(app).await?,
        ..Swept::default()
    };
    (swept.removed, swept.removed_bytes) = delete_unused(app).await?;
    report(app, &swept);
    Ok(swept)
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

async fn end_unused_uploads(app: &App) -> Result<u64, SweepError> {
    let since = ago(app, UPLOAD_KEPT_SECONDS);
    let mut ended = 0;
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
                app.storage.remove_parts_of(id.as_str()).await?;
                ended += 1;
            }
        }
        if is_last {
            return Ok(ended);
        }
    }
}

/// Parts of dead uploads, and whole files that a killed process did not get to their place.
async fn remove_stray_parts(app: &App) -> Result<u64, SweepError> {
    let before = ago(app, KEPT_SECONDS);
    let mut alive: HashMap<String, bool> = HashMap::new();
    let mut removed = 0;
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
            app.storage.remove_temporary(&file).await?;
            removed += 1;
        }
    }
    let staging = app.storage.remove_stale_staging(before).await?;
    Ok(removed + staging as u64)
}

async fn is_alive(app: &App, upload: &str) -> Result<bool, DbError> {
    let Some(id) = UploadId::parse(upload) else {
        return Ok(false);
    };
    let found = app.db.read(move |conn| uploads::find(conn, &id)).await?;
    Ok(found.is_some())
}

async fn adopt_orphans(app: &App) -> Result<u64, SweepError> {
    let before = ago(app, KEPT_SECONDS);
    let mut adopted = 0;
    let files = app.storage.content_files();
    let mut slices = pin!(files.try_chunks(LOOK_UP));
    while let Some(slice) = slices.next().await {
        let slice = slice.map_err(|failed| failed.1)?;
        for orphan in without_row(app, slice).await? {
            if orphan.written_at < before && adopt(app, orphan).await? {
                adopted += 1;
            }
        }
    }
    Ok(adopted)
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

async fn delete_unused(app: &App) -> Result<(u64, u64), SweepError> {
    let (mut files, mut bytes) = (0, 0);
    loop {
        // Each claim bears its own moment: a sweep may take longer than a claim holds.
        let now = app.clock.now();
        let due = (
            now.plus_seconds(-KEPT_SECONDS),
            now.plus_seconds(-CLAIM_SECONDS),
        );
        let claimed = app
            .db
            .write(Shard::Wide, move |tx| blobs::claim(tx, due, 1, now))
            .await?;
        let Some(blob) = claimed.into_iter().next() else {
            return Ok((files, bytes));
        };
        delete_file(app, &blob.sha256).await?;
        let sha256 = blob.sha256;
        app.db
            .write(Shard::of(sha256.as_str()), move |tx| {
                blobs::forget(tx, &sha256, now)
            })
            .await?;
        files += 1;
        bytes += u64::try_from(blob.size).unwrap_or(0);
    }
}

/// One that takes too long is left to the next sweep, which claims it anew.
async fn delete_file(app: &App, sha256: &str) -> Result<(), StorageError> {
    let deleting = app.storage.remove_content(sha256);
    match tokio::time::timeout(DELETE_PATIENCE, deleting).await {
        Ok(deleted) => deleted,
        Err(late) => Err(std::io::Error::from(late).into()),
    }
}
