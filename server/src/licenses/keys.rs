//! From a presented license key to the license.

use kitward_keys::{KeyPrefix, LicenseKey};
use secrecy::{ExposeSecret, SecretString};

use super::store::{self, Holding};
use crate::app::App;
use crate::db::DbError;

/// The license this key belongs to. A mistyped or forged key is refused by its MAC, before any
/// database access.
pub async fn find_by_key(app: &App, presented: &SecretString) -> Result<Option<Holding>, DbError> {
    let Ok(key) = LicenseKey::parse(presented.expose_secret(), &KeyPrefix::default()) else {
        return Ok(None);
    };
    if !key.has_valid_mac(app.vault.license_macs()) {
        return Ok(None);
    }
    let lookup = app.vault.license_lookup(&key.lookup_input());
    app.db
        .read(move |conn| store::find_by_lookup(conn, &lookup))
        .await
}
