//! Queries behind the figures: rows of other features are read only.

use std::collections::BTreeMap;

use diesel::dsl::{count, count_star};
use diesel::prelude::*;

use super::checks::{Count, Place};
use super::days::Days;
use crate::db::schema::{
    activations, artifacts, downloads, licenses, terms, terms_kits, update_check_days,
};
use crate::db::{AnyConn, DbError, WriteTx, in_slices};
use crate::kits::model::{KitId, Scope, TermsId};
use crate::releases::model::ReleaseId;

/// Counts checks of a day.
pub(super) fn add_checks(tx: &mut WriteTx<'_>, place: &Place, count: Count) -> Result<(), DbError> {
    if raise(tx, place, count)? {
        return Ok(());
    }
    let (day, kit, version) = place;
    let added = tx.unless_taken(|tx| {
        diesel::insert_into(update_check_days::table)
            .values((
                update_check_days::day.eq(day),
                update_check_days::kit_id.eq(kit),
                update_check_days::version.eq(version),
                update_check_days::checks.eq(count.checks),
                update_check_days::subjects.eq(count.subjects),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    // Somebody else may have been faster between the two.
    if added.is_none() {
        raise(tx, place, count)?;
    }
    Ok(())
}

fn raise(tx: &mut WriteTx<'_>, (day, kit, version): &Place, count: Count) -> Result<bool, DbError> {
    let raised = diesel::update(update_check_days::table.find((day, kit, version)))
        .set((
            update_check_days::checks.eq(update_check_days::checks + count.checks),
            update_check_days::subjects.eq(update_check_days::subjects + count.subjects),
        ))
        .execute(tx.conn())?;
    Ok(raised == 1)
}

/// How often the files of a release were downloaded, and under how many licenses.
pub fn downloads_by_release(
    conn: &mut AnyConn,
    days: &Days,
    releases: &[ReleaseId],
) -> Result<Vec<(ReleaseId, i64, i64)>, DbError> {
    in_slices(releases, |releases| {
        Ok(downloads::table
            .inner_join(artifacts::table)
            .filter(artifacts::release_id.eq_any(releases.to_vec()))
            .filter(downloads::continues.eq(false))
            .filter(downloads::started_at.ge(days.from))
            .filter(downloads::started_at.lt(days.until))
            .group_by(artifacts::release_id)
            .select((
                artifacts::release_id,
                count_star(),
                count(downloads::license_id).aggregate_distinct(),
            ))
            .load(conn)?)
    })
}

/// Seats in use by the version they reported last: of licenses for this kit and no other, since a
/// seat tells no kit.
pub fn seats_by_version(
    conn: &mut AnyConn,
    kit: &KitId,
) -> Result<Vec<(Option<String>, i64)>, DbError> {
    let naming: Vec<TermsId> = terms_kits::table
        .inner_join(terms::table)
        .filter(terms_kits::kit_id.eq(kit))
        .filter(terms::scope.eq(Scope::Kits))
        .select(terms_kits::terms_id)
        .load(conn)?;
    let of_all: Vec<(TermsId, i64)> = in_slices(&naming, |naming| {
        Ok(terms_kits::table
            .filter(terms_kits::terms_id.eq_any(naming.to_vec()))
            .group_by(terms_kits::terms_id)
            .select((terms_kits::terms_id, count_star()))
            .load(conn)?)
    })?;
    let only: Vec<TermsId> = of_all
        .into_iter()
        .filter(|(_, kits)| *kits == 1)
        .map(|(terms, _)| terms)
        .collect();
    let rows: Vec<(Option<String>, i64)> = in_slices(&only, |only| {
        let bound = licenses::table
            .filter(licenses::terms_id.eq_any(only.to_vec()))
            .select(licenses::id);
        Ok(activations::table
            .filter(activations::freed_at.is_null())
            .filter(activations::license_id.eq_any(bound))
            .group_by(activations::version)
            .select((activations::version, count_star()))
            .load(conn)?)
    })?;
    let mut sums: BTreeMap<Option<String>, i64> = BTreeMap::new();
    for (version, seats) in rows {
        *sums.entry(version).or_default() += seats;
    }
    Ok(sums.into_iter().collect())
}

/// Checks of these days by version: how many, and how many asked on the busiest day.
pub fn checks_by_version(
    conn: &mut AnyConn,
    kit: &KitId,
    days: &Days,
) -> Result<Vec<(String, i64, i64)>, DbError> {
    let rows: Vec<(String, i64, i64)> = update_check_days::table
        .filter(update_check_days::kit_id.eq(kit))
        .filter(update_check_days::day.ge(days.first()))
        .filter(update_check_days::day.le(days.last()))
        .order((update_check_days::version, update_check_days::day))
        .select((
            update_check_days::version,
            update_check_days::checks,
            update_check_days::subjects,
        ))
        .load(conn)?;
    let mut sums: Vec<(String, i64, i64)> = Vec::new();
    for (version, checks, subjects) in rows {
        match sums.last_mut() {
            // Who asks each day is one in the field: the busiest day counts.
            Some(sum) if sum.0 == version => {
                sum.1 += checks;
                sum.2 = sum.2.max(subjects);
            }
            Some(_) | None => sums.push((version, checks, subjects)),
        }
    }
    Ok(sums)
}
