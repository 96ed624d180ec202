//! Queries on `signing_keys`.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::signing_keys;
use crate::db::{AnyConn, DbError, WriteTx};

#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = signing_keys)]
pub(super) struct SigningKeyRow {
    pub(super) kid: String,
    pub(super) purpose: String,
    pub(super) state: String,
    pub(super) public_key: Vec<u8>,
    pub(super) private_key: Vec<u8>,
    pub(super) created_at: Timestamp,
}

pub(super) fn all(conn: &mut AnyConn) -> Result<Vec<SigningKeyRow>, DbError> {
    Ok(signing_keys::table
        .order((signing_keys::created_at, signing_keys::kid))
        .load(conn)?)
}

pub(super) fn insert(tx: &mut WriteTx<'_>, row: &SigningKeyRow) -> Result<(), DbError> {
    diesel::insert_into(signing_keys::table)
        .values(row)
        .execute(tx.conn())?;
    Ok(())
}
