//! From a presented token to its holder.

use secrecy::{ExposeSecret, SecretString};

use super::model::{TokenHolder, is_live};
use super::store;
use crate::app::App;
use crate::db::DbError;
use crate::secrets::{TokenKind, TokenText};

/// Who holds this token; `None` when nobody does, or no longer. The row is read at each request, so
/// that a revocation counts at once on every process.
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
