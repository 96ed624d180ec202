//! Whom a walk passes.

use diesel::dsl::exists;
use diesel::prelude::*;

use crate::customers::model::{CustomerId, Role};
use crate::db::schema::{licenses, memberships, terms, terms_kits};
use crate::db::{AnyConn, DbError};
use crate::kits::model::{KitId, Scope};
use crate::people::model::PersonId;

/// A person, a customer, and what the person is there.
pub type Membership = (PersonId, CustomerId, Role);

/// The next people with a license for a kit, by id, whatever their role and the license's state.
pub fn people_after(
    conn: &mut AnyConn,
    kit: &KitId,
    after: &str,
    limit: i64,
) -> Result<Vec<PersonId>, DbError> {
    let names_it = terms_kits::table
        .filter(terms_kits::terms_id.eq(terms::id))
        .filter(terms_kits::kit_id.eq(kit));
    let covering = licenses::table
        .inner_join(terms::table)
        .filter(licenses::customer_id.eq(memberships::customer_id))
        .filter(terms::scope.eq(Scope::All).or(exists(names_it)));
    Ok(memberships::table
        .filter(memberships::person_id.gt(after.to_owned()))
        .filter(exists(covering))
        .order(memberships::person_id)
        .select(memberships::person_id)
        .distinct()
        .limit(limit)
        .load(conn)?)
}

/// Who owns a customer.
pub fn owners_of(conn: &mut AnyConn, customer: &CustomerId) -> Result<Vec<PersonId>, DbError> {
    Ok(memberships::table
        .filter(memberships::customer_id.eq(customer))
        .filter(memberships::role.eq(Role::Owner))
        .order(memberships::person_id)
        .select(memberships::person_id)
        .load(conn)?)
}

/// What these people belong to.
pub fn memberships_of_all(
    conn: &mut AnyConn,
    people: &[PersonId],
) -> Result<Vec<Membership>, DbError> {
    Ok(memberships::table
        .filter(memberships::person_id.eq_any(people.to_vec()))
        .order((memberships::person_id, memberships::customer_id))
        .select((
            memberships::person_id,
            memberships::customer_id,
            memberships::role,
        ))
        .load(conn)?)
}
