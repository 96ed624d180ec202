//! What changes the root row of a license.

use diesel::prelude::*;

use super::hot::{CountSeat, CountVersion};
use super::{License, LicenseKeyRow};
use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::schema::{license_keys, licenses};
use crate::db::{DbError, WriteTx, on_backend};
use crate::licenses::model::LicenseId;

/// Adds a license and its key.
pub fn insert(tx: &mut WriteTx<'_>, license: &License, key: &LicenseKeyRow) -> Result<(), DbError> {
    diesel::insert_into(licenses::table)
        .values(license)
        .execute(tx.conn())?;
    diesel::insert_into(license_keys::table)
        .values(key)
        .execute(tx.conn())?;
    Ok(())
}

/// Writes what may change of a license; under its lock.
pub fn update(tx: &mut WriteTx<'_>, row: &License) -> Result<(), DbError> {
    diesel::update(licenses::table.find(&row.id))
        .set((
            (
                licenses::customer_id.eq(&row.customer_id),
                licenses::owned_since.eq(row.owned_since),
                licenses::policy_id.eq(&row.policy_id),
                licenses::terms_id.eq(&row.terms_id),
                licenses::seat_limit.eq(row.seat_limit),
                licenses::seat_cap.eq(row.seat_cap),
                licenses::over_limit_until.eq(row.over_limit_until),
                licenses::base_state.eq(row.base_state),
                licenses::merged_into.eq(&row.merged_into),
            ),
            (
                licenses::first_activated_at.eq(row.first_activated_at),
                licenses::valid_until.eq(row.valid_until),
                licenses::updates_until.eq(row.updates_until),
                licenses::past_due_since.eq(row.past_due_since),
                licenses::lapsed_at.eq(row.lapsed_at),
                licenses::extra_entitlements.eq(&row.extra_entitlements),
                licenses::metadata.eq(&row.metadata),
                licenses::seats_used.eq(row.seats_used),
            ),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Locks a license for the rest of the unit of work: its root row is written first (rule 4).
pub fn lock(tx: &mut WriteTx<'_>, id: &LicenseId) -> Result<bool, DbError> {
    let locked = on_backend!(tx.conn(), conn => CountVersion(id).execute(conn))?;
    Ok(locked == 1)
}

/// The same where staff, a policy or a payment changes it: its revision counts too.
pub fn lock_for_edit(tx: &mut WriteTx<'_>, id: &LicenseId) -> Result<bool, DbError> {
    let counted = diesel::update(licenses::table.find(id)).set((
        licenses::version.eq(licenses::version + 1),
        licenses::revision.eq(licenses::revision + 1),
    ));
    Ok(counted.execute(tx.conn())? == 1)
}

/// Whether a license belongs to this customer; if so, nobody else gets it until the unit of work ends.
/// Nothing changes, so its version does not count.
pub fn hold_owner(
    tx: &mut WriteTx<'_>,
    id: &LicenseId,
    owner: &CustomerId,
) -> Result<bool, DbError> {
    let row = licenses::table
        .find(id)
        .filter(licenses::customer_id.eq(owner));
    let unchanged = licenses::customer_id.eq(licenses::customer_id);
    Ok(diesel::update(row).set(unchanged).execute(tx.conn())? == 1)
}

/// The same where a person asks for what is their customer's; staff ask for what is anybody's.
pub fn hold_for(
    tx: &mut WriteTx<'_>,
    id: &LicenseId,
    owner: Option<&CustomerId>,
) -> Result<bool, DbError> {
    owner.map_or(Ok(true), |owner| hold_owner(tx, id, owner))
}

/// Takes a seat if one is left: the count and its limit in one statement.
pub fn claim_seat(tx: &mut WriteTx<'_>, id: &LicenseId) -> Result<bool, DbError> {
    let taken = on_backend!(tx.conn(), conn => CountSeat(id).execute(conn))?;
    Ok(taken == 1)
}

/// Gives seats back.
pub fn release_seats(tx: &mut WriteTx<'_>, id: &LicenseId, seats: i32) -> Result<(), DbError> {
    diesel::update(licenses::table.find(id))
        .filter(licenses::seats_used.ge(seats))
        .set(licenses::seats_used.eq(licenses::seats_used - seats))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes the first activation of a license and the ends that count from it, once.
pub fn start_clock(tx: &mut WriteTx<'_>, license: &License) -> Result<(), DbError> {
    diesel::update(licenses::table.find(&license.id))
        .filter(licenses::first_activated_at.is_null())
        .set((
            licenses::first_activated_at.eq(license.first_activated_at),
            licenses::valid_until.eq(license.valid_until),
            licenses::updates_until.eq(license.updates_until),
            licenses::revision.eq(licenses::revision + 1),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The time for choosing among seats beyond a lowered limit is over.
pub fn end_over_limit(tx: &mut WriteTx<'_>, id: &LicenseId) -> Result<(), DbError> {
    diesel::update(licenses::table.find(id))
        .set(licenses::over_limit_until.eq(None::<Timestamp>))
        .execute(tx.conn())?;
    Ok(())
}
