//! Queries on `api_tokens`.

use diesel::prelude::*;

use super::model::TokenId;
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
