//! Queries on `installation` and `wrapped_keys`.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::{installation, wrapped_keys};
use crate::db::{AnyConn, DbError, WriteTx};

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = wrapped_keys)]
pub(super) struct WrappedKey {
    pub(super) id: String,
    pub(super) purpose: String,
    pub(super) wrapped: Vec<u8>,
    pub(super) created_at: Timestamp,
}

pub(super) fn installation_id(conn: &mut AnyConn) -> Result<Option<String>, DbError> {
    let row = installation::table
        .find(1)
        .select(installation::installation_id);
    Ok(row.get_result(conn).optional()?)
}

/// The primary key of this row is the lock under which first keys are made.
pub(super) fn insert_installation(
    tx: &mut WriteTx<'_>,
    id: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    diesel::insert_into(installation::table)
        .values((
            installation::id.eq(1),
            installation::installation_id.eq(id),
            installation::created_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn insert_key(tx: &mut WriteTx<'_>, key: &WrappedKey) -> Result<(), DbError> {
    diesel::insert_into(wrapped_keys::table)
        .values(key)
        .execute(tx.conn())?;
    Ok(())
}

/// Newest first.
pub(super) fn keys(conn: &mut AnyConn) -> Result<Vec<WrappedKey>, DbError> {
    let newest =
        wrapped_keys::table.order((wrapped_keys::created_at.desc(), wrapped_keys::id.desc()));
    Ok(newest.load(conn)?)
}
