//! The stamped file for one license: known to its last byte before the first is sent.

use std::sync::Arc;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use kitward_keys::{LicenseTextClaims, SignError, StampClaims, StampedClaims};
use sha2::{Digest as _, Sha256};

use super::document::document;
use super::splice::{Piece, splice};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::kits::store::Kit;
use crate::licenses;
use crate::licenses::model::LicenseId;
use crate::licenses::overview::own_order;
use crate::releases;
use crate::releases::archive::format_of;
use crate::releases::examine::NAME_TAKEN;
use crate::releases::look_again::{LookAgainError, examined};
use crate::releases::model::ArchiveFormat;
use crate::releases::store::Artifact;

/// Kinds of files whose hashes stand in lock files: two developers with two licenses must get the
/// same bytes.
const REGISTRY_KINDS: [&str; 4] = ["npm", "pypi", "cargo", "composer"];

/// A file with its stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// What it consists of; ranges are of the stored file.
    pub pieces: Vec<Piece>,
    /// Strong entity tag, in quotes.
    pub etag: String,
    /// Its stamp's nonce.
    pub nonce: String,
}

impl Prepared {
    /// In bytes.
    pub fn size(&self) -> u64 {
        self.pieces.iter().map(Piece::len).sum()
    }
}

/// Why no stamp was made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The database failed.
    #[error("the database failed while a stamp was made")]
    Db(#[from] DbError),
    /// The stamp could not be signed.
    #[error("a stamp could not be signed")]
    Sign(#[from] SignError),
    /// A file of before could not be looked into.
    #[error(transparent)]
    Look(#[from] LookAgainError),
    /// The kit stamps, and the archive, which nobody looked into when it came, cannot carry a stamp.
    #[error("the archive cannot carry a stamp")]
    Unstampable,
}

/// What a stamp says beside what the file says of itself.
struct Facts {
    kit: String,
    version: String,
    published_at: Option<Timestamp>,
    license_since: Timestamp,
    customer: String,
    order: Option<String>,
    license_text: Option<LicenseTextClaims>,
}

/// Whether its kind, its name or a look into it tells what becomes of it.
pub fn is_told(artifact: &Artifact) -> bool {
    let is_registrys = REGISTRY_KINDS.contains(&artifact.kind.as_str());
    artifact.examined || is_registrys || format_of(&artifact.name, &[]).is_some()
}

/// Whether each license gets a copy of its own of this file of a kit; by its name, where nobody has
/// looked into it yet.
pub fn is_stamped(kit: &Kit, artifact: &Artifact) -> bool {
    let is_archive = artifact.archive.is_some() || format_of(&artifact.name, &[]).is_some();
    kit.stamps && may_carry_a_stamp(artifact) && is_archive
}

/// Whether a stamping kit's file gets a stamp, as far as was looked into it.
fn may_carry_a_stamp(artifact: &Artifact) -> bool {
    let is_registrys = REGISTRY_KINDS.contains(&artifact.kind.as_str());
    let unstampable = artifact.unstampable.as_deref();
    let is_no_archive = artifact.archive.is_none() && unstampable.is_none();
    let stays =
        is_registrys || unstampable == Some(NAME_TAKEN) || (artifact.examined && is_no_archive);
    !stays
}

/// Stamps a file for a license; `None` where it is delivered as it is stored: its kit does not
/// stamp, it is no archive, or a package registry's.
pub async fn prepare(
    app: &Arc<App>,
    license: &LicenseId,
    artifact: &Artifact,
) -> Result<Option<Prepared>, PrepareError> {
    if !may_carry_a_stamp(artifact) {
        return Ok(None);
    }
    let (of, file) = (license.clone(), artifact.clone());
    let read = move |conn: &mut AnyConn| facts(conn, &of, &file);
    let Some(facts) = app.db.read_snapshot(read).await? else {
        return Ok(None);
    };
    let artifact = &examined(app, artifact).await?;
    match (artifact.archive, artifact.unstampable.as_deref()) {
        (_, Some(NAME_TAKEN)) | (None, None) => Ok(None),
        // Never as it is stored: whoever has it would have a copy that names nobody.
        (_, Some(_)) => Err(PrepareError::Unstampable),
        (Some(format), None) => stamped(app, license, (artifact, format), facts).map(Some),
    }
}

fn stamped(
    app: &App,
    license: &LicenseId,
    (artifact, format): (&Artifact, ArchiveFormat),
    facts: Facts,
) -> Result<Prepared, PrepareError> {
    let claims = claims(app, license, artifact, facts)?;
    let nonce = claims.nonce.clone();
    let stamp = document(&app.keys.load().artifact, claims)?;
    let size = u64::try_from(artifact.size).unwrap_or_default();
    let pieces = splice(format, size, artifact.zip_end.as_deref(), &stamp);
    Ok(Prepared {
        pieces: pieces.ok_or(PrepareError::Unstampable)?,
        etag: etag(&artifact.sha256, &stamp),
        nonce,
    })
}

fn facts(
    conn: &mut AnyConn,
    license: &LicenseId,
    artifact: &Artifact,
) -> Result<Option<Facts>, DbError> {
    let Some(release) = releases::store::find(conn, &artifact.release_id)? else {
        return Ok(None);
    };
    let kit = kits::store::find_kit(conn, &release.kit_id)?;
    let Some(kit) = kit.filter(|kit| kit.stamps) else {
        return Ok(None);
    };
    let Some(holding) = licenses::store::find(conn, license)? else {
        return Ok(None);
    };
    let order = own_order(conn, &holding.license)?;
    let text = match &holding.terms.license_text_id {
        Some(text) => kits::store::find_text_version(conn, text)?,
        None => None,
    };
    Ok(Some(Facts {
        kit: kit.slug,
        version: release.version,
        published_at: release.published_at,
        license_since: holding.license.created_at,
        customer: holding.license.customer_id.to_string(),
        order: order.map(|order| order.id.to_string()),
        license_text: text.map(|text| LicenseTextClaims {
            name: text.name,
            version: text.number.into(),
        }),
    }))
}

fn claims(
    app: &App,
    license: &LicenseId,
    artifact: &Artifact,
    facts: Facts,
) -> Result<StampClaims, SignError> {
    // Nothing of the moment of this request: the same license gets the same bytes.
    let since = facts.published_at.unwrap_or(facts.license_since);
    let mut claims = StampClaims {
        iss: app.installation_id.clone(),
        aud: facts.kit,
        sub: license.to_string(),
        iat: since.max(facts.license_since).unix(),
        nonce: String::new(),
        customer: facts.customer,
        order: facts.order,
        license_text: facts.license_text,
        artifact: StampedClaims {
            name: artifact.name.clone(),
            version: facts.version,
            sha256: artifact.sha256.clone(),
        },
    };
    // In the form that is signed, which no later version of the program writes otherwise.
    let said = serde_json::to_vec(&claims).map_err(|error| SignError::InvalidClaims {
        reason: error.to_string(),
    })?;
    let digest = app.vault.digest("stamp nonce", &said);
    claims.nonce = BASE64URL_NOPAD.encode(digest.get(..16).unwrap_or_default());
    Ok(claims)
}

fn etag(sha256: &str, stamp: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(sha256);
    hash.update(stamp);
    format!("\"{}\"", HEXLOWER.encode(&hash.finalize()))
}
