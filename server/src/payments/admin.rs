//! Management of orders and stored events; that of prices stands in `prices`.

mod export;
mod prices;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::complete::{CompleteError, complete};
use super::model::PaymentEventId;
use super::receive;
use super::resend_mail::{ResendMail, ResendMailError, resend_mail};
use super::store::{self, EventSummary};
use crate::app::App;
use crate::customers::model::OrderId;
use crate::customers::store::{Order, OrderItem, find_order, items_of, list_orders};
use crate::db::{DbError, Page};
use crate::http::error::{ApiError, Code};
use crate::http::export::Row;
use crate::http::extract::{Admin, AppData, EmptyRequest, Query, UnreadJson};
use crate::http::idempotency::{Idempotency, made};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::staff::Scope;

type Answer = Result<HttpResponse, ApiError>;

/// Routes of this file and its children, relative to the management API. Words that are no ids stand
/// first.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .configure(prices::routes)
        .service(resource("/orders").get(orders))
        .service(resource("/orders/export.csv").get(export::csv))
        .service(resource("/orders/export.json").get(export::json))
        .service(resource("/orders/{id}").get(order))
        .service(resource("/orders/{id}/fulfil").on(Method::POST, fulfil))
        .service(resource("/orders/{id}/resend").on(Method::POST, resend))
        .service(resource("/events").get(events))
        .service(resource("/events/{id}/retry").on(Method::POST, retry_event));
}

/// What this file and its children add to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(
    prices::create,
    prices::list,
    prices::show,
    orders,
    export::csv,
    export::json,
    order,
    fulfil,
    resend,
    events,
    retry_event
))]
pub struct Paths;

/// An order and its lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderDetail)]
struct OrderBody {
    #[serde(flatten)]
    order: Order,
    items: Vec<OrderItem>,
}

/// The same, after its mapping ran again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FulfilledOrder)]
struct FulfilledBody {
    #[serde(flatten)]
    order: OrderBody,
    /// Licenses issued by this call.
    issued: usize,
}

/// What became of an event that was tried again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetriedEvent)]
struct RetriedBody {
    id: PaymentEventId,
    /// Whether it waits to be reduced again: it had failed.
    retried: bool,
}

/// All orders.
#[utoipa::path(
    get,
    path = "/v1/admin/orders",
    operation_id = "list_orders",
    tag = "orders",
    params(PageQuery),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<Order>),
    ),
)]
async fn orders(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    query.window()?.page(&app, list_orders, Order::cursor).await
}

/// One order.
#[utoipa::path(
    get,
    path = "/v1/admin/orders/{id}",
    operation_id = "get_order",
    tag = "orders",
    params(("id" = OrderId, Path)),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The order.", body = OrderBody),
        (status = 404, description = "`not_found`: there is no such order."),
    ),
)]
async fn order(app: AppData, admin: Admin, id: web::Path<String>) -> Answer {
    admin.may(Scope::Read)?;
    let id = OrderId::parse(&id).ok_or_else(|| nothing("order"))?;
    Ok(HttpResponse::Ok().json(order_body(&app, id).await?))
}

/// Issues what an order still lacks, after its prices were mapped. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/orders/{id}/fulfil",
    operation_id = "fulfil_order",
    tag = "orders",
    params(("id" = OrderId, Path)),
    security(("management_token" = ["admin"])),
    responses(
        (status = 200, description = "As it now is.", body = FulfilledBody),
        (status = 404, description = "`not_found`: there is no such order."),
    ),
)]
async fn fulfil(app: AppData, admin: Admin, id: web::Path<String>) -> Answer {
    let actor = admin.may(Scope::Admin)?.actor();
    let id = OrderId::parse(&id).ok_or_else(|| nothing("order"))?;
    let completion = complete(&app, &id, &actor).await?;
    Ok(HttpResponse::Ok().json(FulfilledBody {
        order: order_body(&app, id).await?,
        issued: completion.issued,
    }))
}

/// Sends the mail of an order once more, where the first one went, with the present keys of its licenses.
///
/// Keys of licenses that went to another owner, were revoked or were merged into another one are left out.
#[utoipa::path(
    post,
    path = "/v1/admin/orders/{id}/resend",
    operation_id = "resend_order_mail",
    tag = "orders",
    params(("id" = OrderId, Path)),
    request_body = EmptyRequest,
    security(("management_token" = ["support"])),
    extensions(("x-acts-once" = json!(true))),
    responses(
        (status = 200, description = "The order; its mail is on its way.", body = OrderBody),
        (status = 404, description = "`not_found`: there is no such order."),
        (status = 409, description = "`conflict`: a mail of it waits to be sent, none of its keys may be told any more, or it has no usable mail address."),
    ),
)]
async fn resend(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    id: web::Path<String>,
    body: UnreadJson,
) -> Answer {
    let holder = admin.may(Scope::Support)?;
    let (EmptyRequest {}, claim) = once.read(&app, &holder, body).await?;
    let id = OrderId::parse(&id).ok_or_else(|| nothing("order"))?;
    let input = ResendMail {
        order: id.clone(),
        actor: holder.actor(),
    };
    made(resend_mail(&app, input, claim).await?)?;
    Ok(HttpResponse::Ok().json(order_body(&app, id).await?))
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

/// All stored events.
#[utoipa::path(
    get,
    path = "/v1/admin/events",
    operation_id = "list_events",
    tag = "events",
    params(PageQuery),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<EventSummary>),
    ),
)]
async fn events(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let id = |event: &EventSummary| event.id.to_string();
    query.window()?.page(&app, store::list_events, id).await
}

/// Tries an event that failed again: its cause may be mended now.
#[utoipa::path(
    post,
    path = "/v1/admin/events/{id}/retry",
    operation_id = "retry_event",
    tag = "events",
    params(("id" = PaymentEventId, Path)),
    security(("management_token" = ["admin"])),
    responses(
        (status = 200, description = "Waits again, or had not failed.", body = RetriedBody),
        (status = 404, description = "`not_found`: there is no such event."),
    ),
)]
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
    Ok(HttpResponse::Ok().json(RetriedBody { id, retried }))
}

fn nothing(what: &str) -> ApiError {
    ApiError::new(Code::NotFound, format!("There is no such {what}."))
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

impl From<ResendMailError> for ApiError {
    fn from(error: ResendMailError) -> Self {
        let refused = |sentence: &str| Self::new(Code::Conflict, sentence);
        match error {
            ResendMailError::NoOrder => nothing("order"),
            ResendMailError::NoRecipient => {
                refused("The order has no address that mails can go to.")
            }
            ResendMailError::NothingToTell => {
                refused("The order has no license whose key may be told.")
            }
            ResendMailError::Waits => {
                refused("A mail of this order waits to be sent and goes by itself.")
            }
            ResendMailError::Seal(error) => Self::internal(error),
            ResendMailError::Db(error) => error.into(),
        }
    }
}
