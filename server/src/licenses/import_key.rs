//! Taking in a key that another system made, word for word.

use secrecy::{ExposeSecret, SecretString};

use super::change::{self, Change, ChangeError, fault};
use super::issue::key_cell;
use super::keys::{Digests, imported_digests};
use super::model::{KeySource, LicenseKeyId};
use super::store::{self, LicenseKeyRow};
use crate::app::App;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits::model::has_invisible;
use crate::secrets::SealError;

/// Most keys one license may have.
const KEYS_MAX: usize = 100;
/// Characters of a key that are shown.
const HINT_LEN: usize = 6;

/// Why no key was taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportKeyError {
    /// The license does not allow it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// A license has this key.
    #[error("the key stands already")]
    Taken,
    /// It could not be sealed.
    #[error("an imported key could not be sealed")]
    Seal(#[from] SealError),
}

impl From<DbError> for ImportKeyError {
    fn from(error: DbError) -> Self {
        Self::Change(error.into())
    }
}

/// Adds a key of another system to a license; presenting it finds the license from now on.
pub async fn import_key(
    app: &App,
    of: Change,
    source: KeySource,
    key: &SecretString,
    claim: Claim,
) -> Result<Once<LicenseKeyId>, ImportKeyError> {
    let (row, all) = prepare(app, &of, source, key)?;
    app.db
        .write(Shard::of(of.license.as_str()), move |tx| {
            claim.once(tx, &row.id, |tx| {
                import_in(tx, &of, &row, &all)?;
                Ok(row.id.clone())
            })
        })
        .await
}

fn import_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    row: &LicenseKeyRow,
    all: &Digests,
) -> Result<(), ImportKeyError> {
    change::open_in(tx, of)?;
    store::lock_text(tx, all)?;
    if store::any_key_of(tx.conn(), all)? {
        return Err(ImportKeyError::Taken);
    }
    if store::keys_of(tx.conn(), &of.license)?.len() >= KEYS_MAX {
        let many = "A license may have at most 100 keys.";
        return Err(ChangeError::Refused(many).into());
    }
    let added = tx.unless_taken(|tx| store::add_key(tx, row))?;
    added.ok_or(ImportKeyError::Taken)?;
    tx.audit(of.entry("license.key_imported", &["keys"]));
    Ok(())
}

fn prepare(
    app: &App,
    of: &Change,
    source: KeySource,
    key: &SecretString,
) -> Result<(LicenseKeyRow, Digests), ImportKeyError> {
    if source == KeySource::Own {
        return Err(fault("source", "must be another system").into());
    }
    let text = key.expose_secret().trim();
    let refused = || {
        let reason = "must be 8 to 2048 printable characters, and no key or token of this system";
        fault("key", reason)
    };
    if has_invisible(text) {
        return Err(refused().into());
    }
    let (lookup, all) = imported_digests(app, source, text).ok_or_else(refused)?;
    let id = LicenseKeyId::new(of.now, app.entropy.as_ref());
    let length = text.chars().count();
    let row = LicenseKeyRow {
        license_id: of.license.clone(),
        lookup,
        sealed_key: app.vault.seal(key_cell(&id), text.as_bytes())?,
        key_hint: text.chars().skip(length.saturating_sub(HINT_LEN)).collect(),
        created_at: of.now,
        replaced_at: None,
        source,
        is_primary: false,
        honored_until: None,
        id,
    };
    Ok((row, all))
}
