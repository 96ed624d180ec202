//! Queries on `downloads` and `download_tickets`.

mod days;
mod deliveries;
mod gate;

use diesel::prelude::*;

use super::model::{CredentialForm, DownloadId, day_start};
use crate::clock::Timestamp;
use crate::db::schema::{download_tickets, downloads};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::licenses::model::LicenseId;
use crate::licenses::tokens::model::LicenseTokenId;
use crate::releases::model::ArtifactId;

pub use days::{count, delete_days, insert_file, lock_day, seen};
pub use deliveries::{Delivered, of_license, of_stamp};
pub use gate::{Gate, Sought, gates};

/// A delivery as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = downloads)]
pub struct Download {
    /// Its id.
    pub id: DownloadId,
    /// The file.
    pub artifact_id: ArtifactId,
    /// The license it went to; none for open kits.
    pub license_id: Option<LicenseId>,
    /// The form in which the key or token came.
    pub credential: CredentialForm,
    /// The token, where it was one.
    pub token_id: Option<LicenseTokenId>,
    /// The network it went to.
    pub network: Option<String>,
    /// How many bytes were asked for, in all its parts.
    pub bytes_asked: Option<i64>,
    /// Whether it goes on with what this network was given before on the same day in another form.
    pub continues: bool,
    /// When its first part began.
    pub started_at: Timestamp,
    /// Whether all bytes of its last part were sent; unknown while that runs and behind a redirect.
    pub completed: Option<bool>,
    /// Nonce of the stamp in it.
    pub stamp_nonce: Option<String>,
}

/// A ticket as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
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
    /// The network that used it first.
    pub network: Option<String>,
    /// How many bytes were asked for with it.
    pub bytes_asked: i64,
}

/// Adds a delivery.
pub fn insert(tx: &mut WriteTx<'_>, download: &Download) -> Result<(), DbError> {
    diesel::insert_into(downloads::table)
        .values(download)
        .execute(tx.conn())?;
    Ok(())
}

/// The newest delivery of the same day that says the same as `row`: the same file for the same license,
/// or for none, in the same network and form.
pub fn of_same_day(tx: &mut WriteTx<'_>, row: &Download) -> Result<Option<DownloadId>, DbError> {
    let Some(network) = row.network.as_deref() else {
        return Ok(None);
    };
    // Ids are in the order of time, as indexes are.
    let least = DownloadId::least(day_start(row.started_at));
    let rows = downloads::table
        .filter(downloads::id.ge(least))
        .filter(downloads::artifact_id.eq(&row.artifact_id))
        .filter(downloads::network.eq(network))
        .order(downloads::id.desc())
        .limit(100);
    let found: Vec<Download> = match &row.license_id {
        Some(license) => rows
            .filter(downloads::license_id.eq(license))
            .load(tx.conn())?,
        None => rows
            .filter(downloads::license_id.is_null())
            .load(tx.conn())?,
    };
    let same = |it: &Download| {
        it.credential == row.credential
            && it.token_id == row.token_id
            && it.stamp_nonce == row.stamp_nonce
    };
    Ok(found.into_iter().find(same).map(|it| it.id))
}

/// Adds the bytes of another part to a delivery, which has not ended then.
pub fn add_part(tx: &mut WriteTx<'_>, id: &DownloadId, bytes: i64) -> Result<(), DbError> {
    diesel::update(downloads::table.find(id))
        .set((
            downloads::bytes_asked.eq(downloads::bytes_asked + bytes),
            downloads::completed.eq(None::<bool>),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Says how a delivery ended.
pub fn set_completed(
    tx: &mut WriteTx<'_>,
    id: &DownloadId,
    completed: bool,
) -> Result<(), DbError> {
    diesel::update(downloads::table.find(id))
        .set(downloads::completed.eq(completed))
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets to which networks some deliveries went that began before a moment, the oldest first; how
/// many there were.
pub fn forget_networks(tx: &mut WriteTx<'_>, before: Timestamp) -> Result<usize, DbError> {
    let old: Vec<DownloadId> = downloads::table
        .filter(downloads::network.is_not_null())
        .filter(downloads::started_at.lt(before))
        .order(downloads::started_at)
        .limit(500)
        .select(downloads::id)
        .load(tx.conn())?;
    if old.is_empty() {
        return Ok(0);
    }
    let rows = downloads::table.filter(downloads::id.eq_any(old));
    let forgotten = downloads::network.eq(None::<String>);
    Ok(diesel::update(rows).set(forgotten).execute(tx.conn())?)
}

/// Deletes some of the tickets that ended before a moment, the oldest first; how many there were.
pub fn delete_tickets(tx: &mut WriteTx<'_>, before: Timestamp) -> Result<usize, DbError> {
    let old: Vec<Vec<u8>> = download_tickets::table
        .filter(download_tickets::expires_at.lt(before))
        .order((download_tickets::expires_at, download_tickets::digest))
        .limit(100)
        .select(download_tickets::digest)
        .load(tx.conn())?;
    if old.is_empty() {
        return Ok(0);
    }
    let rows = download_tickets::table.filter(download_tickets::digest.eq_any(old));
    Ok(diesel::delete(rows).execute(tx.conn())?)
}

/// Deletes all tickets of a license.
pub fn delete_tickets_of(tx: &mut WriteTx<'_>, license: &LicenseId) -> Result<(), DbError> {
    let tickets = download_tickets::table.filter(download_tickets::license_id.eq(license));
    diesel::delete(tickets).execute(tx.conn())?;
    Ok(())
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

/// Takes `bytes` of what a ticket has left, of `most` in all, for a network; whether it had them and
/// belongs to the network, or to none yet.
pub fn use_ticket(
    tx: &mut WriteTx<'_>,
    digest: &[u8],
    network: &str,
    bytes: i64,
    most: i64,
) -> Result<bool, DbError> {
    use download_tickets as tickets;
    let fits = tickets::network
        .is_null()
        .or(tickets::network.eq(network).assume_not_null());
    let row = tickets::table
        .find(digest)
        .filter(tickets::bytes_asked.le(most.saturating_sub(bytes)))
        .filter(fits);
    let used = (
        tickets::network.eq(network),
        tickets::bytes_asked.eq(tickets::bytes_asked + bytes),
    );
    Ok(diesel::update(row).set(used).execute(tx.conn())? == 1)
}
