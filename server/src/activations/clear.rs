//! All seats of a license at once: it changes hands, or its seats are of another kind.

use super::free::{free_all, free_ended};
use super::hand::Hand;
use super::model::{ActivationId, FreedReason};
use super::store::{self, held};
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::licenses::model::LicenseId;

/// Frees every seat. The license is locked by the caller, who writes its count: nothing.
pub fn clear_in(tx: &mut WriteTx<'_>, license: &LicenseId, hand: &Hand) -> Result<(), DbError> {
    free_ended(tx, license, hand)?;
    let seats = held(tx.conn(), license, hand.now)?;
    let seats: Vec<ActivationId> = seats.into_iter().map(|seat| seat.id).collect();
    free_all(tx, license, &seats, FreedReason::Freed, hand)?;
    Ok(())
}

/// Frees the seats whose lease has ended and returns how many. The license is locked by the caller;
/// its count is written here.
pub fn end_leases_in(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    hand: &Hand,
) -> Result<i32, DbError> {
    free_ended(tx, license, hand)
}

/// Seats follow terms that give them a lease, or take it away; those whose lease has ended are
/// freed first. One for which a file of a machine that is never online speaks is held until the
/// file's end. Returns how many were freed: the license is locked by the caller, who writes its count.
pub fn lease_in(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    until: Option<Timestamp>,
    hand: &Hand,
) -> Result<i32, DbError> {
    let ended = free_ended(tx, license, hand)?;
    for mut seat in held(tx.conn(), license, hand.now)? {
        let fits = seat.lease_ends_at.is_some() == until.is_some();
        if !fits {
            seat.lease_ends_at = until.map(|end| seat.lease_end(end));
            store::update(tx, &seat)?;
        }
    }
    Ok(ended)
}
