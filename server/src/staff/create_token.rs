//! Making and checking management tokens.

use secrecy::{ExposeSecret, SecretString};

use super::model::{Scope, TokenHolder, TokenId, is_live};
use super::store::{self, TokenRow};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::types::WordList;
use crate::db::{DbError, Shard};
use crate::kits::model::has_control;
use crate::secrets::{TokenKind, TokenText};

/// Longest name, in characters.
const NAME_MAX: usize = 100;

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

/// Why it was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTokenError {
    /// The database failed.
    #[error("the database failed while a token was made")]
    Db(#[from] DbError),
    /// The name is empty, too long or not printable.
    #[error("must be 1 to {NAME_MAX} printable characters")]
    Name,
    /// It would never work.
    #[error("must be a time to come")]
    Expired,
}

/// Makes a token.
pub async fn create_token(app: &App, input: CreateToken) -> Result<CreatedToken, CreateTokenError> {
    let now = app.clock.now();
    check(&input, now)?;
    let id = TokenId::new(now, app.entropy.as_ref());
    let text = TokenText::new(TokenKind::Management, app.entropy.as_ref());
    let mut words: Vec<String> = input.scopes.iter().map(ToString::to_string).collect();
    words.dedup();
    let row = TokenRow {
        id: id.clone(),
        name: input.name,
        digest: text.digest(&app.vault),
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
        secret: text.into_secret(),
    })
}

fn check(input: &CreateToken, now: Timestamp) -> Result<(), CreateTokenError> {
    let name = input.name.as_str();
    if name.trim().is_empty() || name.chars().count() > NAME_MAX || has_control(name) {
        return Err(CreateTokenError::Name);
    }
    match input.expires_at {
        Some(end) if end <= now => Err(CreateTokenError::Expired),
        _ => Ok(()),
    }
}

/// Who holds this token; `None` when nobody does, or no longer.
pub async fn authenticate(app: &App, token: &SecretString) -> Result<Option<TokenHolder>, DbError> {
    let Some(text) = TokenText::parse(TokenKind::Management, token.expose_secret()) else {
        return Ok(None);
    };
    let digest = text.digest(&app.vault);
    let row = app
        .db
        .read(move |conn| store::find_by_digest(conn, &digest))
        .await?;
    let now = app.clock.now();
    let live = row.filter(|row| is_live(now, row.expires_at, row.revoked_at));
    Ok(live.map(|row| TokenHolder::new(row.id, row.scopes)))
}
