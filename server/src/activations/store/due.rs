//! Licenses whose seats time has something to do with: each list is a slice, in no binding order.

use diesel::prelude::*;

use super::freeing::not_offline;
use crate::clock::Timestamp;
use crate::db::schema::{activations, licenses, terms};
use crate::db::{AnyConn, DbError};
use crate::licenses::model::LicenseId;

const DAY: i64 = 86_400;

/// Licenses with seats whose lease has ended, up to `limit` seats, the longest ended first.
pub fn licenses_with_ended_leases(
    conn: &mut AnyConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<LicenseId>, DbError> {
    let ended: Vec<LicenseId> = activations::table
        .filter(activations::freed_at.is_null())
        .filter(activations::lease_ends_at.le(now))
        .order(activations::lease_ends_at)
        .limit(limit)
        .select(activations::license_id)
        .load(conn)?;
    Ok(distinct(ended))
}

/// Licenses with seats unseen for as long as their terms say, up to `limit` seats for each length of
/// time.
pub fn licenses_with_unseen(
    conn: &mut AnyConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<LicenseId>, DbError> {
    let lengths: Vec<Option<i32>> = terms::table
        .filter(terms::free_unseen_days.is_not_null())
        .select(terms::free_unseen_days)
        .distinct()
        .load(conn)?;
    let mut due: Vec<LicenseId> = Vec::new();
    for days in lengths.into_iter().flatten() {
        let since = now.plus_seconds(-i64::from(days) * DAY);
        let unseen: Vec<LicenseId> = activations::table
            .inner_join(licenses::table.inner_join(terms::table))
            .filter(terms::free_unseen_days.eq(days))
            .filter(activations::freed_at.is_null())
            .filter(activations::last_seen_at.le(since))
            .filter(not_offline(now))
            .limit(limit)
            .select(activations::license_id)
            .load(conn)?;
        due.extend(unseen);
    }
    Ok(distinct(due))
}

/// Licenses whose time for choosing among seats beyond a lowered limit is over.
pub fn licenses_over_limit(
    conn: &mut AnyConn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<LicenseId>, DbError> {
    Ok(licenses::table
        .filter(licenses::over_limit_until.le(now))
        .order(licenses::over_limit_until)
        .limit(limit)
        .select(licenses::id)
        .load(conn)?)
}

fn distinct(mut ids: Vec<LicenseId>) -> Vec<LicenseId> {
    ids.sort();
    ids.dedup();
    ids
}
