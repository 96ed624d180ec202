//! Management of prices.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::db::{AnyConn, DbError, Page};
use crate::http::conditional::version_tag;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Admin, AppData, Query, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::kits::model::PolicyId;
use crate::payments::create_price::{CreatePrice, CreatePriceError, create_price};
use crate::payments::model::{PriceId, QuantityRule};
use crate::payments::store::{self, Price};
use crate::staff::Scope;

type Answer = Result<HttpResponse, ApiError>;

/// Routes of this file.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/prices").on(Method::POST, create).get(list))
        .service(resource("/prices/{id}").get(show));
}

/// A price and what it sells.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PriceDetail)]
pub(super) struct PriceBody {
    #[serde(flatten)]
    price: Price,
    policies: Vec<PolicyId>,
}

/// A price to map.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreatePriceRequest)]
pub(super) struct NewPrice {
    /// The provider's id.
    #[schema(pattern = "^price_[A-Za-z0-9_]{1,249}$", example = "price_1NabcD")]
    external_id: String,
    /// Ids or names of the policies it sells.
    #[schema(min_items = 1, max_items = 20)]
    policies: Vec<String>,
    /// What never gives a buyer less than was paid for.
    #[serde(default = "licenses")]
    quantity_rule: QuantityRule,
}

fn licenses() -> QuantityRule {
    QuantityRule::Licenses
}

/// Maps a price to the policies it sells.
#[utoipa::path(
    post,
    path = "/v1/admin/prices",
    operation_id = "create_price",
    tag = "prices",
    request_body = NewPrice,
    security(("management_token" = ["admin"])),
    responses(
        (status = 201, description = "Mapped.", body = PriceBody, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "`conflict`: the price is mapped already."),
    ),
)]
pub(super) async fn create(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Answer {
    let holder = admin.may(Scope::Admin)?;
    let (body, claim) = once.read::<NewPrice>(&app, &holder, body).await?;
    let input = CreatePrice {
        external_id: body.external_id,
        policies: body.policies,
        quantity_rule: body.quantity_rule,
        actor: holder.actor(),
    };
    let id = made(create_price(&app, input, claim).await?)?;
    let body = find(&app, &id).await?;
    Ok(created(&app, "/v1/admin/prices", &id)
        .insert_header(version_tag(body.price.version))
        .json(body))
}

/// All prices.
#[utoipa::path(
    get,
    path = "/v1/admin/prices",
    operation_id = "list_prices",
    tag = "prices",
    params(PageQuery),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<PriceBody>),
    ),
)]
pub(super) async fn list(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let read = |conn: &mut AnyConn, after: &str, rows| {
        let prices = store::list_prices(conn, after, rows)?;
        with_policies(conn, prices)
    };
    let id = |body: &PriceBody| body.price.id.to_string();
    query.window()?.page(&app, read, id).await
}

/// One price.
#[utoipa::path(
    get,
    path = "/v1/admin/prices/{id}",
    operation_id = "get_price",
    tag = "prices",
    params(("id" = PriceId, Path)),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The price.", body = PriceBody, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such price."),
    ),
)]
pub(super) async fn show(app: AppData, admin: Admin, id: web::Path<String>) -> Answer {
    admin.may(Scope::Read)?;
    let body = find(&app, &id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(body.price.version))
        .json(body))
}

async fn find(app: &App, id: &str) -> Result<PriceBody, ApiError> {
    let id = PriceId::parse(id).ok_or_else(no_such_price)?;
    let found = app
        .db
        .read_slow(move |conn| {
            let price = store::find_price(conn, &id)?;
            with_policies(conn, price.into_iter().collect())
        })
        .await?;
    found.into_iter().next().ok_or_else(no_such_price)
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

fn no_such_price() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such price.")
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
