//! A signature that the vendor made with a key that is not on the server. It is checked against the
//! bytes and against what it says of them before it counts.

use data_encoding::HEXLOWER;
use kitward_keys::{FileSignature, MinisignError, MinisignKey};

use super::model::{ReleaseId, SignedBy};
use super::sign::{self, Subject};
use super::store::{self, Artifact, Resigned};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{DbError, Shard, WriteTx};
use crate::storage::StorageError;

/// Which signature is supplied.
#[derive(Debug, Clone)]
pub struct SupplySignature {
    /// The release.
    pub release: ReleaseId,
    /// Name of the file.
    pub name: String,
    /// The `.minisig` file.
    pub signature: String,
    /// Who supplies it.
    pub actor: Actor,
}

/// Why it was refused.
#[derive(Debug, thiserror::Error)]
pub enum SupplySignatureError {
    /// The database failed.
    #[error("the database failed while a signature was supplied")]
    Db(#[from] DbError),
    /// The bytes could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No release has this id.
    #[error("no such release")]
    NoRelease,
    /// The release has no such file.
    #[error("no such file")]
    NoFile,
    /// No public key of the vendor is known.
    #[error("vendor.minisign_keys is not set")]
    NoKeys,
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] MinisignError),
}

/// Puts the vendor's signature in the place of the one that is there.
pub async fn supply_signature(
    app: &App,
    input: SupplySignature,
) -> Result<Artifact, SupplySignatureError> {
    let keys = vendor_keys(app);
    if keys.is_empty() {
        return Err(SupplySignatureError::NoKeys);
    }
    let signature = FileSignature::parse(&input.signature)?;
    let (subject, artifact) = look(app, &input).await?;
    let prehash = sign::prehash(app, &artifact).await?;
    let comment = signature.verify(&keys, &prehash)?;
    subject.comment(&artifact.name, 0).check(comment)?;
    let (now, actor) = (app.clock.now(), input.actor);
    let supplied = Resigned {
        id: artifact.id.clone(),
        signature: input.signature,
        blake2b: HEXLOWER.encode(&prehash),
    };
    let id = artifact.id.clone();
    let signed = Artifact {
        signature: Some(supplied.signature.clone()),
        signed_by: Some(SignedBy::Vendor),
        ..artifact
    };
    app.db
        .write(
            Shard::of(input.release.as_str()),
            move |tx: &mut WriteTx<'_>| {
                if !store::supply_signature(tx, &supplied)? {
                    return Err(SupplySignatureError::NoFile);
                }
                let fields = &["signature", "signed_by"];
                tx.audit(Entry::new(
                    now,
                    actor.clone(),
                    "artifact.signed",
                    &id,
                    fields,
                ));
                Ok(())
            },
        )
        .await?;
    Ok(signed)
}

async fn look(
    app: &App,
    input: &SupplySignature,
) -> Result<(Subject, Artifact), SupplySignatureError> {
    let (id, name) = (input.release.clone(), input.name.clone());
    app.db
        .read_snapshot(move |conn| {
            let subject = sign::subject(conn, &id)?.ok_or(SupplySignatureError::NoRelease)?;
            let found = store::find_artifact_named(conn, &id, &name)?;
            Ok((subject, found.ok_or(SupplySignatureError::NoFile)?))
        })
        .await
}

/// The vendor's public keys; the configuration was checked when it was read.
pub fn vendor_keys(app: &App) -> Vec<MinisignKey> {
    let texts = app.config.vendor.minisign_keys.iter();
    texts
        .filter_map(|text| MinisignKey::parse(text).ok())
        .collect()
}
