//! Revoking a token of a license.

use super::model::LicenseTokenId;
use super::store::{self, TokenRow};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::licenses::model::LicenseId;
use crate::licenses::store as licenses;
use crate::people::model::PersonId;

/// Which token, and who revokes it.
#[derive(Debug, Clone)]
pub struct RevokeLicenseToken {
    /// The license.
    pub license: LicenseId,
    /// Its token.
    pub token: LicenseTokenId,
    /// Only if it is this person's own.
    pub own: Option<PersonId>,
    /// Who.
    pub actor: Actor,
}

/// Revokes a token; again changes nothing. `None` where the license has no such token.
pub async fn revoke_license_token(
    app: &App,
    input: RevokeLicenseToken,
) -> Result<Option<TokenRow>, DbError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(input.license.as_str()), move |tx| {
            revoke_license_token_in(tx, &input, now)
        })
        .await
}

/// The same inside another unit of work.
pub fn revoke_license_token_in(
    tx: &mut WriteTx<'_>,
    input: &RevokeLicenseToken,
    now: Timestamp,
) -> Result<Option<TokenRow>, DbError> {
    let found = store::find(tx.conn(), &input.license, &input.token)?;
    let theirs = |row: &TokenRow| input.own.is_none() || row.person_id == input.own;
    if !found.as_ref().is_some_and(theirs) {
        return Ok(None);
    }
    licenses::lock(tx, &input.license)?;
    if store::revoke(tx, &input.token, now)? {
        let (actor, fields) = (input.actor.clone(), &["revoked_at"]);
        tx.audit(Entry::new(
            now,
            actor,
            "license_token.revoked",
            &input.token,
            fields,
        ));
    }
    store::find(tx.conn(), &input.license, &input.token)
}
