//! What files were found to be.

use diesel::prelude::*;

use crate::db::schema::artifacts;
use crate::db::{DbError, WriteTx};
use crate::releases::model::{ArchiveFormat, ArtifactId};

/// What looking into a file found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// What kind of archive it is, where it is one.
    pub archive: Option<ArchiveFormat>,
    /// How many entries the archive has.
    pub entries: Option<i64>,
    /// How many bytes its entries have, unpacked.
    pub bytes: Option<i64>,
    /// The records at the end of a zip, up to its comment.
    pub zip_end: Option<Vec<u8>>,
    /// Why it cannot carry a stamp.
    pub unstampable: Option<String>,
}

/// Writes what a file of before was found to be.
pub fn set_layout(tx: &mut WriteTx<'_>, id: &ArtifactId, layout: &Layout) -> Result<(), DbError> {
    let unexamined = artifacts::table
        .find(id)
        .filter(artifacts::examined.eq(false));
    diesel::update(unexamined)
        .set((
            artifacts::archive.eq(layout.archive),
            artifacts::archive_entries.eq(layout.entries),
            artifacts::archive_bytes.eq(layout.bytes),
            artifacts::zip_end.eq(&layout.zip_end),
            artifacts::unstampable.eq(&layout.unstampable),
            artifacts::examined.eq(true),
        ))
        .execute(tx.conn())?;
    Ok(())
}
