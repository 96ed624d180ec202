//! Management of licenses.

mod actions;
mod answers;
mod errors;
mod export;
mod keys;
mod lists;
mod queries;
mod requests;
mod search;
mod verbs;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::de::DeserializeOwned;

use super::change::Change;
use super::model::LicenseId;
use super::store;
use crate::app::App;
use crate::http::conditional::expected_version;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Admin, UnreadJson};
use crate::http::idempotency::Idempotency;
use crate::http::routes::resource;
use crate::idempotency::Claim;
use crate::staff::Scope;

type Answer = Result<HttpResponse, ApiError>;

/// Routes of this folder, relative to the management API. Words that are no ids stand first.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/find")
                .get(search::get)
                .on(Method::POST, search::post),
        )
        .service(
            resource("/licenses")
                .on(Method::POST, verbs::issue)
                .get(lists::list),
        )
        .service(resource("/licenses/export.csv").get(export::csv))
        .service(resource("/licenses/export.json").get(export::json))
        .service(
            resource("/licenses/{license}")
                .get(lists::show)
                .on(Method::PATCH, verbs::edit),
        )
        .service(resource("/licenses/{license}/suspend").on(Method::POST, actions::suspend))
        .service(resource("/licenses/{license}/reinstate").on(Method::POST, actions::reinstate))
        .service(resource("/licenses/{license}/revoke").on(Method::POST, actions::revoke))
        .service(resource("/licenses/{license}/renew").on(Method::POST, actions::renew))
        .service(resource("/licenses/{license}/extend").on(Method::POST, actions::extend))
        .service(resource("/licenses/{license}/transfer").on(Method::POST, actions::transfer))
        .service(resource("/licenses/{license}/merge").on(Method::POST, actions::merge))
        .service(resource("/licenses/{license}/set-policy").on(Method::POST, actions::set_policy))
        .service(resource("/licenses/{license}/note").on(Method::POST, actions::note))
        .service(resource("/licenses/{license}/rotate").on(Method::POST, keys::rotate))
        .service(resource("/licenses/{license}/import-key").on(Method::POST, keys::import))
        .service(resource("/licenses/{license}/keys").get(lists::keys))
        .service(resource("/licenses/{license}/holds").get(lists::holds))
        .service(resource("/licenses/{license}/notes").get(lists::notes))
        .service(resource("/licenses/{license}/history").get(lists::history))
        .service(resource("/licenses/{license}/seats").get(lists::seats))
        .service(
            resource("/licenses/{license}/seats/{activation}/free").on(Method::POST, verbs::free),
        );
}

/// What this folder adds to the document of the API.
#[derive(utoipa::OpenApi)]
#[openapi(paths(
    lists::list,
    lists::show,
    export::csv,
    export::json,
    lists::keys,
    lists::holds,
    lists::notes,
    lists::history,
    lists::seats,
    verbs::issue,
    verbs::edit,
    actions::suspend,
    actions::reinstate,
    actions::revoke,
    actions::renew,
    actions::extend,
    actions::transfer,
    actions::merge,
    actions::set_policy,
    actions::note,
    verbs::free,
    keys::rotate,
    keys::import,
    search::get,
    search::post,
))]
pub(crate) struct Paths;

/// What a call that changes a license consists of.
type Asked = (
    Admin,
    HttpRequest,
    web::Path<String>,
    Idempotency,
    UnreadJson,
);

/// Who changes which license, how, and once for one request.
async fn read<T: DeserializeOwned>(
    app: &App,
    asked: Asked,
    scope: Scope,
) -> Result<(Change, T, Claim), ApiError> {
    let (admin, http, path, once, body) = asked;
    let holder = admin.may(scope)?;
    let (request, claim) = once.read::<T>(app, &holder, body).await?;
    let of = Change {
        license: license_id(&path)?,
        expected_revision: expected_version(&http)?,
        actor: holder.actor(),
        now: app.clock.now(),
        entropy: std::sync::Arc::clone(&app.entropy),
    };
    Ok((of, request, claim))
}

fn license_id(text: &str) -> Result<LicenseId, ApiError> {
    LicenseId::parse(text).ok_or_else(no_such_license)
}

/// The license of an address: nothing is listed of one there is not.
pub(crate) async fn known_license(app: &App, text: &str) -> Result<LicenseId, ApiError> {
    let id = license_id(text)?;
    let wanted = id.clone();
    let found = app.db.read(move |conn| store::find(conn, &wanted)).await?;
    found.map(|_| id).ok_or_else(no_such_license)
}

pub(crate) fn no_such_license() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such license.")
}
