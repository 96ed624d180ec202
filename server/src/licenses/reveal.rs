//! Showing a license key in full.

use secrecy::SecretString;

use super::issue::key_cell;
use super::model::LicenseId;
use super::store;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::customers::model::CustomerId;
use crate::db::{DbError, Shard};
use crate::secrets::SealError;

/// Whose key is shown to whom; that they may see it was checked.
#[derive(Debug, Clone)]
pub struct RevealKey {
    /// The license.
    pub license: LicenseId,
    /// Whom it must belong to, where a person looks: it may have been transferred since that was checked.
    pub owner: Option<CustomerId>,
    /// Who looks.
    pub actor: Actor,
}

/// Why no key was shown.
#[derive(Debug, thiserror::Error)]
pub enum RevealKeyError {
    /// The license has no present key, or another owner by now.
    #[error("the license has no present key")]
    NoKey,
    /// Its cell does not open.
    #[error("the license key cannot be opened")]
    Seal(#[from] SealError),
    /// It holds what is no text.
    #[error("the opened license key is no text")]
    Text(#[from] std::str::Utf8Error),
    /// The database.
    #[error("the license key cannot be read")]
    Db(#[from] DbError),
}

/// The present key of a license. That it was shown is on record before it is.
pub async fn reveal_key(app: &App, input: RevealKey) -> Result<SecretString, RevealKeyError> {
    let now = app.clock.now();
    let RevealKey {
        license,
        owner,
        actor,
    } = input;
    let row = app
        .db
        .write(Shard::of(license.as_str()), move |tx| {
            if !store::hold_for(tx, &license, owner.as_ref())? {
                return Ok(None);
            }
            let row = store::present_key(tx.conn(), &license)?;
            if row.is_some() {
                let actor = actor.clone();
                tx.audit(Entry::new(
                    now,
                    actor,
                    "license_key.revealed",
                    &license,
                    &[],
                ));
            }
            Ok::<_, DbError>(row)
        })
        .await?;
    let row = row.ok_or(RevealKeyError::NoKey)?;
    let opened = app.vault.open(key_cell(&row.id), &row.sealed_key)?;
    let text = std::str::from_utf8(&opened)?;
    Ok(SecretString::from(text.to_owned()))
}
