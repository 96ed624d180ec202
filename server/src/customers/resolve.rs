//! Who a purchase belongs to: the holder of its *verified* address, otherwise a stub that the first
//! sign-in with that address claims.

use super::claim::claim_in;
use super::model::CustomerId;
use super::store::{self, Customer};
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};
use crate::people::store::person_of_address;

/// Who bought, as told by the provider.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// Id of a new stub, should one be needed.
    pub stub: CustomerId,
    /// Normalized address; `None` when what was typed is none.
    pub address: Option<String>,
    /// Name for a new stub.
    pub name: String,
    /// The provider's customer, to be remembered: it never decides who owns the order.
    pub external: Option<ExternalCustomer>,
    /// Random bytes that keep what the audit log commits to from being guessed.
    pub salt: [u8; 16],
    /// Who records it.
    pub actor: Actor,
    /// When.
    pub now: Timestamp,
}

/// A provider's customer.
#[derive(Debug, Clone)]
pub struct ExternalCustomer {
    /// Whose.
    pub provider: &'static str,
    /// `live` or `test`.
    pub mode: &'static str,
    /// The provider's id.
    pub id: String,
}

/// The customer, made if there is none yet.
pub fn customer_for_in(tx: &mut WriteTx<'_>, buyer: &Buyer) -> Result<CustomerId, DbError> {
    let customer = match existing(tx, buyer)? {
        Some(customer) => customer,
        None => match tx.unless_taken(|tx| insert_stub(tx, buyer))? {
            Some(()) => {
                give_to_holder(tx, buyer)?;
                buyer.stub.clone()
            }
            // Another process made the same stub meanwhile, or its holder has just signed in.
            None => existing(tx, buyer)?.ok_or(DbError::Aborted(None))?,
        },
    };
    if let Some(external) = &buyer.external {
        let ExternalCustomer { provider, mode, id } = external;
        let known = store::find_by_provider(tx.conn(), provider, mode, id)?;
        if known.is_none() {
            tx.unless_taken(|tx| {
                store::insert_provider_customer(tx, provider, mode, id, &customer)
            })?;
        }
    }
    Ok(customer)
}

fn existing(tx: &mut WriteTx<'_>, buyer: &Buyer) -> Result<Option<CustomerId>, DbError> {
    let Some(address) = &buyer.address else {
        return Ok(None);
    };
    match store::owned_by_address(tx.conn(), address)? {
        Some(owner) => Ok(Some(owner)),
        None => store::stub_for(tx.conn(), address),
    }
}

/// Somebody may hold the address already without owning any customer: nothing has to be claimed
/// then.
fn give_to_holder(tx: &mut WriteTx<'_>, buyer: &Buyer) -> Result<(), DbError> {
    let Some(address) = &buyer.address else {
        return Ok(());
    };
    if let Some(person) = person_of_address(tx.conn(), address)? {
        claim_in(tx, address, &person, buyer.now)?;
    }
    Ok(())
}

fn insert_stub(tx: &mut WriteTx<'_>, buyer: &Buyer) -> Result<(), DbError> {
    let stub = Customer {
        id: buyer.stub.clone(),
        name: buyer.name.clone(),
        claim_address: buyer.address.clone(),
        created_at: buyer.now,
        version: 1,
    };
    store::insert_customer(tx, &stub)?;
    let actor = buyer.actor.clone();
    let fields = &["name", "claim_address"];
    let personal = serde_json::json!({ "name": stub.name, "claim_address": stub.claim_address });
    let entry = Entry::new(buyer.now, actor, "customer.created", &stub.id, fields);
    tx.audit(entry.with_personal(personal.to_string(), buyer.salt));
    Ok(())
}
