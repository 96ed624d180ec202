//! What a line of an order sells, by the vendor's mapping of prices to policies.

use super::model::PriceId;
use super::store;
use crate::customers::store::{Order, OrderItem};
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::kits::store::TermsVersion;

/// What a line makes.
#[derive(Debug)]
pub(super) struct Mapping {
    /// The mapped price.
    pub(super) price: PriceId,
    /// Licenses of each policy.
    pub(super) licenses: usize,
    /// How many times the policy's seats each has.
    pub(super) seats_times: i64,
    /// The present terms of its policies.
    pub(super) policies: Vec<TermsVersion>,
}

impl Mapping {
    /// Keys it needs.
    pub(super) fn keys(&self) -> usize {
        self.licenses.saturating_mul(self.policies.len())
    }
}

/// The mapping of a line; `None` while the vendor has none that fits.
pub(super) fn of_line(
    conn: &mut AnyConn,
    provider: &str,
    mode: &str,
    external_price: Option<&str>,
    quantity: i64,
) -> Result<Option<Mapping>, DbError> {
    let Some(external) = external_price else {
        return Ok(None);
    };
    let Some(price) = store::find_price_by_external(conn, provider, mode, external)? else {
        return Ok(None);
    };
    let Some(licenses) = price.quantity_rule.licenses(quantity) else {
        tracing::warn!(
            price.id = price.id.as_str(),
            "a quantity is too large to be issued"
        );
        return Ok(None);
    };
    let mut policies = Vec::new();
    for (_price, id) in store::policies_of(conn, std::slice::from_ref(&price.id))? {
        if let Some(policy) = kits::store::find_policy(conn, &id)? {
            policies.push(policy.version);
        }
    }
    Ok((!policies.is_empty()).then(|| Mapping {
        licenses,
        seats_times: price.quantity_rule.seats_times(quantity),
        price: price.id,
        policies,
    }))
}

/// The same, for a recorded line.
pub(super) fn of_item(
    conn: &mut AnyConn,
    order: &Order,
    item: &OrderItem,
) -> Result<Option<Mapping>, DbError> {
    let external = item.external_price.as_deref();
    of_line(conn, &order.provider, &order.mode, external, item.quantity)
}
