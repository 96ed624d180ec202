//! Loads the key ring, making the first active keys under the lock of their unique index.

use kitward_keys::signing::{KeyPurpose, KeyState, PublicKey, PublicKeys, SigningKey};

use super::store::{self, SigningKeyRow};
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{Db, DbError, Shard};
use crate::entropy::{Entropy, bytes};
use crate::secrets::{Cell, SealError, Vault};

/// Purposes that sign from the first start on.
const PURPOSES: [KeyPurpose; 2] = [KeyPurpose::LicenseKey, KeyPurpose::Document];

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
    /// A row holds what the program never writes.
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
    /// Everything needed to verify what is still valid.
    pub public: PublicKeys,
}

/// Loads the ring; makes first keys where there are none.
pub async fn load(
    db: &Db,
    vault: &Vault,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<KeyRing, KeyRingError> {
    let mut rows = db.read(store::all).await?;
    let is_active = |rows: &[SigningKeyRow], purpose: KeyPurpose| {
        rows.iter()
            .any(|row| row.purpose == purpose.as_str() && row.state == KeyState::Active.as_str())
    };
    if !PURPOSES.iter().all(|purpose| is_active(&rows, *purpose)) {
        for purpose in PURPOSES {
            if !is_active(&rows, purpose) {
                make_first(db, new_row(purpose, vault, now, entropy)?, now).await?;
            }
        }
        rows = db.read(store::all).await?;
    }
    Ok(KeyRing {
        license_key: active(&rows, KeyPurpose::LicenseKey, vault)?,
        document: active(&rows, KeyPurpose::Document, vault)?,
        public: public_keys(&rows)?,
    })
}

fn new_row(
    purpose: KeyPurpose,
    vault: &Vault,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<SigningKeyRow, KeyRingError> {
    let key = SigningKey::from_bytes(purpose, &bytes(entropy));
    let public = key.public(KeyState::Active);
    let kid = key.kid().as_str().to_owned();
    let sealed = vault.seal(private_cell(&kid), key.to_bytes().as_slice());
    Ok(SigningKeyRow {
        purpose: purpose.as_str().to_owned(),
        state: KeyState::Active.as_str().to_owned(),
        public_key: public.bytes().to_vec(),
        private_key: sealed.map_err(|source| KeyRingError::Sealed {
            kid: kid.clone(),
            source,
        })?,
        created_at: now,
        kid,
    })
}

/// Another process may have been faster; then its key counts.
async fn make_first(db: &Db, row: SigningKeyRow, now: Timestamp) -> Result<(), DbError> {
    db.write(Shard::Wide, move |tx| {
        tx.unless_taken(|tx| {
            store::insert(tx, &row)?;
            tx.audit(Entry::new(
                now,
                Actor::System,
                "signing_key.created",
                &row.kid,
                &["state"],
            ));
            Ok(())
        })
    })
    .await
    .map(|_made| ())
}

fn private_cell(kid: &str) -> Cell<'_> {
    Cell {
        table: "signing_keys",
        column: "private_key",
        row: kid,
    }
}

fn active(
    rows: &[SigningKeyRow],
    purpose: KeyPurpose,
    vault: &Vault,
) -> Result<SigningKey, KeyRingError> {
    let row = rows
        .iter()
        .find(|row| row.purpose == purpose.as_str() && row.state == KeyState::Active.as_str())
        .ok_or(KeyRingError::NoActiveKey(purpose.as_str()))?;
    let opened = vault
        .open(private_cell(&row.kid), &row.private_key)
        .map_err(|source| KeyRingError::Sealed {
            kid: row.kid.clone(),
            source,
        })?;
    let secret = <&[u8; 32]>::try_from(opened.as_slice())
        .map_err(|_length| KeyRingError::Malformed(row.kid.clone()))?;
    Ok(SigningKey::from_bytes(purpose, secret))
}

fn public_keys(rows: &[SigningKeyRow]) -> Result<PublicKeys, KeyRingError> {
    let keys: Option<Vec<PublicKey>> = rows.iter().map(public_key).collect();
    keys.map(PublicKeys::new).ok_or_else(|| {
        let bad = rows.iter().find(|row| public_key(row).is_none());
        KeyRingError::Malformed(bad.map(|row| row.kid.clone()).unwrap_or_default())
    })
}

fn public_key(row: &SigningKeyRow) -> Option<PublicKey> {
    let purpose: KeyPurpose = row.purpose.parse().ok()?;
    let state: KeyState = row.state.parse().ok()?;
    let bytes = <&[u8; 32]>::try_from(row.public_key.as_slice()).ok()?;
    PublicKey::new(purpose, state, bytes).ok()
}
