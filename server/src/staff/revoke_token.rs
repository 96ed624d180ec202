//! Ending a management token.

use super::model::TokenId;
use super::store;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};

/// Why it was not ended.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// The database failed.
    #[error("the database failed while a token was revoked")]
    Db(#[from] DbError),
    /// No token has this id.
    #[error("no such token")]
    NotFound,
}

/// Ends a token at once; one that was revoked before stays as it is.
pub async fn revoke_token(app: &App, id: TokenId, actor: Actor) -> Result<(), RevokeTokenError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(id.as_str()), move |tx| {
            revoke_token_in(tx, &id, actor.clone(), now)
        })
        .await
}

fn revoke_token_in(
    tx: &mut WriteTx<'_>,
    id: &TokenId,
    actor: Actor,
    now: Timestamp,
) -> Result<(), RevokeTokenError> {
    if store::revoke(tx, id, now)? {
        tx.audit(Entry::new(now, actor, "token.revoked", id, &["revoked_at"]));
        return Ok(());
    }
    let known = store::find(tx.conn(), id)?;
    known.map(drop).ok_or(RevokeTokenError::NotFound)
}
