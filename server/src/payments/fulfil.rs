//! A finished checkout becomes an order and its licenses: exactly once, whatever tells of it.

use std::collections::BTreeSet;

use super::complete::{self, CompleteError, Supplies, complete_in};
use super::mapping;
use super::model::{Checkout, EventStatus, Mode, PaymentEventId, Provider, tidy};
use super::store;
use crate::app::App;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::customers::model::{CustomerId, OrderId, OrderItemId, normalize_address};
use crate::customers::record_order::{OrderLine, RecordOrder, record_order_in};
use crate::customers::resolve::{Buyer, ExternalCustomer};
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::entropy::bytes;
use crate::outbox::Lane;

/// Name of a customer of whom nothing is known.
const NAMELESS: &str = "Unnamed customer";

/// A finished checkout, and the event that told of it.
#[derive(Debug, Clone)]
pub struct Fulfil {
    /// The checkout as it stands now.
    pub checkout: Checkout,
    /// Marked as handled in the same unit of work.
    pub event: PaymentEventId,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fulfilled {
    /// Recorded now.
    Recorded {
        /// The new order.
        order: OrderId,
        /// What it got.
        completion: complete::Completion,
    },
    /// It was recorded before; nothing changed.
    Known,
}

/// Records the order and issues what is mapped.
pub async fn fulfil(app: &App, input: &Fulfil) -> Result<Fulfilled, CompleteError> {
    for _attempt in 0..complete::ATTEMPTS {
        let lines: Vec<_> = wanted(&input.checkout);
        let mode = Mode::of(input.checkout.livemode);
        let keys = app
            .db
            .read_slow(move |conn| keys_needed(conn, mode, &lines))
            .await?;
        match attempt(app, input, keys).await {
            Err(CompleteError::TooFewKeys) => {}
            Ok(Fulfilled::Recorded { order, completion }) => {
                if completion.mailed {
                    app.lanes.wake(Lane::Mail);
                }
                return Ok(Fulfilled::Recorded { order, completion });
            }
            other => return other,
        }
    }
    Err(CompleteError::TooFewKeys)
}

async fn attempt(app: &App, input: &Fulfil, keys: usize) -> Result<Fulfilled, CompleteError> {
    let record = record(app, &input.checkout);
    let supplies = Supplies::prepare(app, &record.id, keys, record.buyer.actor.clone())?;
    let (event, now) = (input.event.clone(), record.buyer.now);
    let shard = Shard::of(input.checkout.id.as_str());
    app.db
        .write(shard, move |tx| {
            let fulfilled = fulfil_in(tx, &record, &supplies)?;
            store::settle_event(tx, &event, EventStatus::Handled, now)?;
            Ok(fulfilled)
        })
        .await
}

fn fulfil_in(
    tx: &mut WriteTx<'_>,
    record: &RecordOrder,
    supplies: &Supplies,
) -> Result<Fulfilled, CompleteError> {
    let Some(order) = record_order_in(tx, record)? else {
        return Ok(Fulfilled::Known);
    };
    let completion = complete_in(tx, &order.id, supplies)?;
    Ok(Fulfilled::Recorded {
        order: order.id,
        completion,
    })
}

fn wanted(checkout: &Checkout) -> Vec<(Option<String>, i64)> {
    let lines = checkout.lines.iter();
    lines
        .map(|line| (line.price.clone(), line.quantity))
        .collect()
}

fn keys_needed(
    conn: &mut AnyConn,
    mode: Mode,
    lines: &[(Option<String>, i64)],
) -> Result<usize, DbError> {
    let provider = Provider::Stripe.as_str();
    let mut keys = 0_usize;
    for (price, quantity) in lines {
        let mapping = mapping::of_line(conn, provider, mode.as_str(), price.as_deref(), *quantity)?;
        keys = keys.saturating_add(mapping.map_or(0, |mapping| mapping.keys()));
    }
    Ok(keys)
}

fn record(app: &App, checkout: &Checkout) -> RecordOrder {
    let now = app.clock.now();
    let entropy = app.entropy.as_ref();
    let mode = Mode::of(checkout.livemode).as_str();
    let mut ids: Vec<_> = checkout
        .lines
        .iter()
        .map(|_line| OrderItemId::new(now, entropy))
        .collect();
    // Lines are listed by id: they keep the provider's order.
    ids.sort();
    RecordOrder {
        id: OrderId::new(now, entropy),
        provider: Provider::Stripe.as_str(),
        mode,
        business_key: checkout.id.clone(),
        payment_ref: checkout.payment_intent.clone(),
        buyer: buyer(app, checkout, now),
        email: recipient(checkout),
        billing_name: checkout.name.as_deref().and_then(tidy),
        tax_id: checkout.tax_id.as_deref().and_then(tidy),
        currency: checkout.currency.clone(),
        subtotal: checkout.subtotal,
        tax: checkout.tax,
        total: checkout.total,
        // A provider's clock ahead of ours must not make a license that has not started.
        purchased_at: checkout.created.min(now),
        lines: lines(checkout, ids),
    }
}

/// Where the keys go: the whole address, never a part of it, which could be somebody else's.
fn recipient(checkout: &Checkout) -> String {
    let typed = checkout.email.as_deref().map(str::trim).unwrap_or_default();
    normalize_address(typed)
        .map(|_| typed.to_owned())
        .unwrap_or_default()
}

fn buyer(app: &App, checkout: &Checkout, now: Timestamp) -> Buyer {
    let address = checkout.email.as_deref().and_then(normalize_address);
    let name = checkout.name.as_deref().and_then(tidy);
    let provider = Provider::Stripe.as_str();
    Buyer {
        stub: CustomerId::new(now, app.entropy.as_ref()),
        salt: bytes(app.entropy.as_ref()),
        name: name
            .or_else(|| address.clone())
            .unwrap_or_else(|| NAMELESS.to_owned()),
        address,
        external: checkout.customer.clone().map(|id| ExternalCustomer {
            provider,
            mode: Mode::of(checkout.livemode).as_str(),
            id,
        }),
        actor: Actor::Provider(provider),
        now,
    }
}

fn lines(checkout: &Checkout, ids: Vec<OrderItemId>) -> Vec<OrderLine> {
    let mut seen = BTreeSet::new();
    let fresh = checkout
        .lines
        .iter()
        .filter(|line| seen.insert(&line.line_key));
    fresh
        .zip(ids)
        .map(|(line, id)| OrderLine {
            id,
            line_key: line.line_key.clone(),
            external_price: line.price.clone(),
            external_product: line.product.clone(),
            description: line.description.clone(),
            quantity: line.quantity,
            subtotal: line.subtotal,
            tax: line.tax,
            total: line.total,
        })
        .collect()
}
