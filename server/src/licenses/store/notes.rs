//! What the vendor's people wrote about a license.

use diesel::prelude::*;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::schema::license_notes;
use crate::db::{AnyConn, DbError, WriteTx};
use crate::licenses::model::{LicenseId, NoteId};

/// A note as stored.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, utoipa::ToSchema, PartialEq, Eq)]
#[diesel(table_name = license_notes)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// The license.
    pub license_id: LicenseId,
    /// Who wrote it, as in the audit log.
    pub author: String,
    /// Its text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
}

/// Adds one.
pub fn insert_note(tx: &mut WriteTx<'_>, note: &Note) -> Result<(), DbError> {
    diesel::insert_into(license_notes::table)
        .values(note)
        .execute(tx.conn())?;
    Ok(())
}

/// The notes of a license, oldest first.
pub fn notes_of(conn: &mut AnyConn, license: &LicenseId) -> Result<Vec<Note>, DbError> {
    Ok(license_notes::table
        .filter(license_notes::license_id.eq(license))
        .order(license_notes::id)
        .load(conn)?)
}
