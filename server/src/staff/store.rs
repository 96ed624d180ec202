//! Queries on `api_tokens`.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Scope, TokenId};
use crate::clock::Timestamp;
use crate::db::schema::api_tokens;
use crate::db::types::WordList;
use crate::db::{AnyConn, DbError, WriteTx};

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = api_tokens)]
pub(super) struct TokenRow {
    pub(super) id: TokenId,
    pub(super) name: String,
    pub(super) digest: Vec<u8>,
    pub(super) scopes: WordList,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
}

type Shown = (
    api_tokens::id,
    api_tokens::name,
    api_tokens::scopes,
    api_tokens::created_at,
    api_tokens::expires_at,
    api_tokens::revoked_at,
);
const SHOWN: Shown = (
    api_tokens::id,
    api_tokens::name,
    api_tokens::scopes,
    api_tokens::created_at,
    api_tokens::expires_at,
    api_tokens::revoked_at,
);

/// A token as shown: without its secret, which nobody has.
#[derive(Debug, Clone, Queryable, Serialize, ToSchema)]
pub(super) struct Token {
    pub(super) id: TokenId,
    pub(super) name: String,
    #[schema(value_type = Vec<Scope>)]
    pub(super) scopes: WordList,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) revoked_at: Option<Timestamp>,
}

/// The token with this id.
pub(super) fn find(conn: &mut AnyConn, id: &TokenId) -> Result<Option<Token>, DbError> {
    Ok(api_tokens::table
        .find(id)
        .select(SHOWN)
        .get_result(conn)
        .optional()?)
}

/// Tokens in the order of their creation, after a cursor.
pub(super) fn list(conn: &mut AnyConn, after: &str, limit: i64) -> Result<Vec<Token>, DbError> {
    Ok(api_tokens::table
        .filter(api_tokens::id.gt(after.to_owned()))
        .order(api_tokens::id)
        .limit(limit)
        .select(SHOWN)
        .load(conn)?)
}

/// Ends a token; `false` where it has ended before or there is none.
pub(super) fn revoke(tx: &mut WriteTx<'_>, id: &TokenId, now: Timestamp) -> Result<bool, DbError> {
    let ended = diesel::update(api_tokens::table.find(id))
        .filter(api_tokens::revoked_at.is_null())
        .set(api_tokens::revoked_at.eq(Some(now)))
        .execute(tx.conn())?;
    Ok(ended == 1)
}

pub(super) fn insert(tx: &mut WriteTx<'_>, row: &TokenRow) -> Result<(), DbError> {
    diesel::insert_into(api_tokens::table)
        .values(row)
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn find_by_digest(
    conn: &mut AnyConn,
    digest: &[u8],
) -> Result<Option<TokenRow>, DbError> {
    Ok(api_tokens::table
        .filter(api_tokens::digest.eq(digest))
        .get_result(conn)
        .optional()?)
}
