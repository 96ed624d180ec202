//! A stub finds its person.

use super::model::{CustomerId, Role};
use super::store;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::notices::store::take_over_choices;
use crate::people::model::PersonId;

/// Makes a person the owner of the stub that waited for an address, which the person has just
/// proved to read. One conditional update decides, so that a stub is claimed once.
pub fn claim_in(
    tx: &mut WriteTx<'_>,
    address: &str,
    person: &PersonId,
    now: Timestamp,
) -> Result<Option<CustomerId>, DbError> {
    let Some(customer) = store::claim(tx, address)? else {
        return Ok(None);
    };
    store::insert_membership(tx, &customer, person, Role::Owner, now)?;
    take_over_choices(tx, &customer, person)?;
    let actor = Actor::Person(person.to_string());
    tx.audit(Entry::new(
        now,
        actor,
        "customer.claimed",
        &customer,
        &["claim_address", "members"],
    ));
    Ok(Some(customer))
}
