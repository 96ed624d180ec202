//! Signatures of files.

use diesel::prelude::*;

use crate::db::schema::artifacts;
use crate::db::{DbError, WriteTx};
use crate::releases::model::{ArtifactId, SignedBy};

/// A file under its new signature.
#[derive(Debug, Clone)]
pub struct Resigned {
    /// The file.
    pub id: ArtifactId,
    /// Its signature file.
    pub signature: String,
    /// BLAKE2b-512 of its bytes, 128 hexadecimal digits.
    pub blake2b: String,
}

/// Puts the server's signature on a file, unless the vendor's own is there.
pub fn sign_again(tx: &mut WriteTx<'_>, file: &Resigned) -> Result<bool, DbError> {
    let not_vendor = artifacts::signed_by
        .is_null()
        .or(artifacts::signed_by.ne(SignedBy::Vendor));
    let signed = diesel::update(artifacts::table.find(&file.id).filter(not_vendor))
        .set((
            artifacts::signature.eq(&file.signature),
            artifacts::signed_by.eq(SignedBy::Server),
            artifacts::blake2b.eq(&file.blake2b),
        ))
        .execute(tx.conn())?;
    Ok(signed == 1)
}

/// Puts the vendor's signature on a file.
pub fn supply_signature(tx: &mut WriteTx<'_>, file: &Resigned) -> Result<bool, DbError> {
    let signed = diesel::update(artifacts::table.find(&file.id))
        .set((
            artifacts::signature.eq(&file.signature),
            artifacts::signed_by.eq(SignedBy::Vendor),
            artifacts::blake2b.eq(&file.blake2b),
        ))
        .execute(tx.conn())?;
    Ok(signed == 1)
}
