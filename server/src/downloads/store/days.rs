//! Queries on `download_days` and `download_day_files`: what a license fetched on one day.

use diesel::prelude::*;

use crate::db::schema::{download_day_files as files, download_days as days};
use crate::db::{DbError, WriteTx};
use crate::downloads::model::{Day, DayLimits, LimitReached};
use crate::licenses::model::LicenseId;
use crate::releases::model::ArtifactId;

/// Locks the day of a license until the end of the unit of work, making it where it is new.
pub fn lock_day(tx: &mut WriteTx<'_>, license: &LicenseId, day: Day) -> Result<(), DbError> {
    if touch(tx, license, day)? == 0 {
        let row = (
            days::license_id.eq(license),
            days::day.eq(day.number()),
            days::downloads.eq(0),
            days::networks.eq(0),
        );
        // Where another made it meanwhile, its row is locked next.
        tx.unless_taken(|tx| {
            let insert = diesel::insert_into(days::table).values(row);
            Ok(insert.execute(tx.conn())?)
        })?;
        touch(tx, license, day)?;
    }
    Ok(())
}

fn touch(tx: &mut WriteTx<'_>, license: &LicenseId, day: Day) -> Result<usize, DbError> {
    let row = days::table.find((license, day.number()));
    let unchanged = days::downloads.eq(days::downloads + 0);
    Ok(diesel::update(row).set(unchanged).execute(tx.conn())?)
}

/// Whether the license was given this file in this network on this day, and whether any.
pub fn seen(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    day: Day,
    network: &str,
    artifact: &ArtifactId,
) -> Result<(bool, bool), DbError> {
    let of_network = files::table
        .filter(files::license_id.eq(license))
        .filter(files::day.eq(day.number()))
        .filter(files::network.eq(network));
    let all: i64 = of_network.count().get_result(tx.conn())?;
    let this = of_network.filter(files::artifact_id.eq(artifact));
    let this: i64 = this.count().get_result(tx.conn())?;
    Ok((this > 0, all > 0))
}

/// Counts one more download, and one more network where it is new: count and limit are one
/// statement.
pub fn count(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    day: Day,
    is_new_network: bool,
    limits: DayLimits,
) -> Result<Result<(), LimitReached>, DbError> {
    let most = |limit: Option<i32>| limit.unwrap_or(i32::MAX);
    let networks = i32::from(is_new_network);
    let row = days::table
        .find((license, day.number()))
        .filter(days::downloads.lt(most(limits.downloads)))
        .filter(days::networks.le(most(limits.networks) - networks));
    let counted = (
        days::downloads.eq(days::downloads + 1),
        days::networks.eq(days::networks + networks),
    );
    if diesel::update(row).set(counted).execute(tx.conn())? == 1 {
        return Ok(Ok(()));
    }
    // The row is locked: what it says now is why.
    let downloads: i32 = days::table
        .find((license, day.number()))
        .select(days::downloads)
        .get_result(tx.conn())?;
    Ok(Err(if downloads >= most(limits.downloads) {
        LimitReached::Downloads(downloads)
    } else {
        LimitReached::Networks(most(limits.networks))
    }))
}

/// Remembers that the license was given this file in this network on this day.
pub fn insert_file(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    day: Day,
    network: &str,
    artifact: &ArtifactId,
) -> Result<(), DbError> {
    diesel::insert_into(files::table)
        .values((
            files::license_id.eq(license),
            files::day.eq(day.number()),
            files::network.eq(network),
            files::artifact_id.eq(artifact),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Deletes what some licenses fetched on days before one; how many days there were.
pub fn delete_days(tx: &mut WriteTx<'_>, before: Day) -> Result<usize, DbError> {
    let old: Vec<LicenseId> = days::table
        .filter(days::day.lt(before.number()))
        .order((days::day, days::license_id))
        .limit(100)
        .select(days::license_id)
        .load(tx.conn())?;
    let of_files = files::table
        .filter(files::license_id.eq_any(old.clone()))
        .filter(files::day.lt(before.number()));
    diesel::delete(of_files).execute(tx.conn())?;
    let of_days = days::table
        .filter(days::license_id.eq_any(old))
        .filter(days::day.lt(before.number()));
    Ok(diesel::delete(of_days).execute(tx.conn())?)
}
