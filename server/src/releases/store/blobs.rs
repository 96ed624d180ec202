//! Stored bytes and who refers to them.
//!
//! A row is there before anybody refers to its file, and for as long as the file is. Bytes that
//! nobody refers to are marked; a day later a sweep claims the row, deletes the file, then the row.
//! Whoever comes with the same bytes takes the mark away, unless the row is claimed already.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::{artifacts, blobs, releases};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::KitId;
use crate::storage::Stored;

use super::Artifact;

/// How bytes stand after somebody asked to keep them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// They stay for at least as long as marked bytes do.
    Yes,
    /// They are being deleted just now.
    BeingDeleted,
}

/// A row that a sweep claimed.
#[derive(Debug, Clone, Queryable, PartialEq, Eq)]
pub struct Claimed {
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// In bytes.
    pub size: i64,
}

/// How much is stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobFigures {
    /// Files, and their bytes.
    pub all: (i64, i64),
    /// Those of them that nothing refers to.
    pub unused: (i64, i64),
}

/// Keeps bytes that are in their place from being deleted before they are referred to.
pub fn keep(tx: &mut WriteTx<'_>, stored: &Stored, now: Timestamp) -> Result<Kept, DbError> {
    if mark_anew(tx, stored, now)? {
        return Ok(Kept::Yes);
    }
    if tx
        .unless_taken(|tx| insert_unused(tx, stored, now))?
        .is_some()
    {
        return Ok(Kept::Yes);
    }
    // Claimed, or somebody else was faster between the two.
    Ok(if mark_anew(tx, stored, now)? {
        Kept::Yes
    } else {
        Kept::BeingDeleted
    })
}

/// Lets the day of bytes that nothing refers to begin again; whether there is a row nobody claimed.
fn mark_anew(tx: &mut WriteTx<'_>, stored: &Stored, now: Timestamp) -> Result<bool, DbError> {
    let unclaimed = blobs::table
        .find(&stored.sha256)
        .filter(blobs::deleting_since.is_null());
    let is_there = diesel::update(unclaimed)
        .set(blobs::storage_key.eq(&stored.key))
        .execute(tx.conn())?;
    let unused = unclaimed.filter(blobs::references_count.eq(0));
    diesel::update(unused)
        .set(blobs::unused_since.eq(now))
        .execute(tx.conn())?;
    Ok(is_there == 1)
}

/// Gives a file a row, marked; whether it had none.
pub fn adopt(tx: &mut WriteTx<'_>, stored: &Stored, now: Timestamp) -> Result<bool, DbError> {
    let added = tx.unless_taken(|tx| insert_unused(tx, stored, now))?;
    Ok(added.is_some())
}

fn insert_unused(tx: &mut WriteTx<'_>, stored: &Stored, now: Timestamp) -> Result<(), DbError> {
    diesel::insert_into(blobs::table)
        .values((
            blobs::sha256.eq(&stored.sha256),
            blobs::size.eq(i64::try_from(stored.size).unwrap_or(i64::MAX)),
            blobs::storage_key.eq(&stored.key),
            blobs::references_count.eq(0),
            blobs::created_at.eq(now),
            blobs::unused_since.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Counts one more reference to bytes that are kept; whether they still are.
pub fn refer(tx: &mut WriteTx<'_>, sha256: &str) -> Result<Kept, DbError> {
    let unclaimed = blobs::table
        .find(sha256)
        .filter(blobs::deleting_since.is_null());
    let counted = diesel::update(unclaimed)
        .set((
            blobs::references_count.eq(blobs::references_count + 1),
            blobs::unused_since.eq(None::<Timestamp>),
        ))
        .execute(tx.conn())?;
    Ok(if counted == 1 {
        Kept::Yes
    } else {
        Kept::BeingDeleted
    })
}

/// Counts one reference less; bytes that nothing refers to any more are marked.
pub fn let_go(tx: &mut WriteTx<'_>, sha256: &str, now: Timestamp) -> Result<(), DbError> {
    let referred = blobs::table
        .find(sha256)
        .filter(blobs::references_count.gt(0));
    diesel::update(referred)
        .set(blobs::references_count.eq(blobs::references_count - 1))
        .execute(tx.conn())?;
    let unused = blobs::table
        .find(sha256)
        .filter(blobs::references_count.eq(0));
    diesel::update(unused)
        .set(blobs::unused_since.eq(now))
        .execute(tx.conn())?;
    Ok(())
}

/// Claims bytes marked before `marked`, and those whose claim is older than `abandoned`.
pub fn claim(
    tx: &mut WriteTx<'_>,
    (marked, abandoned): (Timestamp, Timestamp),
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Claimed>, DbError> {
    let due: Vec<Claimed> = blobs::table
        .filter(blobs::references_count.eq(0))
        .filter(blobs::unused_since.lt(marked))
        .filter(
            blobs::deleting_since
                .is_null()
                .or(blobs::deleting_since.lt(abandoned)),
        )
        .order((blobs::unused_since, blobs::sha256))
        .limit(limit)
        .select((blobs::sha256, blobs::size))
        .load(tx.conn())?;
    let mut claimed = Vec::new();
    for row in due {
        // On PostgreSQL the row may have changed since it was read.
        let still = blobs::table
            .find(&row.sha256)
            .filter(blobs::references_count.eq(0))
            .filter(blobs::unused_since.lt(marked))
            .filter(
                blobs::deleting_since
                    .is_null()
                    .or(blobs::deleting_since.lt(abandoned)),
            );
        let taken = diesel::update(still)
            .set(blobs::deleting_since.eq(now))
            .execute(tx.conn())?;
        if taken == 1 {
            claimed.push(row);
        }
    }
    Ok(claimed)
}

/// Whether a row bears this claim and nobody else's.
pub fn bears_claim(
    conn: &mut AnyConn,
    sha256: &str,
    claimed_at: Timestamp,
) -> Result<bool, DbError> {
    let found: Vec<String> = blobs::table
        .filter(blobs::sha256.eq(sha256.to_owned()))
        .filter(blobs::references_count.eq(0))
        .filter(blobs::deleting_since.eq(claimed_at))
        .select(blobs::sha256)
        .load(conn)?;
    Ok(!found.is_empty())
}

/// Takes this claim off and lets the day of the bytes begin again.
pub fn give_back(
    tx: &mut WriteTx<'_>,
    sha256: &str,
    claimed_at: Timestamp,
    now: Timestamp,
) -> Result<(), DbError> {
    let claimed = blobs::table
        .find(sha256)
        .filter(blobs::references_count.eq(0))
        .filter(blobs::deleting_since.eq(claimed_at));
    diesel::update(claimed)
        .set((
            blobs::deleting_since.eq(None::<Timestamp>),
            blobs::unused_since.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Deletes the row of a file that is deleted, if it still bears this claim and nobody else's;
/// whether it did.
pub fn forget(tx: &mut WriteTx<'_>, sha256: &str, claimed_at: Timestamp) -> Result<bool, DbError> {
    let claimed = blobs::table
        .find(sha256)
        .filter(blobs::references_count.eq(0))
        .filter(blobs::deleting_since.eq(claimed_at));
    Ok(diesel::delete(claimed).execute(tx.conn())? == 1)
}

/// Which of these have a row.
pub fn known(conn: &mut AnyConn, sha256: &[String]) -> Result<Vec<String>, DbError> {
    Ok(blobs::table
        .filter(blobs::sha256.eq_any(sha256.to_vec()))
        .select(blobs::sha256)
        .load(conn)?)
}

/// Bytes that something refers to, in the order of their hashes.
pub fn referred_after(
    conn: &mut AnyConn,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, i64)>, DbError> {
    Ok(blobs::table
        .filter(blobs::references_count.gt(0))
        .filter(blobs::sha256.gt(after.to_owned()))
        .order(blobs::sha256)
        .limit(limit)
        .select((blobs::sha256, blobs::size))
        .load(conn)?)
}

/// A file with these bytes in any release of a kit.
pub fn in_kit(conn: &mut AnyConn, kit: &KitId, sha256: &str) -> Result<Option<Artifact>, DbError> {
    let mut found: Vec<Artifact> = artifacts::table
        .inner_join(releases::table)
        .filter(releases::kit_id.eq(kit))
        .filter(artifacts::sha256.eq(sha256.to_owned()))
        .order(artifacts::id)
        .limit(1)
        .select(artifacts::all_columns)
        .load(conn)?;
    Ok(found.pop())
}

/// How much is stored.
pub fn figures(conn: &mut AnyConn) -> Result<BlobFigures, DbError> {
    let rows: Vec<(i32, i64)> = blobs::table
        .select((blobs::references_count, blobs::size))
        .load(conn)?;
    let mut figures = BlobFigures::default();
    for (references, size) in rows {
        add(&mut figures.all, size);
        if references == 0 {
            add(&mut figures.unused, size);
        }
    }
    Ok(figures)
}

fn add(sum: &mut (i64, i64), size: i64) {
    sum.0 += 1;
    sum.1 = sum.1.saturating_add(size);
}
