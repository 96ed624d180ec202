//! Queries on `activations` and `activation_events`.

mod due;
mod events;
mod freeing;

mod lists;

use diesel::prelude::*;

use super::model::{ActivationId, FreedReason, Identity};
use crate::clock::Timestamp;
use crate::db::schema::activations;
use crate::db::{AnyConn, DbError, WriteTx, in_slices, on_backend};
use crate::kits::model::SeatKind;
use crate::licenses::model::LicenseId;

pub use due::{licenses_over_limit, licenses_with_ended_leases, licenses_with_unseen};
pub use events::{freed_by_customer, moves_since, newest_event, record};
pub use freeing::{ended_leases, free, longest_unseen, unseen};
pub use lists::{find_by_id, held_after, of_identities};

/// An activation as stored.
// Each column is written, so that the statement is always the same and prepared once.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = activations, treat_none_as_default_value = false)]
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
    /// When it was last seen, up to a minute ago.
    pub last_seen_at: Timestamp,
    /// When it was freed; a freed row is reused by the same identity.
    pub freed_at: Option<Timestamp>,
    /// Until when a floating seat is held.
    pub lease_ends_at: Option<Timestamp>,
    /// Why it was freed.
    pub freed_reason: Option<FreedReason>,
    /// Until when a license file of a machine that is never online speaks for it.
    pub offline_until: Option<Timestamp>,
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

/// Seats held at a moment, last seen first. Those whose lease has ended are not.
pub fn held(
    conn: &mut AnyConn,
    license: &LicenseId,
    now: Timestamp,
) -> Result<Vec<Activation>, DbError> {
    let runs = activations::lease_ends_at
        .is_null()
        .or(activations::lease_ends_at.gt(now));
    Ok(activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::freed_at.is_null())
        .filter(runs)
        .order((activations::last_seen_at.desc(), activations::id))
        .load(conn)?)
}

/// Of these licenses, the seats that still count though their lease has ended, one row each.
pub fn ended_but_counted(
    conn: &mut AnyConn,
    licenses: &[LicenseId],
    now: Timestamp,
) -> Result<Vec<LicenseId>, DbError> {
    in_slices(licenses, |licenses| {
        Ok(activations::table
            .filter(activations::license_id.eq_any(licenses.to_vec()))
            .filter(activations::freed_at.is_null())
            .filter(activations::lease_ends_at.le(now))
            .select(activations::license_id)
            .load(conn)?)
    })
}

/// How many seats of a license still count though their lease has ended.
pub fn count_ended_but_counted(
    conn: &mut AnyConn,
    license: &LicenseId,
    now: Timestamp,
) -> Result<i64, DbError> {
    Ok(activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::freed_at.is_null())
        .filter(activations::lease_ends_at.le(now))
        .count()
        .get_result(conn)?)
}

/// Adds a seat.
pub fn insert(tx: &mut WriteTx<'_>, row: &Activation) -> Result<(), DbError> {
    on_backend!(tx.conn(), conn => diesel::insert_into(activations::table)
        .values(row)
        .execute(conn))?;
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
            activations::offline_until.eq(row.offline_until),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes that a seat was seen, unless it was seen later or is free.
pub fn set_seen(tx: &mut WriteTx<'_>, id: &ActivationId, at: Timestamp) -> Result<(), DbError> {
    diesel::update(activations::table.find(id))
        .filter(activations::freed_at.is_null())
        .filter(activations::last_seen_at.lt(at))
        .set(activations::last_seen_at.eq(at))
        .execute(tx.conn())?;
    Ok(())
}
