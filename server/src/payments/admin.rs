//! Management of prices, orders and stored events.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::complete::{CompleteError, complete};
use super::create_price::{CreatePrice, CreatePriceError, create_price};
use super::model::{PaymentEventId, PriceId, QuantityRule};
use super::receive;
use super::store::{self, EventSummary, Price};
use crate::app::App;
use crate::customers::model::OrderId;
use crate::customers::store::{Order, OrderItem, find_order, items_of, list_orders};
use crate::db::{AnyConn, DbError};
use crate::http::conditional::version_tag;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Admin, AppData, Query, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::kits::model::PolicyId;
use crate::staff::Scope;

type Answer = Result<HttpResponse, ApiError>;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/prices").on(Method::POST, add_price).get(prices))
        .service(resource("/prices/{id}").get(price))
        .service(resource("/orders").get(orders))
        .service(resource("/orders/{id}").get(order))
        .service(resource("/orders/{id}/fulfil").on(Method::POST, fulfil))
        .service(resource("/events").get(events))
        .service(resource("/events/{id}/retry").on(Method::POST, retry_event));
}

/// A price and what it sells.
#[derive(Debug, Serialize)]
struct PriceBody {
    #[serde(flatten)]
    price: Price,
    policies: Vec<PolicyId>,
}

/// An order and its lines.
#[derive(Debug, Serialize)]
struct OrderBody {
    #[serde(flatten)]
    order: Order,
    items: Vec<OrderItem>,
}

/// The same, after its mapping ran again.
#[derive(Debug, Serialize)]
struct FulfilledBody {
    #[serde(flatten)]
    order: OrderBody,
    /// Licenses issued by this call.
    issued: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    external_id: String,
    policies: Vec<String>,
    /// What never gives a buyer less than was paid for.
    #[serde(default = "licenses")]
    quantity_rule: QuantityRule,
}

fn licenses() -> QuantityRule {
    QuantityRule::Licenses
}

async fn add_price(app: AppData, admin: Admin, once: Idempotency, body: UnreadJson) -> Answer {
    let holder = admin.may(Scope::Admin)?;
    let (body, claim) = once.read::<NewPrice>(&app, &holder, body).await?;
    let input = CreatePrice {
        external_id: body.external_id,
        policies: body.policies,
        quantity_rule: body.quantity_rule,
        actor: holder.actor(),
    };
    let id = made(create_price(&app, input, claim).await?)?;
    let body = price_body(&app, &id).await?;
    Ok(created(&app, "/v1/admin/prices", &id)
        .insert_header(version_tag(body.price.version))
        .json(body))
}

async fn prices(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let read = |conn: &mut AnyConn, after: &str, rows| {
        let prices = store::list_prices(conn, after, rows)?;
        with_policies(conn, prices)
    };
    let id = |body: &PriceBody| body.price.id.to_string();
    query.window()?.page(&app, read, id).await
}

async fn price(app: AppData, admin: Admin, id: web::Path<String>) -> Answer {
    admin.may(Scope::Read)?;
    let body = price_body(&app, &id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(body.price.version))
        .json(body))
}

async fn price_body(app: &App, id: &str) -> Result<PriceBody, ApiError> {
    let id = PriceId::parse(id).ok_or_else(|| nothing("price"))?;
    let found = app
        .db
        .read_slow(move |conn| {
            let price = store::find_price(conn, &id)?;
            with_policies(conn, price.into_iter().collect())
        })
        .await?;
    found.into_iter().next().ok_or_else(|| nothing("price"))
}

fn with_policies(conn: &mut AnyConn, prices: Vec<Price>) -> Result<Vec<PriceBody>, DbError> {
    let ids: Vec<PriceId> = prices.iter().map(|price| price.id.clone()).collect();
    let pairs = store::policies_of(conn, &ids)?;
    let of = |id: &PriceId| {
        let own = pairs.iter().filter(|(price, _)| price == id);
        own.map(|(_, policy)| policy.clone()).collect()
    };
    let bodies = prices.into_iter().map(|price| PriceBody {
        policies: of(&price.id),
        price,
    });
    Ok(bodies.collect())
}

async fn orders(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let id = |order: &Order| order.id.to_string();
    query.window()?.page(&app, list_orders, id).await
}

async fn order(app: AppData, admin: Admin, id: web::Path<String>) -> Answer {
    admin.may(Scope::Read)?;
    let id = OrderId::parse(&id).ok_or_else(|| nothing("order"))?;
    Ok(HttpResponse::Ok().json(order_body(&app, id).await?))
}

async fn fulfil(app: AppData, admin: Admin, id: web::Path<String>) -> Answer {
    let actor = admin.may(Scope::Admin)?.actor();
    let id = OrderId::parse(&id).ok_or_else(|| nothing("order"))?;
    let completion = complete(&app, &id, &actor).await?;
    Ok(HttpResponse::Ok().json(FulfilledBody {
        order: order_body(&app, id).await?,
        issued: completion.issued,
    }))
}

async fn order_body(app: &App, id: OrderId) -> Result<OrderBody, ApiError> {
    let found = app
        .db
        .read_slow(move |conn| -> Result<_, DbError> {
            let Some(order) = find_order(conn, &id)? else {
                return Ok(None);
            };
            let items = items_of(conn, &id)?;
            Ok(Some(OrderBody { order, items }))
        })
        .await?;
    found.ok_or_else(|| nothing("order"))
}

async fn events(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let id = |event: &EventSummary| event.id.to_string();
    query.window()?.page(&app, store::list_events, id).await
}

/// For an event that failed: its cause may be mended now.
async fn retry_event(app: AppData, admin: Admin, path: web::Path<String>) -> Answer {
    admin.may(Scope::Admin)?;
    let id = PaymentEventId::parse(&path).ok_or_else(|| nothing("event"))?;
    let wanted = id.clone();
    let known = app
        .db
        .read(move |conn| store::find_event(conn, &wanted))
        .await?;
    if known.is_none() {
        return Err(nothing("event"));
    }
    let retried = receive::retry(&app, &id).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "id": id, "retried": retried })))
}

fn nothing(what: &str) -> ApiError {
    ApiError::new(Code::NotFound, format!("There is no such {what}."))
}

impl From<CreatePriceError> for ApiError {
    fn from(error: CreatePriceError) -> Self {
        match error {
            CreatePriceError::ExternalId => {
                Self::field("external_id", "must be the id of a price: price_…")
            }
            CreatePriceError::PolicyCount
            | CreatePriceError::UnknownPolicy(_)
            | CreatePriceError::RepeatedPolicy(_) => Self::field("policies", error.to_string()),
            CreatePriceError::Taken => Self::new(Code::Conflict, "This price is mapped already."),
            CreatePriceError::Db(error) => error.into(),
        }
    }
}

impl From<CompleteError> for ApiError {
    fn from(error: CompleteError) -> Self {
        match error {
            CompleteError::NoOrder => nothing("order"),
            CompleteError::TooFewKeys => Self::unavailable(error),
            CompleteError::Prepare(_) | CompleteError::Seal(_) => Self::internal(error),
            CompleteError::Db(error) => error.into(),
        }
    }
}
