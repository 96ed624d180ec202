//! Queries on `release_grants`.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::db::schema::release_grants;
use crate::db::{AnyConn, DbError, WriteTx, in_slices};
use crate::licenses::model::LicenseId;
use crate::releases::model::ReleaseId;

/// A release that a license may have whatever its dates say.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = release_grants)]
pub struct Grant {
    /// The release.
    pub release_id: ReleaseId,
    /// The license.
    pub license_id: LicenseId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// Adds a grant.
pub fn insert_grant(tx: &mut WriteTx<'_>, grant: &Grant) -> Result<(), DbError> {
    diesel::insert_into(release_grants::table)
        .values(grant)
        .execute(tx.conn())?;
    Ok(())
}

/// Takes a grant back. Returns whether there was one.
pub fn remove_grant(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
    license: &LicenseId,
) -> Result<bool, DbError> {
    let removed = diesel::delete(release_grants::table.find((release, license)));
    Ok(removed.execute(tx.conn())? == 1)
}

/// The grant of a release to a license.
pub fn find_grant(
    conn: &mut AnyConn,
    release: &ReleaseId,
    license: &LicenseId,
) -> Result<Option<Grant>, DbError> {
    Ok(release_grants::table
        .find((release, license))
        .select(Grant::as_select())
        .get_result(conn)
        .optional()?)
}

/// Grants of a release by license, after a cursor.
pub fn list_grants(
    conn: &mut AnyConn,
    release: &ReleaseId,
    after: &str,
    limit: i64,
) -> Result<Vec<Grant>, DbError> {
    Ok(release_grants::table
        .filter(release_grants::release_id.eq(release))
        .filter(release_grants::license_id.gt(after.to_owned()))
        .order(release_grants::license_id)
        .select(Grant::as_select())
        .limit(limit)
        .load(conn)?)
}

/// Releases that were granted to a license.
pub fn grants_of_license(
    conn: &mut AnyConn,
    license: &LicenseId,
) -> Result<Vec<ReleaseId>, DbError> {
    Ok(release_grants::table
        .filter(release_grants::license_id.eq(license))
        .order(release_grants::release_id)
        .select(release_grants::release_id)
        .load(conn)?)
}

/// The same for several licenses, in pairs.
pub fn grants_of_licenses(
    conn: &mut AnyConn,
    licenses: &[LicenseId],
) -> Result<Vec<(LicenseId, ReleaseId)>, DbError> {
    in_slices(licenses, |licenses| {
        Ok(release_grants::table
            .filter(release_grants::license_id.eq_any(licenses.to_vec()))
            .select((release_grants::license_id, release_grants::release_id))
            .load(conn)?)
    })
}
