//! Lists of licenses, for whoever manages them.

use diesel::prelude::*;

use super::filter::Filter;
use super::{Holding, HoldingRow, holding, holding_columns, holdings};
use crate::db::schema::{license_holds, license_keys, licenses, terms};
use crate::db::{AnyConn, DbError, in_slices};
use crate::kits::store::Terms;
use crate::licenses::model::LicenseId;

use diesel::dsl::exists;

use super::License;

/// Licenses in the order of their issue, after a cursor.
pub fn list(
    conn: &mut AnyConn,
    filter: &Filter,
    after: &str,
    limit: i64,
) -> Result<Vec<Holding>, DbError> {
    let rows: Vec<HoldingRow> = holdings!()
        .filter(license_keys::is_primary.eq(true))
        .filter(licenses::id.gt(after.to_owned()))
        .filter(filter.clone())
        .order(licenses::id)
        .limit(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(holding).collect())
}

/// The licenses with these ids, in their order.
pub fn find_any(conn: &mut AnyConn, ids: &[LicenseId]) -> Result<Vec<Holding>, DbError> {
    let rows: Vec<HoldingRow> = in_slices(ids, |ids| {
        Ok(holdings!()
            .filter(license_keys::is_primary.eq(true))
            .filter(licenses::id.eq_any(ids.to_vec()))
            .load(conn)?)
    })?;
    let mut found: Vec<Holding> = rows.into_iter().map(holding).collect();
    found.sort_by(|a, b| a.license.id.cmp(&b.license.id));
    Ok(found)
}
