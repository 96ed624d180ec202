//! Making and checking management tokens.

use data_encoding::BASE32_NOPAD;
use secrecy::{ExposeSecret, SecretString};

use super::model::{Scope, TokenHolder, TokenId, is_live};
use super::store::{self, TokenRow};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::types::WordList;
use crate::db::{DbError, Shard};
use crate::entropy::bytes;

const PURPOSE: &str = "management token";

/// What a new token shall be.
#[derive(Debug, Clone)]
pub struct CreateToken {
    /// What it is for, in the operator's words.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Until when; `None` = until revoked.
    pub expires_at: Option<Timestamp>,
    /// Who makes it.
    pub actor: Actor,
}

/// A new token; the secret is shown once and not kept.
#[derive(Debug)]
pub struct CreatedToken {
    /// Its id.
    pub id: TokenId,
    /// `kwa_…`
    pub secret: SecretString,
}

/// Makes a token.
pub async fn create_token(app: &App, input: CreateToken) -> Result<CreatedToken, DbError> {
    let now = app.clock.now();
    let id = TokenId::new(now, app.entropy.as_ref());
    let random: [u8; 32] = bytes(app.entropy.as_ref());
    let secret = format!("kwa_{}", BASE32_NOPAD.encode(&random).to_lowercase());
    let mut words: Vec<String> = input.scopes.iter().map(ToString::to_string).collect();
    words.dedup();
    let row = TokenRow {
        id: id.clone(),
        name: input.name,
        digest: app.vault.digest(PURPOSE, secret.as_bytes()),
        scopes: WordList::new(words),
        created_at: now,
        expires_at: input.expires_at,
        revoked_at: None,
    };
    let actor = input.actor;
    app.db
        .write(Shard::of(id.as_str()), move |tx| -> Result<(), DbError> {
            store::insert(tx, &row)?;
            tx.audit(Entry::new(
                now,
                actor.clone(),
                "token.created",
                &row.id,
                &["scopes"],
            ));
            Ok(())
        })
        .await?;
    Ok(CreatedToken {
        id,
        secret: SecretString::from(secret),
    })
}

/// Who holds this token; `None` when nobody does, or no longer.
pub async fn authenticate(app: &App, token: &SecretString) -> Result<Option<TokenHolder>, DbError> {
    if !token.expose_secret().starts_with("kwa_") {
        return Ok(None);
    }
    let digest = app.vault.digest(PURPOSE, token.expose_secret().as_bytes());
    let row = app
        .db
        .read(move |conn| store::find_by_digest(conn, &digest))
        .await?;
    let now = app.clock.now();
    let live = row.filter(|row| is_live(now, row.expires_at, row.revoked_at));
    Ok(live.map(|row| TokenHolder::new(row.id, row.scopes)))
}
