//! Queries on `customers`, `memberships`, `provider_customers`, `orders` and `order_items`.

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::{CustomerId, OrderId, OrderItemId, OrderStatus, Role};
use crate::clock::Timestamp;
use crate::db::schema::{
    customers, memberships, order_items, orders, person_emails, provider_customers,
};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::people::model::PersonId;

/// A customer as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = customers)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Name on orders and pages.
    pub name: String,
    /// Address whose first verified sign-in claims this stub.
    pub claim_address: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A purchase as stored.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = orders)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// Who took the money.
    pub provider: String,
    /// `live` or `test`.
    pub mode: String,
    /// The provider's name of this purchase; one order each.
    pub business_key: String,
    /// The provider's name of the payment, for refunds and disputes.
    pub payment_ref: Option<String>,
    /// Who owns it.
    pub customer_id: CustomerId,
    /// Address given at checkout.
    pub email: String,
    /// Name given at checkout.
    pub billing_name: Option<String>,
    /// Tax id given at checkout.
    pub tax_id: Option<String>,
    /// ISO 4217, upper case.
    pub currency: String,
    /// Minor units, before tax.
    pub subtotal: i64,
    /// Minor units.
    pub tax: i64,
    /// Minor units.
    pub total: i64,
    /// How far it is.
    pub status: OrderStatus,
    /// When it was paid.
    pub purchased_at: Timestamp,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// One line of a purchase as stored.
#[derive(Debug, Clone, Queryable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = order_items)]
pub struct OrderItem {
    /// Its id.
    pub id: OrderItemId,
    /// The order.
    pub order_id: OrderId,
    /// The provider's name of this line.
    pub line_key: String,
    /// The provider's price.
    pub external_price: Option<String>,
    /// The provider's product.
    pub external_product: Option<String>,
    /// Our price, where one is mapped.
    pub price_id: Option<String>,
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

/// The customer that the holder of a *verified* address owns.
pub fn owned_by_address(conn: &mut AnyConn, address: &str) -> Result<Option<CustomerId>, DbError> {
    let owned: Vec<CustomerId> = memberships::table
        .inner_join(person_emails::table.on(person_emails::person_id.eq(memberships::person_id)))
        .filter(person_emails::address.eq(address))
        .filter(memberships::role.eq(Role::Owner))
        .order((memberships::created_at, memberships::customer_id))
        .select(memberships::customer_id)
        .load(conn)?;
    Ok(owned.into_iter().next())
}

/// The stub that waits for an address.
pub fn stub_for(conn: &mut AnyConn, address: &str) -> Result<Option<CustomerId>, DbError> {
    Ok(customers::table
        .filter(customers::claim_address.eq(address))
        .select(customers::id)
        .get_result(conn)
        .optional()?)
}

/// Adds a customer.
pub fn insert_customer(tx: &mut WriteTx<'_>, customer: &Customer) -> Result<(), DbError> {
    diesel::insert_into(customers::table)
        .values(customer)
        .execute(tx.conn())?;
    Ok(())
}

/// Takes the stub that waits for an address; it waits no longer.
pub(super) fn claim(tx: &mut WriteTx<'_>, address: &str) -> Result<Option<CustomerId>, DbError> {
    Ok(
        diesel::update(customers::table.filter(customers::claim_address.eq(address)))
            .set(customers::claim_address.eq(None::<String>))
            .returning(customers::id)
            .get_result(tx.conn())
            .optional()?,
    )
}

/// Makes a person belong to a customer.
pub fn insert_membership(
    tx: &mut WriteTx<'_>,
    customer: &CustomerId,
    person: &PersonId,
    role: Role,
    now: Timestamp,
) -> Result<(), DbError> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::customer_id.eq(customer),
            memberships::person_id.eq(person),
            memberships::role.eq(role),
            memberships::created_at.eq(now),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// The customers of a person, with the person's role.
pub fn memberships_of(
    conn: &mut AnyConn,
    person: &PersonId,
) -> Result<Vec<(CustomerId, Role)>, DbError> {
    Ok(memberships::table
        .filter(memberships::person_id.eq(person))
        .order(memberships::customer_id)
        .select((memberships::customer_id, memberships::role))
        .load(conn)?)
}

/// The customer a provider's customer id stands for.
pub fn find_by_provider(
    conn: &mut AnyConn,
    provider: &str,
    mode: &str,
    external: &str,
) -> Result<Option<CustomerId>, DbError> {
    Ok(provider_customers::table
        .find((provider, mode, external))
        .select(provider_customers::customer_id)
        .get_result(conn)
        .optional()?)
}

/// Remembers a provider's customer id.
pub fn insert_provider_customer(
    tx: &mut WriteTx<'_>,
    provider: &str,
    mode: &str,
    external: &str,
    customer: &CustomerId,
) -> Result<(), DbError> {
    diesel::insert_into(provider_customers::table)
        .values((
            provider_customers::provider.eq(provider),
            provider_customers::mode.eq(mode),
            provider_customers::external_id.eq(external),
            provider_customers::customer_id.eq(customer),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Adds an order. Its unique business key is what makes fulfilment happen once.
pub fn insert_order(tx: &mut WriteTx<'_>, order: &Order) -> Result<(), DbError> {
    diesel::insert_into(orders::table)
        .values(order)
        .execute(tx.conn())?;
    Ok(())
}

/// Adds a line.
pub fn insert_order_item(tx: &mut WriteTx<'_>, item: &OrderItem) -> Result<(), DbError> {
    diesel::insert_into(order_items::table)
        .values(item)
        .execute(tx.conn())?;
    Ok(())
}

/// Locks an order for the rest of the unit of work: its root row is written first.
pub fn lock_order(tx: &mut WriteTx<'_>, id: &OrderId) -> Result<(), DbError> {
    diesel::update(orders::table.find(id))
        .set(orders::status.eq(orders::status))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes which of our prices a line was.
pub fn set_item_price(tx: &mut WriteTx<'_>, id: &OrderItemId, price: &str) -> Result<(), DbError> {
    diesel::update(order_items::table.find(id))
        .set(order_items::price_id.eq(Some(price)))
        .execute(tx.conn())?;
    Ok(())
}

/// Moves an order on.
pub fn set_order_status(
    tx: &mut WriteTx<'_>,
    id: &OrderId,
    status: OrderStatus,
) -> Result<(), DbError> {
    diesel::update(orders::table.find(id))
        .set(orders::status.eq(status))
        .execute(tx.conn())?;
    Ok(())
}

/// The order with this id.
pub fn find_order(conn: &mut AnyConn, id: &OrderId) -> Result<Option<Order>, DbError> {
    Ok(orders::table.find(id).get_result(conn).optional()?)
}

/// The lines of an order.
pub fn items_of(conn: &mut AnyConn, id: &OrderId) -> Result<Vec<OrderItem>, DbError> {
    Ok(order_items::table
        .filter(order_items::order_id.eq(id))
        .order(order_items::id)
        .load(conn)?)
}

/// The order a line belongs to.
pub fn order_of_item(conn: &mut AnyConn, id: &OrderItemId) -> Result<Option<Order>, DbError> {
    let order: Option<OrderId> = order_items::table
        .find(id)
        .select(order_items::order_id)
        .get_result(conn)
        .optional()?;
    match order {
        Some(order) => find_order(conn, &order),
        None => Ok(None),
    }
}

/// Orders in the order of their recording, after a cursor.
pub fn list_orders(conn: &mut AnyConn, after: &str, limit: i64) -> Result<Vec<Order>, DbError> {
    let rest = orders::table
        .filter(orders::id.gt(after.to_owned()))
        .order(orders::id);
    Ok(rest.limit(limit).load(conn)?)
}
