//! All seats of a license at once: it changes hands, or its seats are of another kind.

use super::store::{self, held};
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::licenses::model::LicenseId;

/// Frees every seat, and returns how many there were. The license is locked by the caller, who
/// also writes its count.
pub fn clear_in(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    now: Timestamp,
) -> Result<usize, DbError> {
    let seats = held(tx.conn(), license)?;
    for seat in &seats {
        store::free(tx, &seat.id, now)?;
    }
    Ok(seats.len())
}

/// Seats follow terms that give them a lease, or take it away.
pub fn lease_in(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    until: Option<Timestamp>,
) -> Result<(), DbError> {
    for mut seat in held(tx.conn(), license)? {
        let fits = seat.lease_ends_at.is_some() == until.is_some();
        if !fits {
            seat.lease_ends_at = until;
            store::update(tx, &seat)?;
        }
    }
    Ok(())
}
