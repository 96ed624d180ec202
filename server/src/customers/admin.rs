//! Management of customers.

mod export;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::model::{CustomerId, normalize_address};
use super::rename::{Rename, RenameError, rename};
use super::store::{self, Customer};
use crate::app::App;
use crate::db::{AnyConn, DbError, Page};
use crate::http::conditional::{changed_meanwhile, expected_version, version_tag};
use crate::http::error::{ApiError, Code};
use crate::http::export::Row;
use crate::http::extract::{Admin, AppData, Query, UnreadJson};
use crate::http::paging::{refuse_paging, window};
use crate::http::routes::resource;
use crate::staff::Scope;

type Answer = Result<HttpResponse, ApiError>;

/// Routes of this file and its child, relative to the management API. Words that are no ids stand first.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/customers").get(list))
        .service(resource("/customers/export.csv").get(export::csv))
        .service(resource("/customers/export.json").get(export::json))
        .service(
            resource("/customers/{customer}")
                .get(show)
                .on(Method::PATCH, edit),
        );
}

/// What this file and its child add to the document of the API.
#[derive(utoipa::OpenApi)]
#[openapi(paths(list, show, edit, export::csv, export::json))]
pub(crate) struct Paths;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CustomerQuery {
    /// Most rows of a page.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Those of whoever holds this mail address, and the one that waits for it.
    email: Option<String>,
}

impl CustomerQuery {
    /// An export has no pages.
    fn refuse_paging(&self) -> Result<(), ApiError> {
        refuse_paging(self.limit, self.cursor.as_deref())
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenameRequest {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// Customers in the order of their creation.
#[utoipa::path(
    get,
    path = "/v1/admin/customers",
    operation_id = "customer_list",
    tag = "customers",
    params(CustomerQuery),
    responses((status = 200, description = "A page.", body = Page<Customer>)),
    security(("management_token" = ["read"])),
)]
async fn list(app: AppData, admin: Admin, Query(query): Query<CustomerQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let window = window(query.limit, query.cursor)?;
    let read = reader(query.email)?;
    window.page(&app, read, Customer::cursor).await
}

type Rows = Result<Vec<Customer>, DbError>;

/// What reads a page of them, or a slice of their file.
fn reader(email: Option<String>) -> Result<impl Fn(&mut AnyConn, &str, i64) -> Rows, ApiError> {
    let no_address = || ApiError::field("email", "must be a mail address");
    let address = email.map(|text| normalize_address(&text).ok_or_else(no_address));
    let address = address.transpose()?;
    Ok(move |conn: &mut AnyConn, after: &str, rows: i64| {
        let Some(address) = &address else {
            return store::list_customers(conn, after, rows);
        };
        let mut found = store::by_address(conn, address)?;
        found.retain(|customer| customer.id.as_str() > after);
        Ok(found)
    })
}

/// A customer.
#[utoipa::path(
    get,
    path = "/v1/admin/customers/{customer}",
    operation_id = "customer_show",
    tag = "customers",
    params(("customer" = CustomerId, Path)),
    responses(
        (status = 200, description = "The customer.", body = Customer),
        (status = 404, description = "There is no such customer."),
    ),
    security(("management_token" = ["read"])),
)]
async fn show(app: AppData, admin: Admin, path: web::Path<String>) -> Answer {
    admin.may(Scope::Read)?;
    answer(&app, customer_id(&path)?).await
}

/// Rename a customer.
#[utoipa::path(
    patch,
    path = "/v1/admin/customers/{customer}",
    operation_id = "customer_edit",
    tag = "customers",
    params(("customer" = CustomerId, Path)),
    request_body = RenameRequest,
    responses(
        (status = 200, description = "The customer.", body = Customer),
        (status = 404, description = "There is no such customer."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["admin"])),
)]
async fn edit(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<String>,
    body: UnreadJson,
) -> Answer {
    let holder = admin.may(Scope::Admin)?;
    let request: RenameRequest = body.read().await?;
    let id = customer_id(&path)?;
    let input = Rename {
        id: id.clone(),
        expected_version: expected_version(&http)?,
        name: request.name,
        actor: holder.actor(),
    };
    rename(&app, input).await?;
    answer(&app, id).await
}

async fn answer(app: &App, id: CustomerId) -> Answer {
    let found = app
        .db
        .read(move |conn| store::find_customer(conn, &id))
        .await?;
    let customer = found.ok_or_else(no_such_customer)?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(customer.version))
        .json(customer))
}

fn customer_id(text: &str) -> Result<CustomerId, ApiError> {
    CustomerId::parse(text).ok_or_else(no_such_customer)
}

fn no_such_customer() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such customer.")
}

impl From<RenameError> for ApiError {
    fn from(error: RenameError) -> Self {
        match error {
            RenameError::Db(error) => error.into(),
            RenameError::Field(fault) => fault.into(),
            RenameError::NotFound => no_such_customer(),
            RenameError::Changed { version } => changed_meanwhile("customer", version),
        }
    }
}
