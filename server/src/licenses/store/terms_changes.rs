//! Licenses that come under other terms.

use diesel::prelude::*;

use super::License;
use crate::db::schema::{licenses, terms};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::{PolicyId, TermsId};
use crate::kits::store::Terms;
use crate::licenses::model::BaseState;

/// Licenses of a policy that are under other terms than these, with theirs, in the order of their
/// ids. Those folded into others are left alone.
pub fn under_other_terms(
    conn: &mut AnyConn,
    policy: &PolicyId,
    version: &TermsId,
    after: &str,
    limit: i64,
) -> Result<Vec<(License, Terms)>, DbError> {
    Ok(licenses::table
        .inner_join(terms::table)
        .filter(licenses::policy_id.eq(policy))
        .filter(licenses::terms_id.ne(version))
        .filter(licenses::base_state.ne(BaseState::Merged))
        .filter(licenses::id.gt(after.to_owned()))
        .order(licenses::id)
        .limit(limit)
        .select((License::as_select(), Terms::as_select()))
        .load(conn)?)
}

/// Writes the terms of a license, and what follows from them; counts its revision up.
pub fn put_terms(tx: &mut WriteTx<'_>, license: &License) -> Result<(), DbError> {
    diesel::update(licenses::table.find(&license.id))
        .set((
            licenses::terms_id.eq(&license.terms_id),
            licenses::seat_limit.eq(license.seat_limit),
            licenses::seat_cap.eq(license.seat_cap),
            licenses::over_limit_until.eq(license.over_limit_until),
            licenses::first_activated_at.eq(license.first_activated_at),
            licenses::valid_until.eq(license.valid_until),
            licenses::updates_until.eq(license.updates_until),
            licenses::revision.eq(licenses::revision + 1),
        ))
        .execute(tx.conn())?;
    Ok(())
}
