//! Moving an order on while its lines get their licenses.

use super::model::{OrderId, OrderItemId, OrderStatus};
use super::store::{self, Order};
use crate::db::{DbError, WriteTx};

/// Locks an order for the rest of the unit of work and reads it as it stands then.
pub fn lock_order_in(tx: &mut WriteTx<'_>, id: &OrderId) -> Result<Option<Order>, DbError> {
    store::lock_order(tx, id)?;
    store::find_order(tx.conn(), id)
}

/// A line has its licenses: from the price's policies, and never again.
pub fn map_item_in(tx: &mut WriteTx<'_>, id: &OrderItemId, price: &str) -> Result<(), DbError> {
    store::set_item_price(tx, id, price)
}

/// Every line has.
pub fn fulfilled_in(tx: &mut WriteTx<'_>, id: &OrderId) -> Result<(), DbError> {
    store::set_order_status(tx, id, OrderStatus::Fulfilled)
}
