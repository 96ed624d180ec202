//! One box that finds whatever support has in hand: a key, a mail address, a device or site, an id
//! of ours or of a payment provider.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};

use super::keys::{self, Digests};
use super::model::LicenseId;
use super::overview::{Overview, with_kits};
use super::store;
use crate::activations::model::{ActivationId, Identity};
use crate::activations::store::{Activation, find_by_id, of_identities};
use crate::app::App;
use crate::customers::model::{CustomerId, OrderId, normalize_address, spellings};
use crate::customers::store::{self as customers, Customer, Order};
use crate::db::{AnyConn, DbError};
use crate::kits::model::{SeatKind, has_control};

/// Most results of one group.
const MOST: usize = 20;
/// Longest text that is looked for, in bytes.
pub const TEXT_MAX: usize = 2_048;

/// What was found, by group.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Licenses: those found by key or id, and those of what else was found.
    pub licenses: Vec<Overview>,
    /// Customers.
    pub customers: Vec<Customer>,
    /// Orders.
    pub orders: Vec<Order>,
    /// Seats, of any license.
    pub seats: Vec<Activation>,
}

/// What a text may stand for.
struct Sought {
    text: String,
    key: Option<Digests>,
    address: Option<String>,
    identities: Vec<String>,
}

/// Finds it. A key is looked for by its digest alone.
pub async fn find(app: &App, text: &SecretString) -> Result<Found, DbError> {
    let key = keys::digests(app, text);
    let plain = text.expose_secret().trim().to_owned();
    // PostgreSQL takes no NUL in a text; nothing that is stored has one. Mail clients wrap keys.
    if plain.is_empty() || plain.len() > TEXT_MAX || has_control(&plain) {
        let Some(key) = key else {
            return Ok(Found::default());
        };
        return app.db.read_slow(move |conn| by_key(conn, &key)).await;
    }
    let sought = Sought {
        key,
        address: normalize_address(&plain),
        identities: identities(&plain),
        text: plain,
    };
    app.db.read_slow(move |conn| sought.find(conn)).await
}

fn by_key(conn: &mut AnyConn, key: &Digests) -> Result<Found, DbError> {
    let found = store::find_by_digests(conn, key)?;
    let ids: Vec<LicenseId> = found.into_iter().map(|it| it.license.id).collect();
    let holdings = store::find_any(conn, &ids)?;
    Ok(Found {
        licenses: with_kits(conn, holdings)?,
        ..Found::default()
    })
}

/// The text as each kind of seat would hold it.
fn identities(text: &str) -> Vec<String> {
    let kinds = SeatKind::ALL.iter().copied();
    let kinds = kinds.filter(|kind| *kind != SeatKind::None);
    let mut all: Vec<String> = kinds
        .filter_map(|kind| Identity::new(kind, text).ok())
        .map(|identity| identity.text)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl Sought {
    fn find(&self, conn: &mut AnyConn) -> Result<Found, DbError> {
        let mut seats = of_identities(conn, &self.identities, limit())?;
        if let Some(id) = ActivationId::parse(&self.text) {
            seats.extend(find_by_id(conn, &id)?);
        }
        let orders = self.orders(conn)?;
        let customers = self.customers(conn)?;
        let mut ids: BTreeSet<LicenseId> =
            seats.iter().map(|seat| seat.license_id.clone()).collect();
        ids.extend(LicenseId::parse(&self.text));
        if let Some(lookup) = &self.key {
            ids.extend(store::find_by_digests(conn, lookup)?.map(|it| it.license.id));
        }
        for order in &orders {
            let of_order = store::of_order(conn, &order.id)?;
            ids.extend(of_order.into_iter().map(|it| it.license.id));
        }
        let owners: Vec<CustomerId> = customers.iter().map(|it| it.id.clone()).collect();
        let owned = store::of_customers(conn, &owners)?;
        ids.extend(owned.into_iter().map(|it| it.license.id));
        // The newest first, where there are many.
        let ids: Vec<LicenseId> = ids.into_iter().rev().take(MOST).collect();
        let holdings = store::find_any(conn, &ids)?;
        Ok(Found {
            licenses: with_kits(conn, holdings)?,
            customers,
            orders,
            seats,
        })
    }

    fn orders(&self, conn: &mut AnyConn) -> Result<Vec<Order>, DbError> {
        if let Some(id) = OrderId::parse(&self.text) {
            return Ok(customers::find_order(conn, &id)?.into_iter().collect());
        }
        if let Some(address) = &self.address {
            let spellings = spellings(address, &self.text);
            return customers::orders_by_email(conn, &spellings, limit());
        }
        customers::orders_by_provider_id(conn, &self.text, limit())
    }

    fn customers(&self, conn: &mut AnyConn) -> Result<Vec<Customer>, DbError> {
        if let Some(id) = CustomerId::parse(&self.text) {
            return Ok(customers::find_customer(conn, &id)?.into_iter().collect());
        }
        match &self.address {
            Some(address) => customers::by_address(conn, address),
            None => customers::by_external_id(conn, &self.text),
        }
    }
}

fn limit() -> i64 {
    i64::try_from(MOST).unwrap_or(i64::MAX)
}
