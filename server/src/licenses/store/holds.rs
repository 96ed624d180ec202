//! Holds and revocations: one row a reason.

use diesel::prelude::*;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::schema::license_holds;
use crate::db::{AnyConn, DbError, WriteTx};
use crate::licenses::model::{HoldId, HoldKind, HoldReason, LicenseId};

/// An open or closed reason as stored.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, utoipa::ToSchema, PartialEq, Eq)]
#[diesel(table_name = license_holds)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The license.
    pub license_id: LicenseId,
    /// Suspends or revokes.
    pub kind: HoldKind,
    /// Why.
    pub reason: HoldReason,
    /// What it came from: a dispute, a refund, or words of whoever opened it.
    pub cause: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
}

/// The row of a reason and its cause, open or closed.
pub fn find_hold(
    conn: &mut AnyConn,
    license: &LicenseId,
    reason: HoldReason,
    cause: &str,
) -> Result<Option<Hold>, DbError> {
    Ok(license_holds::table
        .filter(license_holds::license_id.eq(license))
        .filter(license_holds::kind.eq(reason.kind()))
        .filter(license_holds::reason.eq(reason))
        .filter(license_holds::cause.eq(cause))
        .get_result(conn)
        .optional()?)
}

/// All reasons of a license, oldest first.
pub fn holds_of(conn: &mut AnyConn, license: &LicenseId) -> Result<Vec<Hold>, DbError> {
    Ok(license_holds::table
        .filter(license_holds::license_id.eq(license))
        .order((license_holds::opened_at, license_holds::id))
        .load(conn)?)
}

/// Adds one.
pub fn insert_hold(tx: &mut WriteTx<'_>, hold: &Hold) -> Result<(), DbError> {
    diesel::insert_into(license_holds::table)
        .values(hold)
        .execute(tx.conn())?;
    Ok(())
}

/// Opens one again.
pub fn reopen_hold(tx: &mut WriteTx<'_>, id: &HoldId, now: Timestamp) -> Result<(), DbError> {
    diesel::update(license_holds::table.find(id))
        .set((
            license_holds::opened_at.eq(now),
            license_holds::closed_at.eq(None::<Timestamp>),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Closes one, and no other.
pub fn close_hold(tx: &mut WriteTx<'_>, id: &HoldId, now: Timestamp) -> Result<(), DbError> {
    diesel::update(license_holds::table.find(id))
        .set(license_holds::closed_at.eq(Some(now)))
        .execute(tx.conn())?;
    Ok(())
}
