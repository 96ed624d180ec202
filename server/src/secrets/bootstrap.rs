//! Opens the installation's secrets at start, making them at the very first.

use std::path::Path;
use std::sync::Arc;

use kitward_keys::MacKey;
use secrecy::SecretString;

use super::master::{MasterKey, MasterKeyError};
use super::store::{self, WrappedKey};
use super::vault::{Vault, key_id};
use crate::clock::Timestamp;
use crate::db::types::new_type_id;
use crate::db::{Db, DbError, Shard};
use crate::entropy::{Entropy, bytes};

const PURPOSES: [&str; 3] = ["cell", "pepper", "license_mac"];

/// Why the secrets could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// No usable master key.
    #[error(transparent)]
    Master(#[from] MasterKeyError),
    /// The key does not open this database.
    #[error("the master key does not fit this database: it was set up with another one")]
    WrongMasterKey,
    /// The database failed.
    #[error("the database failed while secrets were opened")]
    Db(#[from] DbError),
}

/// Who this installation is.
#[derive(Debug)]
pub struct Installation {
    /// Random id, kept in the database and surviving a restore; `iss` of signed documents.
    pub id: String,
    /// Its unwrapped keys.
    pub vault: Vault,
}

/// Opens the secrets, or makes them when the database is new.
pub async fn open(
    db: &Db,
    given: Option<&SecretString>,
    data_dir: &Path,
    now: Timestamp,
    entropy: Arc<dyn Entropy>,
) -> Result<Installation, BootstrapError> {
    let known = db.read(store::installation_id).await?;
    let master = master_key(db, given, data_dir, known.is_some(), entropy.as_ref())?;
    let id = match known {
        Some(id) => id,
        None => first_keys(db, &master, now, entropy.as_ref()).await?,
    };
    let rows = db.read(store::keys).await?;
    let vault = unwrap_all(&master, &rows, entropy).ok_or(BootstrapError::WrongMasterKey)?;
    Ok(Installation { id, vault })
}

fn master_key(
    db: &Db,
    given: Option<&SecretString>,
    data_dir: &Path,
    is_set_up: bool,
    entropy: &dyn Entropy,
) -> Result<MasterKey, MasterKeyError> {
    if let Some(text) = given {
        return MasterKey::parse(text);
    }
    if !db.is_sqlite() {
        return Err(MasterKeyError::Required);
    }
    match (MasterKey::read_default(data_dir)?, is_set_up) {
        (Some(key), _) => Ok(key),
        (None, true) => Err(MasterKeyError::Missing(MasterKey::default_path(data_dir))),
        (None, false) => MasterKey::create_default(data_dir, entropy),
    }
}

/// Makes the installation's id and keys; when another process was faster, its id counts.
async fn first_keys(
    db: &Db,
    master: &MasterKey,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<String, BootstrapError> {
    let id = new_type_id("ins", now, entropy);
    let mut rows = Vec::new();
    for purpose in PURPOSES {
        let row = new_type_id("wky", now, entropy);
        let secret: [u8; 32] = bytes(entropy);
        let wrapped = master.wrap(&label(purpose, &row), &secret, entropy);
        let wrapped = wrapped.ok_or(BootstrapError::WrongMasterKey)?;
        rows.push(WrappedKey {
            id: row,
            purpose: purpose.to_owned(),
            wrapped,
            created_at: now,
        });
    }
    let own = id.clone();
    let made = db
        .write(Shard::Wide, move |tx| {
            tx.unless_taken(|tx| {
                store::insert_installation(tx, &own, now)?;
                rows.iter().try_for_each(|row| store::insert_key(tx, row))
            })
        })
        .await?;
    match made {
        Some(()) => Ok(id),
        None => Ok(db.read(store::installation_id).await?.unwrap_or(id)),
    }
}

fn label(purpose: &str, row: &str) -> String {
    format!("kitward wrapped key v1/{purpose}/{row}")
}

fn unwrap_all(master: &MasterKey, rows: &[WrappedKey], entropy: Arc<dyn Entropy>) -> Option<Vault> {
    let of = |purpose: &'static str| rows.iter().filter(move |row| row.purpose == purpose);
    let open = |row: &WrappedKey| master.unwrap(&label(&row.purpose, &row.id), &row.wrapped);
    let cell_row = of("cell").next()?;
    let macs: Option<Vec<MacKey>> = of("license_mac")
        .map(|row| open(row).map(|key| MacKey::from_bytes(*key)))
        .collect();
    Some(Vault {
        cell_key_id: key_id(&cell_row.id),
        cell_key: open(cell_row)?,
        pepper: open(of("pepper").next()?)?,
        license_macs: macs?,
        entropy,
    })
}
