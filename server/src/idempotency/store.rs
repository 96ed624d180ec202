//! Queries on `idempotency_keys`.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::idempotency_keys;
use crate::db::{DbError, WriteTx};

/// Most rows one request deletes: more than it adds, few enough not to be felt.
const SLICE: i64 = 100;

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = idempotency_keys)]
pub(super) struct KeyRow {
    pub(super) digest: Vec<u8>,
    pub(super) request_digest: Vec<u8>,
    pub(super) resource: String,
    pub(super) secret: Option<Vec<u8>>,
    pub(super) created_at: Timestamp,
}

pub(super) fn insert(tx: &mut WriteTx<'_>, row: &KeyRow) -> Result<(), DbError> {
    diesel::insert_into(idempotency_keys::table)
        .values(row)
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn find(tx: &mut WriteTx<'_>, digest: &[u8]) -> Result<Option<KeyRow>, DbError> {
    Ok(idempotency_keys::table
        .find(digest)
        .get_result(tx.conn())
        .optional()?)
}

/// Deletes this key's row if it is over.
pub(super) fn delete_if_over(
    tx: &mut WriteTx<'_>,
    digest: &[u8],
    before: Timestamp,
) -> Result<(), DbError> {
    diesel::delete(idempotency_keys::table.find(digest))
        .filter(idempotency_keys::created_at.lt(before))
        .execute(tx.conn())?;
    Ok(())
}

/// Deletes the oldest rows that are over; how many.
pub(super) fn delete_oldest(tx: &mut WriteTx<'_>, before: Timestamp) -> Result<usize, DbError> {
    let old: Vec<Vec<u8>> = idempotency_keys::table
        .filter(idempotency_keys::created_at.lt(before))
        .order((idempotency_keys::created_at, idempotency_keys::digest))
        .limit(SLICE)
        .select(idempotency_keys::digest)
        .load(tx.conn())?;
    if old.is_empty() {
        return Ok(0);
    }
    let old = idempotency_keys::table.filter(idempotency_keys::digest.eq_any(old));
    Ok(diesel::delete(old).execute(tx.conn())?)
}
