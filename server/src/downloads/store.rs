//! Queries on `downloads` and `download_tickets`.

use diesel::prelude::*;

use super::model::DownloadId;
use crate::clock::Timestamp;
use crate::db::schema::{download_tickets, downloads};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::licenses::model::LicenseId;
use crate::releases::model::ArtifactId;

/// A delivery as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = downloads)]
pub struct Download {
    /// Its id.
    pub id: DownloadId,
    /// The file.
    pub artifact_id: ArtifactId,
    /// The license it went to.
    pub license_id: LicenseId,
    /// When it began.
    pub started_at: Timestamp,
}

/// A ticket as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = download_tickets)]
pub struct TicketRow {
    /// Keyed digest of its secret.
    pub digest: Vec<u8>,
    /// The file.
    pub artifact_id: ArtifactId,
    /// The license it was made for.
    pub license_id: LicenseId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Good until then.
    pub expires_at: Timestamp,
}

/// Adds a delivery.
pub fn insert(tx: &mut WriteTx<'_>, download: &Download) -> Result<(), DbError> {
    diesel::insert_into(downloads::table)
        .values(download)
        .execute(tx.conn())?;
    Ok(())
}

/// Deletes some of the tickets that ended before a moment, the oldest first.
pub fn delete_tickets(tx: &mut WriteTx<'_>, before: Timestamp) -> Result<(), DbError> {
    let old: Vec<Vec<u8>> = download_tickets::table
        .filter(download_tickets::expires_at.lt(before))
        .order((download_tickets::expires_at, download_tickets::digest))
        .limit(100)
        .select(download_tickets::digest)
        .load(tx.conn())?;
    if !old.is_empty() {
        let rows = download_tickets::table.filter(download_tickets::digest.eq_any(old));
        diesel::delete(rows).execute(tx.conn())?;
    }
    Ok(())
}

/// Deletes the tickets of a license.
pub fn delete_tickets_of(tx: &mut WriteTx<'_>, license: &LicenseId) -> Result<(), DbError> {
    let rows = download_tickets::table.filter(download_tickets::license_id.eq(license));
    diesel::delete(rows).execute(tx.conn())?;
    Ok(())
}

/// Deliveries to a license, newest first.
pub fn of_license(
    conn: &mut AnyConn,
    license: &LicenseId,
    limit: i64,
) -> Result<Vec<Download>, DbError> {
    Ok(downloads::table
        .filter(downloads::license_id.eq(license))
        .order(downloads::id.desc())
        .limit(limit)
        .load(conn)?)
}

/// Adds a ticket.
pub fn insert_ticket(tx: &mut WriteTx<'_>, ticket: &TicketRow) -> Result<(), DbError> {
    diesel::insert_into(download_tickets::table)
        .values(ticket)
        .execute(tx.conn())?;
    Ok(())
}

/// The ticket with this digest.
pub fn find_ticket(conn: &mut AnyConn, digest: &[u8]) -> Result<Option<TicketRow>, DbError> {
    Ok(download_tickets::table
        .find(digest)
        .get_result(conn)
        .optional()?)
}
