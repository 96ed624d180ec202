//! Queries on `activations`.

mod lists;

use diesel::prelude::*;

use super::model::{ActivationId, FreedReason, Identity};
use crate::clock::Timestamp;
use crate::db::schema::activations;
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::SeatKind;
use crate::licenses::model::LicenseId;

pub use lists::{find_by_id, held_after, of_identities};

/// An activation as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = activations)]
pub struct Activation {
    /// Its id.
    pub id: ActivationId,
    /// The license.
    pub license_id: LicenseId,
    /// What occupies the seat.
    pub kind: SeatKind,
    /// Its identity, normalized.
    pub identity: String,
    /// Name for people.
    pub name: String,
    /// Version of the kit last seen there.
    pub version: Option<String>,
    /// Platform last seen there.
    pub platform: Option<String>,
    /// When the seat was taken.
    pub created_at: Timestamp,
    /// When it was last seen.
    pub last_seen_at: Timestamp,
    /// When it was freed; a freed row is reused by the same identity.
    pub freed_at: Option<Timestamp>,
    /// Until when a floating seat is held.
    pub lease_ends_at: Option<Timestamp>,
    /// Why it was freed.
    pub freed_reason: Option<FreedReason>,
}

/// The row of an identity, freed or not.
pub fn find_by_identity(
    conn: &mut AnyConn,
    license: &LicenseId,
    identity: &Identity,
) -> Result<Option<Activation>, DbError> {
    Ok(activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::kind.eq(identity.kind))
        .filter(activations::identity.eq(&identity.text))
        .get_result(conn)
        .optional()?)
}

/// A seat of a license by its id.
pub fn find(
    conn: &mut AnyConn,
    license: &LicenseId,
    id: &ActivationId,
) -> Result<Option<Activation>, DbError> {
    Ok(activations::table
        .find(id)
        .filter(activations::license_id.eq(license))
        .get_result(conn)
        .optional()?)
}

/// Seats in use, last seen first.
pub fn held(conn: &mut AnyConn, license: &LicenseId) -> Result<Vec<Activation>, DbError> {
    Ok(activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::freed_at.is_null())
        .order((activations::last_seen_at.desc(), activations::id))
        .load(conn)?)
}

/// Adds a seat.
pub fn insert(tx: &mut WriteTx<'_>, row: &Activation) -> Result<(), DbError> {
    diesel::insert_into(activations::table)
        .values(row)
        .execute(tx.conn())?;
    Ok(())
}

/// Writes what may change of a seat: name, version, platform, times.
pub fn update(tx: &mut WriteTx<'_>, row: &Activation) -> Result<(), DbError> {
    diesel::update(activations::table.find(&row.id))
        .set((
            activations::name.eq(&row.name),
            activations::version.eq(&row.version),
            activations::platform.eq(&row.platform),
            activations::created_at.eq(row.created_at),
            activations::last_seen_at.eq(row.last_seen_at),
            activations::freed_at.eq(row.freed_at),
            activations::lease_ends_at.eq(row.lease_ends_at),
            activations::freed_reason.eq(row.freed_reason),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Frees a seat; `false` when it was free already.
pub fn free(tx: &mut WriteTx<'_>, id: &ActivationId, now: Timestamp) -> Result<bool, DbError> {
    let freed = diesel::update(activations::table.find(id))
        .filter(activations::freed_at.is_null())
        .set((
            activations::freed_at.eq(Some(now)),
            activations::freed_reason.eq(Some(FreedReason::Freed)),
        ))
        .execute(tx.conn())?;
    Ok(freed == 1)
}
