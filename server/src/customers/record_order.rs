//! Recording a purchase, once, whoever tells of it and however often.

use super::model::{OrderId, OrderItemId, OrderStatus};
use super::resolve::{Buyer, customer_for_in};
use super::store::{self, Order, OrderItem};
use crate::audit::Entry;
use crate::clock::Timestamp;
use crate::db::{DbError, WriteTx};

/// A purchase whose lines have no licenses yet.
#[derive(Debug, Clone)]
pub struct RecordOrder {
    /// Its id.
    pub id: OrderId,
    /// Who took the money.
    pub provider: &'static str,
    /// `live` or `test`.
    pub mode: &'static str,
    /// The provider's name of this purchase; one order each.
    pub business_key: String,
    /// The provider's name of the payment.
    pub payment_ref: Option<String>,
    /// Who bought.
    pub buyer: Buyer,
    /// Address as typed.
    pub email: String,
    /// Name as typed.
    pub billing_name: Option<String>,
    /// Tax id as typed.
    pub tax_id: Option<String>,
    /// ISO 4217, upper case.
    pub currency: String,
    /// Minor units, before tax.
    pub subtotal: i64,
    /// Minor units.
    pub tax: i64,
    /// Minor units.
    pub total: i64,
    /// When it was paid.
    pub purchased_at: Timestamp,
    /// What was bought.
    pub lines: Vec<OrderLine>,
}

/// One line of it.
#[derive(Debug, Clone)]
pub struct OrderLine {
    /// Its id.
    pub id: OrderItemId,
    /// The provider's name of this line.
    pub line_key: String,
    /// The provider's price.
    pub external_price: Option<String>,
    /// The provider's product.
    pub external_product: Option<String>,
    /// What it said.
    pub description: String,
    /// How many.
    pub quantity: i64,
    /// Minor units, before tax.
    pub subtotal: i64,
    /// Minor units.
    pub tax: i64,
    /// Minor units.
    pub total: i64,
}

/// Records it; `None` when its business key is taken, and then nothing was written.
pub fn record_order_in(
    tx: &mut WriteTx<'_>,
    input: &RecordOrder,
) -> Result<Option<Order>, DbError> {
    // The customer is in the same step: a repeated purchase without an address leaves no stub.
    let order = tx.unless_taken(|tx| insert(tx, input))?;
    if order.is_none() {
        return Ok(None);
    }
    for line in &input.lines {
        store::insert_order_item(tx, &item(&input.id, line))?;
    }
    let (now, actor) = (input.buyer.now, input.buyer.actor.clone());
    let fields = &["customer_id", "total"];
    tx.audit(Entry::new(now, actor, "order.recorded", &input.id, fields));
    Ok(order)
}

fn insert(tx: &mut WriteTx<'_>, input: &RecordOrder) -> Result<Order, DbError> {
    let order = Order {
        id: input.id.clone(),
        provider: input.provider.to_owned(),
        mode: input.mode.to_owned(),
        business_key: input.business_key.clone(),
        payment_ref: input.payment_ref.clone(),
        customer_id: customer_for_in(tx, &input.buyer)?,
        email: input.email.clone(),
        billing_name: input.billing_name.clone(),
        tax_id: input.tax_id.clone(),
        currency: input.currency.clone(),
        subtotal: input.subtotal,
        tax: input.tax,
        total: input.total,
        status: OrderStatus::NeedsMapping,
        purchased_at: input.purchased_at,
        created_at: input.buyer.now,
    };
    store::insert_order(tx, &order)?;
    Ok(order)
}

fn item(order: &OrderId, line: &OrderLine) -> OrderItem {
    OrderItem {
        id: line.id.clone(),
        order_id: order.clone(),
        line_key: line.line_key.clone(),
        external_price: line.external_price.clone(),
        external_product: line.external_product.clone(),
        price_id: None,
        description: line.description.clone(),
        quantity: line.quantity,
        subtotal: line.subtotal,
        tax: line.tax,
        total: line.total,
    }
}
