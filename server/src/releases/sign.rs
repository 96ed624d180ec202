//! Signatures of files, in the form of minisign, by the server's artifact key: when a file is
//! complete, and anew when staff asks, as after a key was compromised.

use data_encoding::HEXLOWER;
use kitward_keys::{FileComment, FileSignature, MinisignKey, SignError, sign_file};

use super::model::{ReleaseId, SignedBy};
use super::store::{self, Artifact, Release, Resigned};
use super::supply_signature::vendor_keys;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::kits;
use crate::storage::StorageError;

/// Why files were not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignReleaseError {
    /// The database failed.
    #[error("the database failed while files were signed")]
    Db(#[from] DbError),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
    /// The bytes could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The signature could not be made.
    #[error("a file could not be signed")]
    Sign(#[from] SignError),
}

/// Keys whose signatures of files are trusted: those of the server's key ring that are not compromised,
/// then the vendor's own.
pub fn file_keys(app: &App) -> Vec<MinisignKey> {
    let ring = app.keys.load();
    let ours = ring.public.iter().filter(|key| !key.is_compromised());
    let ours = ours.filter_map(MinisignKey::of);
    ours.chain(vendor_keys(app)).collect()
}

/// What a signature says of the release.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) release: Release,
    /// The kit's present slug.
    pub(super) kit: String,
}

impl Subject {
    pub(super) fn comment<'a>(&'a self, file: &'a str, timestamp: i64) -> FileComment<'a> {
        FileComment {
            timestamp,
            file,
            version: &self.release.version,
            kit: &self.kit,
            channel: self.release.channel.as_str(),
        }
    }
}

/// The release and what its kit is called.
pub(super) fn subject(conn: &mut AnyConn, id: &ReleaseId) -> Result<Option<Subject>, DbError> {
    let Some(release) = store::find(conn, id)? else {
        return Ok(None);
    };
    let kit = kits::store::find_kit(conn, &release.kit_id)?;
    let missing = || DbError::Inconsistent {
        table: "releases",
        row: release.id.to_string(),
        what: "its kit is not there",
    };
    let kit = kit.ok_or_else(missing)?.slug;
    Ok(Some(Subject { release, kit }))
}

/// The signature file of the server for a file with this hash.
pub(super) fn signature(
    app: &App,
    subject: &Subject,
    file: &str,
    prehash: &[u8; 64],
) -> Result<String, SignError> {
    let comment = subject.comment(file, app.clock.now().unix());
    let keys = app.keys.load();
    Ok(sign_file(&keys.artifact, prehash, &comment)?.to_string())
}

/// Signs anew what the server signed, or nobody, where the signature is not by the key in use.
/// Signatures of the vendor's own key stay.
pub async fn sign_release(app: &App, id: ReleaseId, actor: Actor) -> Result<(), SignReleaseError> {
    let wanted = id.clone();
    let (subject, files) = app
        .db
        .read_snapshot(move |conn| {
            let subject = subject(conn, &wanted)?.ok_or(SignReleaseError::NotFound)?;
            let files = store::artifacts_of(conn, std::slice::from_ref(&wanted))?;
            Ok::<_, SignReleaseError>((subject, files))
        })
        .await?;
    let mut resigned = Vec::new();
    for file in files.into_iter().filter(|file| is_due(app, file)) {
        let prehash = prehash(app, &file).await?;
        resigned.push(Resigned {
            signature: signature(app, &subject, &file.name, &prehash)?,
            blake2b: HEXLOWER.encode(&prehash),
            id: file.id,
        });
    }
    let now = app.clock.now();
    app.db
        .write(Shard::of(id.as_str()), move |tx: &mut WriteTx<'_>| {
            for file in &resigned {
                if store::sign_again(tx, file)? {
                    let fields = &["signature", "signed_by"];
                    tx.audit(Entry::new(
                        now,
                        actor.clone(),
                        "artifact.signed",
                        &file.id,
                        fields,
                    ));
                }
            }
            Ok::<_, DbError>(())
        })
        .await?;
    Ok(())
}

fn is_due(app: &App, file: &Artifact) -> bool {
    if file.signed_by == Some(SignedBy::Vendor) {
        return false;
    }
    let present = file.signature.as_deref();
    let present = present.and_then(|text| FileSignature::parse(text).ok());
    let in_use = kitward_keys::MinisignKey::of(
        &app.keys
            .load()
            .artifact
            .public(kitward_keys::KeyState::Active),
    );
    present.map(|signature| signature.key_id()) != in_use.map(|key| key.id())
}

/// The hash that signatures are made over: as it was kept, or of the bytes for files of old.
pub(super) async fn prehash(app: &App, file: &Artifact) -> Result<[u8; 64], StorageError> {
    if let Some(kept) = kept_prehash(file) {
        return Ok(kept);
    }
    let size = u64::try_from(file.size).unwrap_or(0);
    app.storage.prehash_of(&file.sha256, size).await
}

/// The hash that was kept with a file.
pub(super) fn kept_prehash(file: &Artifact) -> Option<[u8; 64]> {
    let kept = HEXLOWER.decode(file.blake2b.as_ref()?.as_bytes()).ok()?;
    <[u8; 64]>::try_from(kept).ok()
}
