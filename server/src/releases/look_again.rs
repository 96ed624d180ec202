//! Files that came before files were looked into: looked into when it has to be known what they are,
//! once. Nobody refuses them any more; what would be refused today is known to carry no stamp.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::examine::{Look, layout_of, look_into};
use super::model::{ArtifactId, ReleaseId};
use super::store::{self, Artifact, Layout};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::storage::StorageError;

/// Seconds until a file that took too long is looked into again.
const REST: i64 = 3_600;

/// Files that were looked into in vain, each until it may be tried again. One is looked into at a time and
/// most take their patience, so that there are never many.
#[derive(Debug, Default)]
pub struct SlowFiles(Mutex<HashMap<ArtifactId, Timestamp>>);

impl SlowFiles {
    /// Whether it is not to be tried yet.
    pub fn rests(&self, id: &ArtifactId, now: Timestamp) -> bool {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(id).is_some_and(|until| now < *until)
    }

    /// Leaves it alone for an hour.
    pub fn put(&self, id: ArtifactId, now: Timestamp) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_id, until| now < *until);
        files.insert(id, now.plus_seconds(REST));
    }
}

/// Why it was not looked into.
#[derive(Debug, thiserror::Error)]
pub enum LookAgainError {
    /// The database failed.
    #[error("the database failed while a file was looked into")]
    Db(#[from] DbError),
    /// The bytes could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// It took too long, now or within the last hour.
    #[error("looking into a file took too long")]
    TooSlow,
    /// The server is about to end.
    #[error("the task that looked into a file ended")]
    Ended(#[from] tokio::task::JoinError),
}

/// The file with what it was found to be. It goes on when the caller hangs up meanwhile: who asks again
/// then waits for less.
pub async fn examined(app: &Arc<App>, artifact: &Artifact) -> Result<Artifact, LookAgainError> {
    if artifact.examined {
        return Ok(artifact.clone());
    }
    if app.slow_files.rests(&artifact.id, app.clock.now()) {
        return Err(LookAgainError::TooSlow);
    }
    let (app, artifact) = (Arc::clone(app), artifact.clone());
    tokio::spawn(async move { examine(&app, artifact).await }).await?
}

/// Looks into all files of a release that nobody looked into.
pub async fn examine_release(app: &App, id: &ReleaseId) -> Result<(), LookAgainError> {
    let id = id.clone();
    let read = move |conn: &mut _| store::artifacts_of(conn, std::slice::from_ref(&id));
    let files = app.db.read_slow(read).await?;
    for file in files.into_iter().filter(|file| !file.examined) {
        examine(app, file).await?;
    }
    Ok(())
}

async fn examine(app: &App, artifact: Artifact) -> Result<Artifact, LookAgainError> {
    // Whoever asked at the same time goes first, and may have left nothing to do.
    let turn = app.upload_room.second_look().await;
    let _turn = turn.ok_or(LookAgainError::TooSlow)?;
    let id = artifact.id.clone();
    let read = move |conn: &mut _| store::find_artifact(conn, &id);
    let mut artifact = app.db.read(read).await?.unwrap_or(artifact);
    if artifact.examined {
        return Ok(artifact);
    }
    let layout = match look(app, &artifact).await? {
        Look::Listed(listing) => layout_of(listing.as_ref()),
        Look::Refused(fault) if fault.is_about_time() => {
            app.slow_files.put(artifact.id, app.clock.now());
            return Err(LookAgainError::TooSlow);
        }
        Look::Refused(fault) => {
            tracing::warn!(artifact = artifact.id.as_str(), %fault, "an archive of before is refused today");
            Layout {
                unstampable: Some(fault.reason.code().to_owned()),
                ..Layout::default()
            }
        }
    };
    let (id, found) = (artifact.id.clone(), layout.clone());
    app.db
        .write(Shard::of(artifact.release_id.as_str()), move |tx| {
            store::set_layout(tx, &id, &found)
        })
        .await?;
    artifact.set_layout(layout);
    Ok(artifact)
}

/// Looks into a file. What is refused, or no archive, is so for good, so that the bytes must be those that
/// came: a damaged file may be mended. And another look has to agree, as the storage may have been wrong once.
async fn look(app: &App, artifact: &Artifact) -> Result<Look, StorageError> {
    let size = u64::try_from(artifact.size).unwrap_or(0);
    let first = look_into(app, &artifact.name, &artifact.sha256, size).await?;
    let is_settled = match &first {
        Look::Listed(listing) => listing.is_some(),
        Look::Refused(fault) => fault.is_about_time(),
    };
    if is_settled {
        return Ok(first);
    }
    app.storage.prehash_of(&artifact.sha256, size).await?;
    look_into(app, &artifact.name, &artifact.sha256, size).await
}
