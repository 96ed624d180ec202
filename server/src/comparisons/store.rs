//! Queries on `comparisons`.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::comparisons;
use crate::db::types::text_enum;
use crate::db::{AnyConn, DbError, WriteTx};

text_enum! {
    /// What a comparison came to.
    pub enum Outcome {
        /// There is one.
        Ready = "ready",
        /// An archive cannot be read.
        Unreadable = "unreadable",
        /// An archive has too many files.
        TooManyFiles = "too_many_files",
        /// An archive's files are too large.
        TooLarge = "too_large",
        /// It took too long.
        TooSlow = "too_slow",
    }
}

/// A comparison as stored, without the patch.
#[derive(Debug, Clone, Queryable, PartialEq, Eq)]
pub struct Comparison {
    /// What it came to.
    pub outcome: Outcome,
    /// The summary as JSON; why there is none as a sentence.
    pub summary: String,
    /// Bytes of the patch.
    pub patch_size: i64,
    /// Of the patch; 64 hexadecimal digits, empty where there is none.
    pub patch_sha256: String,
    /// Which edition of the program computed it.
    pub edition: i32,
    /// When it was computed.
    pub created_at: Timestamp,
}

/// A comparison to store.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = comparisons)]
pub(super) struct NewComparison {
    pub(super) old_sha256: String,
    pub(super) new_sha256: String,
    pub(super) edition: i32,
    pub(super) outcome: Outcome,
    pub(super) summary: String,
    pub(super) patch: Vec<u8>,
    pub(super) patch_size: i64,
    pub(super) patch_sha256: String,
    /// Bytes of what is stored.
    pub(super) weight: i64,
    pub(super) created_at: Timestamp,
}

/// Of the archives with these hashes.
pub fn find(conn: &mut AnyConn, old: &str, new: &str) -> Result<Option<Comparison>, DbError> {
    Ok(comparisons::table
        .find((old.to_owned(), new.to_owned()))
        .select((
            comparisons::outcome,
            comparisons::summary,
            comparisons::patch_size,
            comparisons::patch_sha256,
            comparisons::edition,
            comparisons::created_at,
        ))
        .get_result(conn)
        .optional()?)
}

/// The patch with this hash, compressed by zlib: a comparison that was put in another's place since
/// that was looked at may have another.
pub(super) fn find_patch(
    conn: &mut AnyConn,
    (old, new): (&str, &str),
    sha256: &str,
) -> Result<Option<Vec<u8>>, DbError> {
    Ok(comparisons::table
        .find((old.to_owned(), new.to_owned()))
        .filter(comparisons::patch_sha256.eq(sha256))
        .select(comparisons::patch)
        .get_result(conn)
        .optional()?)
}

/// Adds a comparison in place of an earlier one; the oldest make room where all weigh more than
/// `weight_max` together.
pub(super) fn put(
    tx: &mut WriteTx<'_>,
    row: &NewComparison,
    weight_max: i64,
) -> Result<(), DbError> {
    delete(tx, &row.old_sha256, &row.new_sha256)?;
    make_room(tx, weight_max.saturating_sub(row.weight))?;
    // Another process may have been faster: what it has is the same.
    tx.unless_taken(|tx| {
        diesel::insert_into(comparisons::table)
            .values(row)
            .execute(tx.conn())?;
        Ok(())
    })?;
    Ok(())
}

fn make_room(tx: &mut WriteTx<'_>, weight_max: i64) -> Result<(), DbError> {
    let newest_first: Vec<(String, String, i64)> = comparisons::table
        .order((
            comparisons::created_at.desc(),
            comparisons::old_sha256,
            comparisons::new_sha256,
        ))
        .select((
            comparisons::old_sha256,
            comparisons::new_sha256,
            comparisons::weight,
        ))
        .load(tx.conn())?;
    let mut total = 0_i64;
    for (old, new, weight) in newest_first {
        total = total.saturating_add(weight);
        if total > weight_max {
            delete(tx, &old, &new)?;
        }
    }
    Ok(())
}

fn delete(tx: &mut WriteTx<'_>, old: &str, new: &str) -> Result<(), DbError> {
    let row = comparisons::table.find((old.to_owned(), new.to_owned()));
    diesel::delete(row).execute(tx.conn())?;
    Ok(())
}
