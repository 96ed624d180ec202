//! Files that are coming in parts.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::{upload_parts, uploads};
use crate::db::{AnyConn, DbError, WriteTx, in_slices};
use crate::releases::model::{Cut, FileWords, ReleaseId, UploadId};

/// An upload as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = uploads)]
pub struct UploadRow {
    /// Its id.
    pub id: UploadId,
    /// The draft it is for.
    pub release_id: ReleaseId,
    /// Name of the file.
    pub name: String,
    /// What it is, such as `source`.
    pub kind: String,
    /// System it is for.
    pub platform: Option<String>,
    /// Processor it is for.
    pub arch: Option<String>,
    /// In bytes.
    pub size: i64,
    /// What the whole must hash to.
    pub sha256: String,
    /// Bytes of every part but the last.
    pub part_size: i64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When somebody last went on with it.
    pub used_at: Timestamp,
}

impl UploadRow {
    /// How the file is cut.
    pub fn cut(&self) -> Cut {
        Cut::kept(self.size, self.part_size)
    }

    /// What was said of the file.
    pub fn words(&self) -> FileWords<'_> {
        FileWords {
            kind: &self.kind,
            platform: self.platform.as_deref(),
            arch: self.arch.as_deref(),
        }
    }
}

/// A part that the storage holds.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = upload_parts)]
pub struct PartRow {
    /// The upload.
    pub upload_id: UploadId,
    /// Which part, from 1.
    pub number: i32,
    /// In bytes.
    pub size: i64,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// When it was there.
    pub created_at: Timestamp,
}

/// Adds an upload.
pub fn insert(tx: &mut WriteTx<'_>, upload: &UploadRow) -> Result<(), DbError> {
    diesel::insert_into(uploads::table)
        .values(upload)
        .execute(tx.conn())?;
    Ok(())
}

/// The upload with this id.
pub fn find(conn: &mut AnyConn, id: &UploadId) -> Result<Option<UploadRow>, DbError> {
    Ok(uploads::table.find(id).get_result(conn).optional()?)
}

/// The upload of this file for a release that is under way.
pub fn find_same(
    conn: &mut AnyConn,
    release: &ReleaseId,
    name: &str,
    sha256: &str,
) -> Result<Option<UploadRow>, DbError> {
    Ok(uploads::table
        .filter(uploads::release_id.eq(release))
        .filter(uploads::name.eq(name))
        .filter(uploads::sha256.eq(sha256))
        .get_result(conn)
        .optional()?)
}

/// Those that a release has under way with the parts that are there, after a cursor.
pub fn list_of(
    conn: &mut AnyConn,
    release: &ReleaseId,
    after: &str,
    limit: i64,
) -> Result<Vec<(UploadRow, Vec<PartRow>)>, DbError> {
    let found: Vec<UploadRow> = uploads::table
        .filter(uploads::release_id.eq(release))
        .filter(uploads::id.gt(after.to_owned()))
        .order(uploads::id)
        .limit(limit)
        .load(conn)?;
    let ids: Vec<UploadId> = found.iter().map(|upload| upload.id.clone()).collect();
    let parts: Vec<PartRow> = in_slices(&ids, |ids| {
        Ok(upload_parts::table
            .filter(upload_parts::upload_id.eq_any(ids.to_vec()))
            .order((upload_parts::upload_id, upload_parts::number))
            .load(conn)?)
    })?;
    let mut of_each: BTreeMap<UploadId, Vec<PartRow>> = BTreeMap::new();
    for part in parts {
        of_each
            .entry(part.upload_id.clone())
            .or_default()
            .push(part);
    }
    let with_parts = found.into_iter().map(|upload| {
        let own = of_each.remove(&upload.id).unwrap_or_default();
        (upload, own)
    });
    Ok(with_parts.collect())
}

/// How many a release has under way.
pub fn count_of(conn: &mut AnyConn, release: &ReleaseId) -> Result<i64, DbError> {
    Ok(uploads::table
        .filter(uploads::release_id.eq(release))
        .count()
        .get_result(conn)?)
}

/// Locks an upload and notes that somebody goes on with it; whether it is still there.
pub fn touch(tx: &mut WriteTx<'_>, id: &UploadId, now: Timestamp) -> Result<bool, DbError> {
    let touched = diesel::update(uploads::table.find(id))
        .set(uploads::used_at.eq(now))
        .execute(tx.conn())?;
    Ok(touched == 1)
}

/// Parts that are there, in order.
pub fn parts_of(conn: &mut AnyConn, id: &UploadId) -> Result<Vec<PartRow>, DbError> {
    Ok(upload_parts::table
        .filter(upload_parts::upload_id.eq(id))
        .order(upload_parts::number)
        .load(conn)?)
}

/// One part that is there.
pub fn find_part(
    conn: &mut AnyConn,
    id: &UploadId,
    number: i32,
) -> Result<Option<PartRow>, DbError> {
    Ok(upload_parts::table
        .find((id, number))
        .get_result(conn)
        .optional()?)
}

/// Adds a part.
pub fn insert_part(tx: &mut WriteTx<'_>, part: &PartRow) -> Result<(), DbError> {
    diesel::insert_into(upload_parts::table)
        .values(part)
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets a part, so that it may be sent again.
pub fn delete_part(tx: &mut WriteTx<'_>, id: &UploadId, number: i32) -> Result<(), DbError> {
    diesel::delete(upload_parts::table.find((id, number))).execute(tx.conn())?;
    Ok(())
}

/// Ends an upload; whether it was there. Its parts go with it.
pub fn delete(tx: &mut WriteTx<'_>, id: &UploadId) -> Result<bool, DbError> {
    Ok(diesel::delete(uploads::table.find(id)).execute(tx.conn())? == 1)
}

/// Ends an upload unless somebody went on with it since; whether it was ended.
pub fn delete_if_unused(
    tx: &mut WriteTx<'_>,
    id: &UploadId,
    since: Timestamp,
) -> Result<bool, DbError> {
    let unused = uploads::table.find(id).filter(uploads::used_at.lt(since));
    Ok(diesel::delete(unused).execute(tx.conn())? == 1)
}

/// Uploads nobody went on with since.
pub fn unused(conn: &mut AnyConn, since: Timestamp, limit: i64) -> Result<Vec<UploadId>, DbError> {
    Ok(uploads::table
        .filter(uploads::used_at.lt(since))
        .order((uploads::used_at, uploads::id))
        .limit(limit)
        .select(uploads::id)
        .load(conn)?)
}

/// How many are under way, and the bytes of their parts.
pub fn figures(conn: &mut AnyConn) -> Result<(i64, i64), DbError> {
    let count = uploads::table.count().get_result(conn)?;
    let sizes: Vec<i64> = upload_parts::table.select(upload_parts::size).load(conn)?;
    let bytes = sizes.into_iter().fold(0_i64, i64::saturating_add);
    Ok((count, bytes))
}
