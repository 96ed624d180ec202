//! Deliveries with what was delivered, newest first.

use diesel::prelude::*;

use super::Download;
use crate::db::schema::{artifacts, downloads, kits, releases};
use crate::db::{AnyConn, DbError};
use crate::licenses::model::LicenseId;
use crate::releases::model::ReleaseId;

/// No id of a delivery comes after it: their first digit is at most 7.
const LAST: &str = "dld_z";

/// A delivery with what was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The delivery.
    pub download: Download,
    /// Slug of the kit.
    pub kit: String,
    /// The release that the file belongs to.
    pub release_id: ReleaseId,
    /// Its version.
    pub version: String,
    /// Name of the file.
    pub name: String,
}

type Row = (Download, String, ReleaseId, String, String);

fn delivered((download, kit, release_id, version, name): Row) -> Delivered {
    Delivered {
        download,
        kit,
        release_id,
        version,
        name,
    }
}

/// Some that are older than a cursor.
macro_rules! deliveries {
    ($cursor:expr, $limit:expr) => {
        downloads::table
            .inner_join(artifacts::table.inner_join(releases::table.inner_join(kits::table)))
            .filter(downloads::id.lt(before($cursor)))
            .order(downloads::id.desc())
            .select((
                Download::as_select(),
                kits::slug,
                releases::id,
                releases::version,
                artifacts::name,
            ))
            .limit($limit)
    };
}

fn before(cursor: &str) -> String {
    let cursor = if cursor.is_empty() { LAST } else { cursor };
    cursor.to_owned()
}

/// Deliveries to a license, after a cursor.
pub fn of_license(
    conn: &mut AnyConn,
    license: &LicenseId,
    cursor: &str,
    limit: i64,
) -> Result<Vec<Delivered>, DbError> {
    let rows: Vec<Row> = deliveries!(cursor, limit)
        .filter(downloads::license_id.eq(license))
        .load(conn)?;
    Ok(rows.into_iter().map(delivered).collect())
}

/// Deliveries of the copy whose stamp has this nonce, after a cursor.
pub fn of_stamp(
    conn: &mut AnyConn,
    nonce: &str,
    cursor: &str,
    limit: i64,
) -> Result<Vec<Delivered>, DbError> {
    let rows: Vec<Row> = deliveries!(cursor, limit)
        .filter(downloads::stamp_nonce.eq(nonce))
        .load(conn)?;
    Ok(rows.into_iter().map(delivered).collect())
}
