//! The ring as a serving process holds it.

use kitward_keys::{KeyPurpose, KeyState, PublicKeys, SigningKey};

use super::change::{ChangeError, Custody, change};
use super::model::{self, RingKey};
use super::sign::Root;
use super::store::{self, Document, Snapshot};
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::secrets::{Cell, SealError, Vault};

/// Why the ring could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The database failed.
    #[error("the database failed while signing keys were loaded")]
    Db(#[from] DbError),
    /// A private half does not open.
    #[error("signing key {kid} does not open")]
    Sealed {
        /// Which.
        kid: String,
        /// Why.
        source: SealError,
    },
    /// A private half is not that of its public half, or none.
    #[error("signing key {0} is malformed")]
    Malformed(String),
    /// No active key.
    #[error("no active signing key for {0}")]
    NoActiveKey(&'static str),
}

/// The keys in use now.
#[derive(Debug)]
pub struct KeyRing {
    /// Signs license keys.
    pub license_key: SigningKey,
    /// Signs license files, verdicts and update manifests.
    pub document: SigningKey,
    /// Signs the files of releases, and stamps in them.
    pub artifact: SigningKey,
    /// Everything needed to verify what is still valid.
    pub public: PublicKeys,
    /// The same, signed by the root key (`keyring+jwt`).
    pub signed: Option<String>,
    /// Every key there ever was, with its state: verifies checkpoints of the audit log, which never
    /// end.
    pub all: PublicKeys,
    pub(super) version: i64,
    /// When a key must be promoted or the document renewed; none where that needs an operator.
    pub(super) due: Option<Timestamp>,
}

/// Makes the first key of each purpose that has none. Of processes that start together one does, and
/// the others find what it made.
pub async fn ensure(custody: &Custody<'_>) -> Result<(), ChangeError> {
    let plan = |snapshot: &Snapshot| {
        let steps = model::first(&snapshot.keys);
        Ok((!steps.is_empty()).then_some(steps))
    };
    change(custody, &Actor::System, Root::IfHere, plan).await?;
    Ok(())
}

/// Loads the ring.
pub async fn load(custody: &Custody<'_>) -> Result<KeyRing, KeyRingError> {
    let Snapshot {
        version,
        document,
        keys,
    } = custody.db.read_snapshot(store::ring).await?;
    let active = |purpose: KeyPurpose| {
        let key = keys.iter().find(|key| key.signs(purpose));
        let key = key.ok_or(KeyRingError::NoActiveKey(purpose.as_str()))?;
        unseal(key, custody.vault)
    };
    let listed = keys.iter().filter(|key| key.is_listed(custody.now));
    let all = keys.iter().map(|key| key.public.clone()).collect();
    Ok(KeyRing {
        license_key: active(KeyPurpose::LicenseKey)?,
        document: active(KeyPurpose::Document)?,
        artifact: active(KeyPurpose::Artifact)?,
        public: PublicKeys::new(listed.map(|key| key.public.clone()).collect()),
        all: PublicKeys::new(all),
        version,
        due: due(&keys, document.as_ref()),
        signed: document.map(|document| document.text),
    })
}

/// When something must be done without an operator.
fn due(keys: &[RingKey], document: Option<&Document>) -> Option<Timestamp> {
    let promotions = keys
        .iter()
        .filter(|key| key.public.state() == KeyState::Published)
        .filter_map(|key| key.activates_at);
    let renewal = document
        .filter(|_| model::root_is_here(keys))
        .map(Document::renew_at);
    promotions.chain(renewal).min()
}

pub(super) fn private_cell(kid: &str) -> Cell<'_> {
    Cell {
        table: "signing_keys",
        column: "private_key",
        row: kid,
    }
}

/// The private half of a key.
pub(super) fn unseal(key: &RingKey, vault: &Vault) -> Result<SigningKey, KeyRingError> {
    let opened = vault
        .open(private_cell(key.kid()), &key.sealed)
        .map_err(|source| KeyRingError::Sealed {
            kid: key.kid().to_owned(),
            source,
        })?;
    let malformed = || KeyRingError::Malformed(key.kid().to_owned());
    let secret = opened
        .as_slice()
        .first_chunk::<32>()
        .ok_or_else(malformed)?;
    let signing = SigningKey::from_bytes(key.public.purpose(), secret);
    if opened.len() == 32 && signing.kid() == key.public.kid() {
        Ok(signing)
    } else {
        Err(malformed())
    }
}
