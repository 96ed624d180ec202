//! Lists of seats, for whoever manages licenses.

use diesel::prelude::*;

use super::Activation;
use crate::activations::model::ActivationId;
use crate::db::schema::activations;
use crate::db::{AnyConn, DbError};
use crate::licenses::model::LicenseId;

/// Seats in use in the order in which they were first taken, after a cursor.
pub fn held_after(
    conn: &mut AnyConn,
    license: &LicenseId,
    after: &str,
    limit: i64,
) -> Result<Vec<Activation>, DbError> {
    Ok(activations::table
        .filter(activations::license_id.eq(license))
        .filter(activations::freed_at.is_null())
        .filter(activations::id.gt(after.to_owned()))
        .order(activations::id)
        .limit(limit)
        .load(conn)?)
}

/// Seats of these identities, of any license, freed or not.
pub fn of_identities(
    conn: &mut AnyConn,
    identities: &[String],
    limit: i64,
) -> Result<Vec<Activation>, DbError> {
    Ok(activations::table
        .filter(activations::identity.eq_any(identities.to_vec()))
        .order(activations::id.desc())
        .limit(limit)
        .load(conn)?)
}

/// A seat of any license by its id.
pub fn find_by_id(conn: &mut AnyConn, id: &ActivationId) -> Result<Option<Activation>, DbError> {
    Ok(activations::table.find(id).get_result(conn).optional()?)
}
