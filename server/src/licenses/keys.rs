//! From the text somebody presents to the license it stands for.

use kitward_keys::{KeyPrefix, LicenseKey};
use secrecy::{ExposeSecret, SecretString};

use super::store::{self, Holding};
use crate::app::App;
use crate::db::DbError;

/// Digest under which a presented key is looked up; `None` for what this installation never made.
/// Decided by the key's own MAC, without any database access.
pub fn lookup(app: &App, presented: &SecretString) -> Option<Vec<u8>> {
    let key = LicenseKey::parse(presented.expose_secret(), &KeyPrefix::default()).ok()?;
    if !key.has_valid_mac(app.vault.license_macs()) {
        return None;
    }
    Some(app.vault.license_lookup(&key.lookup_input()))
}

/// The license a presented key stands for.
pub async fn find_by_key(app: &App, presented: &SecretString) -> Result<Option<Holding>, DbError> {
    match lookup(app, presented) {
        Some(lookup) => {
            app.db
                .read(move |conn| store::find_by_lookup(conn, &lookup))
                .await
        }
        None => Ok(None),
    }
}
