//! A customer as somebody names one: by id, or by a mail address that may have none yet.

use super::model::{CustomerId, normalize_address};
use super::resolve::{Buyer, customer_for_in};
use super::store;
use crate::app::App;
use crate::audit::Actor;
use crate::db::{DbError, WriteTx};
use crate::entropy::bytes;
use crate::kits::texts::{self, Fault};

/// Who is meant.
#[derive(Debug, Clone)]
pub enum Named {
    /// A customer there is.
    Id(CustomerId),
    /// The holder of an address, or a stub that its first sign-in claims.
    Address(Box<Buyer>),
}

impl Named {
    /// By exactly one of id and address; the name is for a new stub, which only an address may need.
    pub fn read(
        app: &App,
        actor: Actor,
        id: Option<&str>,
        address: Option<&str>,
        name: Option<&str>,
    ) -> Result<Self, Fault> {
        let fault = |field, reason| Fault { field, reason };
        match (id, address) {
            (Some(_), None) if name.is_some() => {
                let reason = "is for a new customer: leave it out beside customer";
                Err(fault("name", reason))
            }
            (Some(id), None) => {
                let reason = "must be the id of a customer";
                let id = CustomerId::parse(id);
                Ok(Self::Id(id.ok_or_else(|| fault("customer", reason))?))
            }
            (None, Some(text)) => {
                let reason = "must be a mail address";
                let address = normalize_address(text).ok_or_else(|| fault("email", reason))?;
                let name = match name {
                    Some(name) => texts::name(name)?,
                    None => address.clone(),
                };
                Ok(Self::Address(Box::new(buyer(app, actor, address, name))))
            }
            (None, None) | (Some(_), Some(_)) => {
                Err(fault("customer", "or email must be given, one of them"))
            }
        }
    }

    /// The customer, made if there is none for the address; `None` for an unknown id.
    pub fn resolve_in(&self, tx: &mut WriteTx<'_>) -> Result<Option<CustomerId>, DbError> {
        match self {
            Self::Id(id) => {
                let found = store::find_customer(tx.conn(), id)?;
                Ok(found.map(|customer| customer.id))
            }
            Self::Address(buyer) => customer_for_in(tx, buyer).map(Some),
        }
    }
}

fn buyer(app: &App, actor: Actor, address: String, name: String) -> Buyer {
    let now = app.clock.now();
    Buyer {
        stub: CustomerId::new(now, app.entropy.as_ref()),
        salt: bytes(app.entropy.as_ref()),
        address: Some(address),
        name,
        external: None,
        actor,
        now,
    }
}
