//! Putting the parts together: read once, hashed, put into the place of the whole, then a file of
//! the release, all at once.

use std::sync::Arc;

use super::abandon::{abandon_upload, clear};
use super::begin::find_in;
use super::part::name;
use crate::app::App;
use crate::audit::Actor;
use crate::db::{DbError, Shard};
use crate::releases::model::UploadId;
use crate::releases::store;
use crate::releases::store::uploads::{self, PartRow, UploadRow};
use crate::releases::upload_artifact::{
    self, NewArtifact, UploadArtifactError, Uploaded, check_words,
};
use crate::storage::{StorageError, Stored};

/// Why it did not become a file of the release.
#[derive(Debug, thiserror::Error)]
pub enum CompleteUploadError {
    /// The file is not accepted, or could not be stored.
    #[error(transparent)]
    Artifact(#[from] UploadArtifactError),
    /// There is no such upload, or no longer.
    #[error("no such upload")]
    NotFound,
    /// Parts have not come yet.
    #[error("parts are missing")]
    Missing(Vec<u64>),
    /// The storage gave other bytes than were put into it. These parts are to be sent again.
    #[error("the storage damaged parts")]
    Damaged(Vec<u64>),
    /// The whole is not what was announced. The upload is over.
    #[error("the file has another SHA-256")]
    Mismatch {
        /// What it has.
        sha256: String,
    },
    /// The server is about to end.
    #[error("the task that put it together ended")]
    Ended(#[from] tokio::task::JoinError),
}

impl From<DbError> for CompleteUploadError {
    fn from(error: DbError) -> Self {
        Self::Artifact(error.into())
    }
}

impl From<StorageError> for CompleteUploadError {
    fn from(error: StorageError) -> Self {
        Self::Artifact(error.into())
    }
}

/// Makes an upload a file of its release. It goes on when the caller hangs up meanwhile: large files
/// take longer than some are willing to wait, and who asks again then finds the file.
pub async fn complete_upload(
    app: Arc<App>,
    id: UploadId,
    actor: Actor,
) -> Result<Uploaded, CompleteUploadError> {
    tokio::spawn(async move { complete(&app, id, actor).await }).await?
}

async fn complete(app: &App, id: UploadId, actor: Actor) -> Result<Uploaded, CompleteUploadError> {
    let before = read(app, &id).await?.ok_or(CompleteUploadError::NotFound)?;
    // Whoever asked at the same time goes first, and may have left nothing to do.
    let _turn = app.upload_room.turn().await;
    let Some((upload, parts)) = read(app, &id).await? else {
        return made_meanwhile(app, &before.0).await;
    };
    let held: Vec<i32> = parts.iter().map(|part| part.number).collect();
    let missing = upload.cut().missing(&held);
    if !missing.is_empty() {
        return Err(CompleteUploadError::Missing(missing));
    }
    touch(app, &id).await?;
    let stored = match join(app, &upload, &parts).await {
        Ok(stored) => stored,
        // Another process may have been faster, and its parts are gone.
        Err(_) if read(app, &id).await?.is_none() => return made_meanwhile(app, &upload).await,
        Err(error) => return Err(explain(app, &upload, &parts, error).await),
    };
    let input = artifact_of(upload.clone(), actor);
    let added = match upload_artifact::add(app, input, stored, Some(id.clone())).await {
        // Given up, or completed and taken out again, while this one read the parts.
        Err(UploadArtifactError::UploadOver) => return made_meanwhile(app, &upload).await,
        added => added?,
    };
    clear(app, &id).await;
    Ok(added)
}

async fn read(app: &App, id: &UploadId) -> Result<Option<(UploadRow, Vec<PartRow>)>, DbError> {
    let id = id.clone();
    app.db.read_snapshot(move |conn| find_in(conn, &id)).await
}

async fn touch(app: &App, id: &UploadId) -> Result<bool, DbError> {
    let (id, now) = (id.clone(), app.clock.now());
    app.db
        .write(Shard::of(id.as_str()), move |tx| {
            uploads::touch(tx, &id, now)
        })
        .await
}

fn artifact_of(upload: UploadRow, actor: Actor) -> NewArtifact {
    NewArtifact {
        release: upload.release_id,
        name: upload.name,
        kind: upload.kind,
        platform: upload.platform,
        arch: upload.arch,
        actor,
    }
}

/// What another call made of an upload that is gone.
async fn made_meanwhile(app: &App, upload: &UploadRow) -> Result<Uploaded, CompleteUploadError> {
    let (release, name) = (upload.release_id.clone(), upload.name.clone());
    let found = app
        .db
        .read(move |conn| store::find_artifact_named(conn, &release, &name))
        .await?;
    let same = found.filter(|artifact| artifact.sha256 == upload.sha256);
    let artifact = same.ok_or(CompleteUploadError::NotFound)?;
    check_words(&artifact, upload.words())?;
    Ok(Uploaded {
        artifact,
        is_new: false,
    })
}

/// One part in memory at a time, each as it was sent: a whole of such parts that is another is the
/// caller's fault.
async fn join(app: &App, upload: &UploadRow, parts: &[PartRow]) -> Result<Stored, StorageError> {
    let limit = u64::try_from(upload.size).unwrap_or(0);
    let mut whole = app
        .storage
        .begin_upload(app.entropy.as_ref(), limit)
        .await?;
    for part in parts {
        let written = match app.storage.read_part(name(part)).await {
            Ok(bytes) => whole.write(&bytes).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            whole.abort().await?;
            return Err(error);
        }
    }
    whole.finish(Some(&upload.sha256)).await
}

/// Whose fault it is that the whole is not what it should be.
async fn explain(
    app: &App,
    upload: &UploadRow,
    parts: &[PartRow],
    error: StorageError,
) -> CompleteUploadError {
    match error {
        // No part was wrong when it went into the whole.
        StorageError::Mismatch { sha256 } => match abandon_upload(app, upload.id.clone()).await {
            Ok(_) => CompleteUploadError::Mismatch { sha256 },
            Err(error) => error.into(),
        },
        StorageError::Missing | StorageError::OtherBytes => match damaged(app, parts).await {
            // The storage was wrong once; nothing is lost, and who asks again may get the file.
            Ok(damaged) if damaged.is_empty() => error.into(),
            Ok(damaged) => drop_parts(app, &upload.id, damaged).await,
            Err(error) => error.into(),
        },
        error => error.into(),
    }
}

/// Parts that are not as they were sent.
async fn damaged(app: &App, parts: &[PartRow]) -> Result<Vec<i32>, StorageError> {
    let mut damaged = Vec::new();
    for part in parts {
        match app.storage.read_part(name(part)).await {
            Ok(_bytes) => {}
            Err(StorageError::Missing | StorageError::OtherBytes) => damaged.push(part.number),
            Err(error) => return Err(error),
        }
    }
    Ok(damaged)
}

async fn drop_parts(app: &App, id: &UploadId, numbers: Vec<i32>) -> CompleteUploadError {
    tracing::error!(
        upload = id.as_str(),
        parts = ?numbers,
        "the storage gave other bytes than were put into it"
    );
    let shown = numbers.iter().filter_map(|n| u64::try_from(*n).ok());
    let shown = shown.collect();
    let id = id.clone();
    let dropped = app
        .db
        .write(Shard::of(id.as_str()), move |tx| -> Result<(), DbError> {
            for number in &numbers {
                uploads::delete_part(tx, &id, *number)?;
            }
            Ok(())
        })
        .await;
    match dropped {
        Ok(()) => CompleteUploadError::Damaged(shown),
        Err(error) => error.into(),
    }
}
