//! Adding a file to a draft. The bytes are stored first; then one unit of work makes them count.

use data_encoding::HEXLOWER;
use kitward_keys::SignError;

use super::archive::Fault;
use super::examine::examine;
use super::model::{
    ArtifactId, FileWords, NameFault, ReleaseId, ReleaseStatus, SignedBy, UploadId, are_twins,
    check_name, is_machine_word,
};
use super::store::blobs::{self, Kept};
use super::store::uploads;
use super::store::{self, Artifact, Release};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{DbError, Shard, WriteTx};
use crate::kits::model::is_slug;
use crate::storage::{StorageError, Stored, Upload};

/// Most files of one release: all of them stand in one signed manifest.
pub const ARTIFACTS_MAX: usize = 32;

/// Which file is coming.
#[derive(Debug, Clone)]
pub struct NewArtifact {
    /// The release.
    pub release: ReleaseId,
    /// Name of the file.
    pub name: String,
    /// What it is, such as `source`.
    pub kind: String,
    /// For which system it is; `None` for all.
    pub platform: Option<String>,
    /// For which processor it is; `None` for all.
    pub arch: Option<String>,
    /// Who uploads it.
    pub actor: Actor,
}

/// A file of a release after the upload.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// The file.
    pub artifact: Artifact,
    /// Whether it is new; the same bytes under the same name, said to be the same, change nothing.
    pub is_new: bool,
}

/// Why it was not added.
#[derive(Debug, thiserror::Error)]
pub enum UploadArtifactError {
    /// The database failed.
    #[error("the database failed while a file was added")]
    Db(#[from] DbError),
    /// The bytes could not be stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The archive holds what no archive may.
    #[error("the archive is refused: {0}")]
    Archive(Fault),
    /// The file could not be signed.
    #[error("the file could not be signed")]
    Sign(#[from] SignError),
    /// The name is not accepted.
    #[error("the name {0}")]
    Name(#[from] NameFault),
    /// The kind is not accepted.
    #[error("the kind is not accepted")]
    Kind,
    /// The platform or the architecture is not accepted.
    #[error("the {0} is not accepted")]
    Machine(&'static str),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
    /// The release is out: its files stay what they are.
    #[error("the release is published")]
    NotDraft,
    /// The release has a file with this name and other bytes.
    #[error("the name is taken by other bytes")]
    NameTaken {
        /// What it has.
        sha256: String,
    },
    /// The release has these bytes under this name as something else.
    #[error("the file has another {member}")]
    Differs {
        /// Which member: the kind, the platform or the arch.
        member: &'static str,
        /// What it has; `None` = for all.
        has: Option<String>,
    },
    /// The release has a file whose name is the same on some systems.
    #[error("the name is too much like another")]
    Twin {
        /// That file's name.
        name: String,
    },
    /// The release has as many files as it may have.
    #[error("the release has too many files")]
    TooMany,
    /// A sweep deletes these very bytes just now.
    #[error("the same bytes are being deleted")]
    BeingDeleted,
    /// The upload it came by was completed, given up or over meanwhile.
    #[error("the upload is over")]
    UploadOver,
}

/// Checks what the name of a file and the word for its kind may be.
pub fn check_artifact(input: &NewArtifact) -> Result<(), UploadArtifactError> {
    check_name(&input.name)?;
    if !is_slug(&input.kind) {
        return Err(UploadArtifactError::Kind);
    }
    for (field, word) in [("platform", &input.platform), ("arch", &input.arch)] {
        if !word.iter().all(|word| is_machine_word(word)) {
            return Err(UploadArtifactError::Machine(field));
        }
    }
    Ok(())
}

/// Checks what can be checked before the first byte, and starts the upload.
pub async fn begin(app: &App, input: &NewArtifact) -> Result<Upload, UploadArtifactError> {
    check_artifact(input)?;
    let (id, name) = (input.release.clone(), input.name.clone());
    app.db
        .read_snapshot(move |conn| -> Result<(), UploadArtifactError> {
            let release = store::find(conn, &id)?.ok_or(UploadArtifactError::NotFound)?;
            let present = store::find_artifact_named(conn, &id, &name)?;
            if present.is_none() && release.status != ReleaseStatus::Draft {
                return Err(UploadArtifactError::NotDraft);
            }
            Ok(())
        })
        .await?;
    let limit = app.config.limits.artifact_bytes;
    Ok(app
        .storage
        .begin_upload(app.entropy.as_ref(), limit)
        .await?)
}

/// Ends the upload and adds the file.
pub async fn finish(
    app: &App,
    input: NewArtifact,
    upload: Upload,
    expected_sha256: Option<&str>,
) -> Result<Uploaded, UploadArtifactError> {
    let stored = upload.finish(expected_sha256).await?;
    add(app, input, stored, None).await
}

/// Makes bytes that are in their place a file of a draft, and ends the upload that they came by, if
/// there was one. Every file passes here, whichever way its bytes came: complete, hashed, and not yet
/// seen by anybody.
pub async fn add(
    app: &App,
    input: NewArtifact,
    stored: Stored,
    upload: Option<UploadId>,
) -> Result<Uploaded, UploadArtifactError> {
    keep(app, &stored).await?;
    let examined = examine(app, &input.release, &input.name, &stored).await?;
    let now = app.clock.now();
    let artifact = Artifact {
        id: ArtifactId::new(now, app.entropy.as_ref()),
        release_id: input.release,
        name: input.name,
        kind: input.kind,
        platform: input.platform,
        arch: input.arch,
        size: size_of(&stored)?,
        sha256: stored.sha256,
        sha512: stored.sha512,
        created_at: now,
        blake2b: Some(HEXLOWER.encode(&examined.prehash)),
        signed_by: Some(SignedBy::Server),
        signature: Some(examined.signature),
        archive: examined.layout.archive,
        archive_entries: examined.layout.entries,
        archive_bytes: examined.layout.bytes,
        zip_end: examined.layout.zip_end,
        unstampable: examined.layout.unstampable,
        examined: true,
    };
    let actor = input.actor;
    app.db
        .write(Shard::of(artifact.release_id.as_str()), move |tx| {
            add_artifact_in(tx, &artifact, upload.as_ref(), actor.clone())
        })
        .await
}

/// From here on no sweep takes the bytes for ones that nobody wants; and none has already, between
/// the moment when they were found in their place and this one.
async fn keep(app: &App, stored: &Stored) -> Result<(), UploadArtifactError> {
    let (kept, now) = (stored.clone(), app.clock.now());
    let outcome = app
        .db
        .write(Shard::of(stored.sha256.as_str()), move |tx| {
            blobs::keep(tx, &kept, now)
        })
        .await?;
    let found = app.storage.size_of(&stored.sha256).await?;
    match (outcome, found) {
        (Kept::Yes, Some(size)) if size == stored.size => Ok(()),
        // Cut or grown on the disk: nobody shall be told that it was taken in.
        (Kept::Yes, Some(_other)) => Err(StorageError::Missing.into()),
        (Kept::BeingDeleted, _) | (_, None) => Err(UploadArtifactError::BeingDeleted),
    }
}

fn size_of(stored: &Stored) -> Result<i64, StorageError> {
    let limit = i64::MAX.unsigned_abs();
    i64::try_from(stored.size).map_err(|_beyond| StorageError::TooLarge { limit })
}

/// The same inside another unit of work, for bytes that are kept already. An upload makes one file,
/// and none once it was given up: whoever ends its row has it.
pub fn add_artifact_in(
    tx: &mut WriteTx<'_>,
    artifact: &Artifact,
    upload: Option<&UploadId>,
    actor: Actor,
) -> Result<Uploaded, UploadArtifactError> {
    let release = store::lock(tx, &artifact.release_id)?.ok_or(UploadArtifactError::NotFound)?;
    let is_under_way = match upload {
        Some(upload) => uploads::delete(tx, upload)?,
        None => true,
    };
    if let Some(present) = present(tx, artifact)? {
        return Ok(present);
    }
    if !is_under_way {
        return Err(UploadArtifactError::UploadOver);
    }
    check_room(tx, &release, &artifact.name)?;
    if blobs::refer(tx, &artifact.sha256)? == Kept::BeingDeleted {
        return Err(UploadArtifactError::BeingDeleted);
    }
    store::insert_artifact(tx, artifact)?;
    tx.audit(Entry::new(
        artifact.created_at,
        actor,
        "artifact.uploaded",
        &artifact.id,
        &[
            "release", "name", "kind", "platform", "arch", "size", "sha256",
        ],
    ));
    Ok(Uploaded {
        artifact: artifact.clone(),
        is_new: true,
    })
}

fn present(
    tx: &mut WriteTx<'_>,
    artifact: &Artifact,
) -> Result<Option<Uploaded>, UploadArtifactError> {
    let found = store::find_artifact_named(tx.conn(), &artifact.release_id, &artifact.name)?;
    match found {
        Some(present) if present.sha256 == artifact.sha256 => {
            check_words(&present, artifact.words())?;
            Ok(Some(Uploaded {
                artifact: present,
                is_new: false,
            }))
        }
        Some(other) => Err(UploadArtifactError::NameTaken {
            sha256: other.sha256,
        }),
        None => Ok(None),
    }
}

/// Refuses other words for a file than it has: it would go out as what nobody says any more.
pub fn check_words(present: &Artifact, said: FileWords<'_>) -> Result<(), UploadArtifactError> {
    match present.words().difference(said) {
        Some((member, has)) => Err(UploadArtifactError::Differs {
            member,
            has: has.map(str::to_owned),
        }),
        None => Ok(()),
    }
}

/// Whether a draft may have one more file, with this name.
pub fn check_room(
    tx: &mut WriteTx<'_>,
    release: &Release,
    name: &str,
) -> Result<(), UploadArtifactError> {
    if release.status != ReleaseStatus::Draft {
        return Err(UploadArtifactError::NotDraft);
    }
    let files = store::artifacts_of(tx.conn(), std::slice::from_ref(&release.id))?;
    if files.len() >= ARTIFACTS_MAX {
        return Err(UploadArtifactError::TooMany);
    }
    let twin = files.into_iter().find(|file| are_twins(&file.name, name));
    if let Some(twin) = twin {
        return Err(UploadArtifactError::Twin { name: twin.name });
    }
    Ok(())
}
