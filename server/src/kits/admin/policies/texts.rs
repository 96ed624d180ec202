//! Management of license texts.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::db::Page;
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Code, Query};
use crate::kits::add_license_text::{AddLicenseText, add_license_text};
use crate::kits::model::LicenseTextId;
use crate::kits::store::{self, LicenseText, TextVersion};
use crate::staff::Scope;

/// Routes of this file.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/license-texts").on(Method::POST, add).get(list))
        .service(resource("/license-texts/{text}").get(show));
}

/// A text, or the next version of one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddLicenseTextRequest)]
struct AddRequest {
    /// A known name gets its next number.
    #[schema(min_length = 1, max_length = 100, example = "Standard")]
    name: String,
    /// What it says; at most 50000 bytes.
    #[schema(min_length = 1, max_length = 50_000)]
    body: String,
}

/// Adds a license text, or the next version of one.
#[utoipa::path(
    post,
    path = "/v1/admin/license-texts",
    operation_id = "add_license_text",
    tag = "policies",
    request_body = AddRequest,
    security(("management_token" = ["admin"])),
    responses((status = 201, description = "Added.", body = LicenseText, headers(("Location" = String)))),
)]
pub(in crate::kits::admin) async fn add(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let (request, claim) = once.read::<AddRequest>(&app, &holder, body).await?;
    let input = AddLicenseText {
        name: request.name,
        body: request.body,
        actor: holder.actor(),
    };
    let id = made(add_license_text(&app, input, claim).await?)?;
    let text = find(&app, &id).await?;
    Ok(created(&app, "/v1/admin/license-texts", &id).json(text))
}

/// All versions of all license texts, without what they say.
#[utoipa::path(
    get,
    path = "/v1/admin/license-texts",
    operation_id = "list_license_texts",
    tag = "policies",
    params(PageQuery),
    security(("management_token" = ["read"])),
    responses((status = 200, description = "A page of them.", body = Page<TextVersion>)),
)]
pub(in crate::kits::admin) async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let id = |text: &TextVersion| text.id.to_string();
    query.window()?.page(&app, store::list_texts, id).await
}

/// One version of a license text.
#[utoipa::path(
    get,
    path = "/v1/admin/license-texts/{text}",
    operation_id = "get_license_text",
    tag = "policies",
    params(("text" = LicenseTextId, Path)),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The text.", body = LicenseText),
        (status = 404, description = "`not_found`: there is no such license text."),
    ),
)]
pub(in crate::kits::admin) async fn show(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    Ok(HttpResponse::Ok().json(find(&app, &path).await?))
}

async fn find(app: &App, id: &str) -> Result<LicenseText, ApiError> {
    let missing = || ApiError::new(Code::NotFound, "There is no such license text.");
    let id = LicenseTextId::parse(id).ok_or_else(missing)?;
    let found = app.db.read(move |conn| store::find_text(conn, &id)).await?;
    found.ok_or_else(missing)
}
