//! Customers by id, customers and orders by what support knows of them.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{Customer, Order};
use crate::customers::model::CustomerId;
use crate::db::schema::{customers, memberships, orders, person_emails, provider_customers};
use crate::db::{AnyConn, DbError, WriteTx, in_slices};

/// Customers in the order of their creation, after a cursor.
pub fn list_customers(
    conn: &mut AnyConn,
    after: &str,
    limit: i64,
) -> Result<Vec<Customer>, DbError> {
    Ok(customers::table
        .filter(customers::id.gt(after.to_owned()))
        .order(customers::id)
        .limit(limit)
        .load(conn)?)
}

/// The customer with this id.
pub fn find_customer(conn: &mut AnyConn, id: &CustomerId) -> Result<Option<Customer>, DbError> {
    Ok(customers::table.find(id).get_result(conn).optional()?)
}

/// Gives a customer a name; its new version, unless there is no such customer.
pub(in crate::customers) fn set_name(
    tx: &mut WriteTx<'_>,
    id: &CustomerId,
    name: &str,
) -> Result<Option<i64>, DbError> {
    Ok(diesel::update(customers::table.find(id))
        .set((
            customers::name.eq(name),
            customers::version.eq(customers::version + 1),
        ))
        .returning(customers::version)
        .get_result(tx.conn())
        .optional()?)
}

/// The customers with these ids.
pub fn customers_by_ids(conn: &mut AnyConn, ids: &[CustomerId]) -> Result<Vec<Customer>, DbError> {
    let mut found: Vec<Customer> = in_slices(ids, |ids| {
        Ok(customers::table
            .filter(customers::id.eq_any(ids.to_vec()))
            .load(conn)?)
    })?;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// The customers that the holder of a verified address belongs to, and the stub that waits for it.
pub fn by_address(conn: &mut AnyConn, address: &str) -> Result<Vec<Customer>, DbError> {
    let mut ids: Vec<CustomerId> = memberships::table
        .inner_join(person_emails::table.on(person_emails::person_id.eq(memberships::person_id)))
        .filter(person_emails::address.eq(address))
        .select(memberships::customer_id)
        .load(conn)?;
    ids.extend(super::stub_for(conn, address)?);
    customers_by_ids(conn, &ids)
}

/// The customers a provider's customer id stands for, in either mode.
pub fn by_external_id(conn: &mut AnyConn, external: &str) -> Result<Vec<Customer>, DbError> {
    let ids: Vec<CustomerId> = provider_customers::table
        .filter(provider_customers::external_id.eq(external))
        .select(provider_customers::customer_id)
        .load(conn)?;
    customers_by_ids(conn, &ids)
}

/// Orders that a provider knows by this id: of the purchase, or of its payment.
pub fn orders_by_provider_id(
    conn: &mut AnyConn,
    external: &str,
    limit: i64,
) -> Result<Vec<Order>, DbError> {
    let known = orders::business_key
        .nullable()
        .eq(external)
        .or(orders::payment_ref.eq(external));
    Ok(orders::table
        .filter(known)
        .order(orders::id.desc())
        .limit(limit)
        .load(conn)?)
}

/// Orders made with an address in one of these spellings, newest first, however large its letters were.
pub fn orders_by_email(
    conn: &mut AnyConn,
    spellings: &[String],
    limit: i64,
) -> Result<Vec<Order>, DbError> {
    // What the index `orders_email_spelling` holds. By time: in the order of their ids PostgreSQL might
    // walk through all orders until it has found so many.
    let spelling = sql::<Text>("lower(orders.email)");
    Ok(orders::table
        .filter(spelling.eq_any(spellings.to_vec()))
        .order((orders::created_at.desc(), orders::id.desc()))
        .limit(limit)
        .load(conn)?)
}
