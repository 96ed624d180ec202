//! Which seats may be freed, and freeing one. Callers hold the license's root row.

use diesel::prelude::*;

use crate::activations::model::{ActivationId, FreedReason};
use crate::clock::Timestamp;
use crate::db::schema::activations;
use crate::db::{AnyConn, DbError, WriteTx, on_backend};
use crate::licenses::model::LicenseId;

/// Frees a seat; `false` when it was free already.
pub fn free(
    tx: &mut WriteTx<'_>,
    id: &ActivationId,
    reason: FreedReason,
    now: Timestamp,
) -> Result<bool, DbError> {
    let freed = diesel::update(activations::table.find(id))
        .filter(activations::freed_at.is_null())
        .set((
            activations::freed_at.eq(Some(now)),
            activations::freed_reason.eq(Some(reason)),
        ))
        .execute(tx.conn())?;
    Ok(freed == 1)
}

/// Seats of a license whose lease has ended and that still count, by id.
pub fn ended_leases(
    conn: &mut AnyConn,
    license: &LicenseId,
    now: Timestamp,
) -> Result<Vec<ActivationId>, DbError> {
    let ended = activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::freed_at.is_null())
        .filter(activations::lease_ends_at.le(now))
        .order(activations::id)
        .select(activations::id);
    Ok(on_backend!(conn, conn => ended.load(conn))?)
}

/// The seat to give up for another: the longest unseen one. Never a floating one, which frees
/// itself, nor one for which a file of a machine that is never online still speaks.
pub fn longest_unseen(
    conn: &mut AnyConn,
    license: &LicenseId,
    now: Timestamp,
) -> Result<Option<ActivationId>, DbError> {
    let found: Vec<ActivationId> = activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::freed_at.is_null())
        .filter(activations::lease_ends_at.is_null())
        .filter(not_offline(now))
        .order((activations::last_seen_at, activations::id))
        .limit(1)
        .select(activations::id)
        .load(conn)?;
    Ok(found.into_iter().next())
}

/// Some of the seats of a license not seen since a moment, by id.
pub fn unseen(
    conn: &mut AnyConn,
    license: &LicenseId,
    since: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<ActivationId>, DbError> {
    Ok(activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::freed_at.is_null())
        .filter(activations::last_seen_at.le(since))
        .filter(not_offline(now))
        .order(activations::id)
        .limit(limit)
        .select(activations::id)
        .load(conn)?)
}

#[diesel::dsl::auto_type]
pub(super) fn not_offline(now: Timestamp) -> _ {
    activations::offline_until
        .is_null()
        .or(activations::offline_until.le(now))
}
