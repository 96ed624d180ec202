//! Queries on `catalogs`: how often what a kit shows was changed. Triggers count.

use diesel::prelude::*;

use crate::db::schema::catalogs;
use crate::db::{AnyConn, DbError};
use crate::kits::model::KitId;

/// The number of the last change of a kit, its releases or their files.
pub fn catalog_version(conn: &mut AnyConn, kit: &KitId) -> Result<i64, DbError> {
    Ok(catalogs::table
        .find(kit)
        .select(catalogs::version)
        .get_result(conn)?)
}
