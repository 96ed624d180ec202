//! Saying which file is coming. Whoever says so again goes on where they were.

use crate::app::App;
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::releases::model::{
    Cut, OPEN_UPLOADS_MAX, ReleaseStatus, UPLOAD_KEPT_SECONDS, UploadId, is_sha256,
};
use crate::releases::sign::kept_prehash;
use crate::releases::store::blobs;
use crate::releases::store::uploads::{self, PartRow, UploadRow};
use crate::releases::store::{self, Artifact};
use crate::releases::upload_artifact::{
    self, NewArtifact, UploadArtifactError, check_artifact, check_room, check_words,
};
use crate::storage::{StorageError, Stored, content_key};

/// Which file is coming.
#[derive(Debug, Clone)]
pub struct BeginUpload {
    /// The file.
    pub artifact: NewArtifact,
    /// In bytes.
    pub size: u64,
    /// What the whole hashes to.
    pub sha256: String,
}

/// What there is of it.
#[derive(Debug, Clone)]
pub enum Begun {
    /// Nothing need be sent: it is a file of the release.
    Present {
        /// The file.
        artifact: Artifact,
        /// Whether it is since now.
        is_new: bool,
    },
    /// Parts may be sent.
    Open {
        /// The upload.
        upload: UploadRow,
        /// Parts that are there, in order.
        parts: Vec<PartRow>,
        /// Whether it is since now.
        is_new: bool,
    },
}

/// Why it was not begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginUploadError {
    /// The file is not accepted.
    #[error(transparent)]
    Artifact(#[from] UploadArtifactError),
    /// That is no hash.
    #[error("the SHA-256 is none")]
    NotSha256,
    /// The same bytes are coming under this name, and are said to be something else.
    #[error("the upload is under way with other particulars")]
    Differs(UploadId),
    /// The release has too many uploads under way.
    #[error("too many uploads are under way")]
    TooManyOpen,
    /// The key of the request was used for another one.
    #[error("the idempotency key was used before")]
    KeyMismatch,
}

impl From<DbError> for BeginUploadError {
    fn from(error: DbError) -> Self {
        Self::Artifact(error.into())
    }
}

/// Begins an upload, or finds the one that was begun.
pub async fn begin_upload(
    app: &App,
    input: BeginUpload,
    claim: Claim,
) -> Result<Begun, BeginUploadError> {
    check_artifact(&input.artifact)?;
    if !is_sha256(&input.sha256) {
        return Err(BeginUploadError::NotSha256);
    }
    let size = check_size(app, input.size)?;
    if let Some(stored) = held_by_kit(app, &input, size).await? {
        let done = upload_artifact::add(app, input.artifact, stored, None).await?;
        return Ok(Begun::Present {
            artifact: done.artifact,
            is_new: done.is_new,
        });
    }
    let now = app.clock.now();
    let cut = Cut::of(input.size);
    let NewArtifact {
        release,
        name,
        kind,
        platform,
        arch,
        actor: _,
    } = input.artifact;
    let upload = UploadRow {
        id: UploadId::new(now, app.entropy.as_ref()),
        release_id: release,
        name,
        kind,
        platform,
        arch,
        size,
        sha256: input.sha256,
        part_size: i64::try_from(cut.part_size()).unwrap_or(i64::MAX),
        created_at: now,
        used_at: now,
    };
    let shard = Shard::of(upload.release_id.as_str());
    app.db
        .write(shard, move |tx| {
            match claim.once(tx, &upload.id, |tx| begin_upload_in(tx, &upload))? {
                Once::New(begun) => Ok(begun),
                // The same file is the same upload whatever became of the first answer.
                Once::Before(_) => begin_upload_in(tx, &upload),
                Once::Mismatch => Err(BeginUploadError::KeyMismatch),
            }
        })
        .await
}

fn check_size(app: &App, size: u64) -> Result<i64, UploadArtifactError> {
    let limit = app.config.limits.artifact_bytes;
    let too_large = || UploadArtifactError::Storage(StorageError::TooLarge { limit });
    if size > limit {
        return Err(too_large());
    }
    i64::try_from(size).map_err(|_beyond| too_large())
}

/// Bytes that a release of the same kit has need not be sent: who may publish the kit has them, or
/// may have them. Those of other kits are no business of theirs, and a hash would be enough to get
/// at them.
async fn held_by_kit(
    app: &App,
    input: &BeginUpload,
    size: i64,
) -> Result<Option<Stored>, UploadArtifactError> {
    let (id, sha256) = (input.artifact.release.clone(), input.sha256.clone());
    let found = app
        .db
        .read_snapshot(move |conn| -> Result<_, UploadArtifactError> {
            let release = store::find(conn, &id)?.ok_or(UploadArtifactError::NotFound)?;
            Ok(blobs::in_kit(conn, &release.kit_id, &sha256)?)
        })
        .await?;
    let same = found.filter(|artifact| artifact.size == size);
    let Some(stored) = same.and_then(stored_as) else {
        return Ok(None);
    };
    // What the storage lost has to come again.
    let there = app.storage.size_of(&stored.sha256).await?;
    Ok((there == Some(stored.size)).then_some(stored))
}

fn stored_as(artifact: Artifact) -> Option<Stored> {
    let key = content_key(&artifact.sha256)?.to_string();
    Some(Stored {
        key,
        size: u64::try_from(artifact.size).ok()?,
        blake2b: kept_prehash(&artifact),
        sha256: artifact.sha256,
        sha512: artifact.sha512,
    })
}

/// The same inside another unit of work.
pub fn begin_upload_in(
    tx: &mut WriteTx<'_>,
    upload: &UploadRow,
) -> Result<Begun, BeginUploadError> {
    let release = store::lock(tx, &upload.release_id)?.ok_or(UploadArtifactError::NotFound)?;
    let named = store::find_artifact_named(tx.conn(), &upload.release_id, &upload.name)?;
    match named {
        // Equal bytes were found as those of the kit, unless the storage lost them: then they may come
        // again, whatever the release is, and change nothing of it.
        Some(named) if named.sha256 == upload.sha256 && named.size == upload.size => {
            check_words(&named, upload.words())?;
        }
        Some(named) => {
            let sha256 = named.sha256;
            return Err(UploadArtifactError::NameTaken { sha256 }.into());
        }
        None if release.status != ReleaseStatus::Draft => {
            return Err(UploadArtifactError::NotDraft.into());
        }
        None => check_room(tx, &release, &upload.name)?,
    }
    let same = uploads::find_same(tx.conn(), &upload.release_id, &upload.name, &upload.sha256)?;
    if let Some(present) = same {
        return go_on(tx, present, upload);
    }
    if uploads::count_of(tx.conn(), &upload.release_id)? >= OPEN_UPLOADS_MAX {
        return Err(BeginUploadError::TooManyOpen);
    }
    uploads::insert(tx, upload)?;
    Ok(Begun::Open {
        upload: upload.clone(),
        parts: Vec::new(),
        is_new: true,
    })
}

fn go_on(
    tx: &mut WriteTx<'_>,
    mut present: UploadRow,
    asked: &UploadRow,
) -> Result<Begun, BeginUploadError> {
    if (present.size, present.words()) != (asked.size, asked.words()) {
        return Err(BeginUploadError::Differs(present.id));
    }
    uploads::touch(tx, &present.id, asked.used_at)?;
    present.used_at = asked.used_at;
    let parts = uploads::parts_of(tx.conn(), &present.id)?;
    Ok(Begun::Open {
        upload: present,
        parts,
        is_new: false,
    })
}

/// When an upload is over unless somebody goes on with it.
pub fn ends_at(upload: &UploadRow) -> crate::clock::Timestamp {
    upload.used_at.plus_seconds(UPLOAD_KEPT_SECONDS)
}

/// An upload and its parts, if it is under way.
pub fn find_in(
    conn: &mut AnyConn,
    id: &UploadId,
) -> Result<Option<(UploadRow, Vec<PartRow>)>, DbError> {
    let Some(upload) = uploads::find(conn, id)? else {
        return Ok(None);
    };
    let parts = uploads::parts_of(conn, id)?;
    Ok(Some((upload, parts)))
}
