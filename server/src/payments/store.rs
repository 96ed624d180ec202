//! Queries on `payment_events`, `prices` and `price_policies`.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{EventStatus, Mode, PaymentEventId, PriceId, Provider, QuantityRule};
use crate::clock::Timestamp;
use crate::db::schema::{payment_events, price_policies, prices};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::PolicyId;

/// A provider's event as stored.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = payment_events)]
pub struct PaymentEvent {
    /// Our id.
    pub id: PaymentEventId,
    /// Whose event.
    pub provider: Provider,
    /// Mode of the event, whatever ours is.
    pub mode: Mode,
    /// The provider's id.
    pub event_id: String,
    /// What happened.
    pub event_type: String,
    /// What it happened to.
    pub object_id: Option<String>,
    /// The whole body, sealed.
    pub sealed_body: Vec<u8>,
    /// What became of it.
    pub status: EventStatus,
    /// When it came.
    pub received_at: Timestamp,
    /// When it was reduced.
    pub handled_at: Option<Timestamp>,
}

/// An event as operators see it.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = payment_events)]
pub struct EventSummary {
    /// Our id.
    pub id: PaymentEventId,
    /// Whose event.
    pub provider: Provider,
    /// Mode of the event.
    pub mode: Mode,
    /// The provider's id.
    pub event_id: String,
    /// What happened.
    pub event_type: String,
    /// What it happened to.
    pub object_id: Option<String>,
    /// What became of it.
    pub status: EventStatus,
    /// When it came.
    pub received_at: Timestamp,
    /// When it was reduced.
    pub handled_at: Option<Timestamp>,
}

/// A price as stored.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = prices)]
pub struct Price {
    /// Our id.
    pub id: PriceId,
    /// Whose price.
    pub provider: Provider,
    /// Real money or not.
    pub mode: Mode,
    /// The provider's id.
    pub external_id: String,
    /// What a quantity of more than one means.
    pub quantity_rule: QuantityRule,
    /// Grows with every change.
    pub version: i64,
    /// When it was mapped.
    pub created_at: Timestamp,
}

/// Adds an event. Unique on the provider's id: a repeated delivery is a unique violation.
pub fn insert_event(tx: &mut WriteTx<'_>, event: &PaymentEvent) -> Result<(), DbError> {
    diesel::insert_into(payment_events::table)
        .values(event)
        .execute(tx.conn())?;
    Ok(())
}

/// The event with this id.
pub fn find_event(
    conn: &mut AnyConn,
    id: &PaymentEventId,
) -> Result<Option<PaymentEvent>, DbError> {
    Ok(payment_events::table.find(id).get_result(conn).optional()?)
}

/// The stored event with a provider's id.
pub fn find_event_by_key(
    conn: &mut AnyConn,
    provider: Provider,
    mode: Mode,
    event_id: &str,
) -> Result<Option<PaymentEvent>, DbError> {
    Ok(payment_events::table
        .filter(payment_events::provider.eq(provider))
        .filter(payment_events::mode.eq(mode))
        .filter(payment_events::event_id.eq(event_id))
        .get_result(conn)
        .optional()?)
}

/// Takes a failed event up again; `false` when it is in another state, so that one retry at a time
/// is under way.
pub fn reopen_event(tx: &mut WriteTx<'_>, id: &PaymentEventId) -> Result<bool, DbError> {
    let reopened = diesel::update(payment_events::table.find(id))
        .filter(payment_events::status.eq(EventStatus::Failed))
        .set(payment_events::status.eq(EventStatus::Received))
        .execute(tx.conn())?;
    Ok(reopened == 1)
}

/// Writes what became of an event; one that was handled stays handled.
pub fn settle_event(
    tx: &mut WriteTx<'_>,
    id: &PaymentEventId,
    status: EventStatus,
    now: Timestamp,
) -> Result<(), DbError> {
    diesel::update(payment_events::table.find(id))
        .filter(payment_events::status.ne(EventStatus::Handled))
        .set((
            payment_events::status.eq(status),
            payment_events::handled_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Events in the order of their arrival, after a cursor.
pub fn list_events(
    conn: &mut AnyConn,
    after: &str,
    limit: i64,
) -> Result<Vec<EventSummary>, DbError> {
    let rest = payment_events::table
        .filter(payment_events::id.gt(after.to_owned()))
        .order(payment_events::id);
    Ok(rest
        .limit(limit)
        .select(EventSummary::as_select())
        .load(conn)?)
}

/// Adds a price and what it sells.
pub fn insert_price(
    tx: &mut WriteTx<'_>,
    price: &Price,
    policies: &[PolicyId],
) -> Result<(), DbError> {
    diesel::insert_into(prices::table)
        .values(price)
        .execute(tx.conn())?;
    for policy in policies {
        diesel::insert_into(price_policies::table)
            .values((
                price_policies::price_id.eq(&price.id),
                price_policies::policy_id.eq(policy),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// The price with this id.
pub fn find_price(conn: &mut AnyConn, id: &PriceId) -> Result<Option<Price>, DbError> {
    Ok(prices::table.find(id).get_result(conn).optional()?)
}

/// The price a provider knows by this id.
pub fn find_price_by_external(
    conn: &mut AnyConn,
    provider: &str,
    mode: &str,
    external: &str,
) -> Result<Option<Price>, DbError> {
    Ok(prices::table
        .filter(prices::provider.eq(provider))
        .filter(prices::mode.eq(mode))
        .filter(prices::external_id.eq(external))
        .get_result(conn)
        .optional()?)
}

/// Prices in the order of their mapping, after a cursor.
pub fn list_prices(conn: &mut AnyConn, after: &str, limit: i64) -> Result<Vec<Price>, DbError> {
    let rest = prices::table
        .filter(prices::id.gt(after.to_owned()))
        .order(prices::id);
    Ok(rest.limit(limit).load(conn)?)
}

/// What these prices sell.
pub fn policies_of(
    conn: &mut AnyConn,
    ids: &[PriceId],
) -> Result<Vec<(PriceId, PolicyId)>, DbError> {
    Ok(price_policies::table
        .filter(price_policies::price_id.eq_any(ids.to_vec()))
        .order((price_policies::price_id, price_policies::policy_id))
        .select((price_policies::price_id, price_policies::policy_id))
        .load(conn)?)
}
