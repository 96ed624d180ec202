//! Making a management token.

use secrecy::SecretString;

use super::model::{Scope, TokenId};
use super::store::{self, TokenRow};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::types::WordList;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::kits::model::has_control;
use crate::secrets::{SealError, TokenKind, TokenText};

/// Longest name, in characters.
pub(super) const NAME_MAX: usize = 100;
/// Most scopes, repeated ones included.
pub(super) const SCOPES_MAX: usize = 20;

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
    /// The secret could not be kept.
    #[error("the token could not be kept for a repeated request")]
    Seal(#[from] SealError),
    /// No scope, or too many.
    #[error("must be 1 to {SCOPES_MAX} scopes")]
    Scopes,
    /// The name is empty, too long or not printable.
    #[error("must be 1 to {NAME_MAX} printable characters")]
    Name,
    /// It would never work.
    #[error("must be a time to come")]
    Expired,
}

/// Makes a token.
pub async fn create_token(app: &App, input: CreateToken) -> Result<CreatedToken, CreateTokenError> {
    let actor = input.actor.clone();
    let (row, created) = prepare(app, input)?;
    app.db
        .write(Shard::of(row.id.as_str()), move |tx| {
            create_token_in(tx, &row, actor.clone())
        })
        .await?;
    Ok(created)
}

/// Makes a token once for each claim, which keeps the secret for a day.
pub async fn create_token_once(
    app: &App,
    input: CreateToken,
    claim: Claim,
) -> Result<Once<CreatedToken>, CreateTokenError> {
    let actor = input.actor.clone();
    let (row, created) = prepare(app, input)?;
    let claim = claim.keep(app, &created.secret)?;
    let once = app
        .db
        .write(Shard::of(row.id.as_str()), move |tx| {
            claim.once(tx, &row.id, |tx| create_token_in(tx, &row, actor.clone()))
        })
        .await?;
    Ok(once.map(|()| created))
}

fn prepare(app: &App, input: CreateToken) -> Result<(TokenRow, CreatedToken), CreateTokenError> {
    let name = input.name.as_str();
    if name.trim().is_empty() || name.chars().count() > NAME_MAX || has_control(name) {
        return Err(CreateTokenError::Name);
    }
    if !(1..=SCOPES_MAX).contains(&input.scopes.len()) {
        return Err(CreateTokenError::Scopes);
    }
    let mut scopes = input.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    let now = app.clock.now();
    let id = TokenId::new(now, app.entropy.as_ref());
    let text = TokenText::new(TokenKind::Management, app.entropy.as_ref());
    let row = TokenRow {
        id: id.clone(),
        name: input.name,
        digest: text.digest(&app.vault),
        scopes: WordList::new(scopes.iter().map(ToString::to_string).collect()),
        created_at: now,
        expires_at: input.expires_at,
        revoked_at: None,
    };
    let secret = text.into_secret();
    Ok((row, CreatedToken { id, secret }))
}

fn create_token_in(
    tx: &mut WriteTx<'_>,
    row: &TokenRow,
    actor: Actor,
) -> Result<(), CreateTokenError> {
    // Here, so that an equal request gets its answer after the end too.
    if row.expires_at.is_some_and(|end| end <= row.created_at) {
        return Err(CreateTokenError::Expired);
    }
    store::insert(tx, row)?;
    let fields = &["name", "scopes", "expires_at"];
    let entry = Entry::new(row.created_at, actor, "token.created", &row.id, fields);
    tx.audit(entry);
    Ok(())
}
