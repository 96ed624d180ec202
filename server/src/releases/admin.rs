//! Management of releases and their files.

mod edit;
mod errors;
mod grants;
mod lists;
mod params;
mod remove;
mod requests;
mod signatures;
mod storage;
mod upload;
mod uploads;
mod verbs;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::de::DeserializeOwned;
use utoipa::OpenApi;

use super::change::Change;
use super::model::ReleaseId;
use crate::app::App;
use crate::http::ApiError;
use crate::http::conditional::expected_version;
use crate::http::extract::{Admin, UnreadJson};
use crate::http::idempotency::Idempotency;
use crate::http::routes::resource;
use crate::idempotency::Claim;
use crate::staff::{Scope, TokenHolder};
use errors::no_such_release;

type Answer = Result<HttpResponse, ApiError>;

/// Routes of this file and its children, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/releases")
                .on(Method::POST, verbs::create)
                .get(lists::list),
        )
        .service(
            resource("/releases/{release}")
                .get(lists::show)
                .on(Method::PATCH, edit::edit)
                .on(Method::DELETE, verbs::delete),
        )
        .service(resource("/releases/{release}/publish").on(Method::POST, verbs::publish))
        .service(resource("/releases/{release}/sign").on(Method::POST, signatures::sign))
        .service(
            resource("/releases/{release}/artifacts/{name}/signature")
                .on(Method::PUT, signatures::supply),
        )
        .service(resource("/releases/{release}/yank").on(Method::POST, edit::yank))
        .service(resource("/releases/{release}/unyank").on(Method::POST, edit::unyank))
        .service(resource("/releases/{release}/withdraw").on(Method::POST, edit::withdraw))
        .service(resource("/releases/{release}/rollout").on(Method::POST, edit::rollout))
        .service(resource("/releases/{release}/halt").on(Method::POST, edit::halt))
        .service(resource("/releases/{release}/resume").on(Method::POST, edit::resume))
        .service(
            resource("/releases/{release}/grants")
                .on(Method::POST, grants::grant)
                .get(grants::list),
        )
        .service(
            resource("/releases/{release}/grants/{license}").on(Method::DELETE, grants::ungrant),
        )
        .service(
            resource("/releases/{release}/artifacts/{name}")
                .on(Method::PUT, upload::upload)
                .on(Method::DELETE, remove::remove),
        )
        .service(resource("/storage").get(storage::show))
        .configure(uploads::routes);
}

/// What this file and its children add to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(
    verbs::create,
    lists::list,
    lists::show,
    edit::edit,
    verbs::delete,
    verbs::publish,
    edit::yank,
    edit::unyank,
    edit::withdraw,
    edit::rollout,
    edit::halt,
    edit::resume,
    grants::grant,
    grants::list,
    grants::ungrant,
    upload::upload,
    remove::remove,
    uploads::begin,
    uploads::list,
    uploads::show,
    uploads::send,
    uploads::complete,
    uploads::abandon,
    storage::show,
    signatures::supply,
    signatures::sign,
))]
pub struct Paths;

/// What a call that changes a release consists of.
type Asked = (
    Admin,
    HttpRequest,
    web::Path<String>,
    Idempotency,
    UnreadJson,
);

/// Who changes which release, how, and once for one request.
async fn read<T: DeserializeOwned>(
    app: &App,
    asked: Asked,
    scopes: &[Scope],
) -> Result<(Change, T, Claim), ApiError> {
    let (admin, http, path, once, body) = asked;
    let holder = admin.may_any(scopes)?;
    let (request, claim) = once.read::<T>(app, &holder, body).await?;
    Ok((change(app, &http, &path, &holder)?, request, claim))
}

fn change(
    app: &App,
    http: &HttpRequest,
    release: &str,
    holder: &TokenHolder,
) -> Result<Change, ApiError> {
    Ok(Change {
        release: release_id(release)?,
        expected_revision: expected_version(http)?,
        actor: holder.actor(),
        now: app.clock.now(),
    })
}

fn release_id(text: &str) -> Result<ReleaseId, ApiError> {
    ReleaseId::parse(text).ok_or_else(no_such_release)
}
