//! Management of license texts.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::app::App;
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddRequest {
    name: String,
    body: String,
}

async fn add(
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

async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let id = |text: &TextVersion| text.id.to_string();
    query.window()?.page(&app, store::list_texts, id).await
}

async fn show(
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
