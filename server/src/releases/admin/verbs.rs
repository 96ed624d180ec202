//! Making a release, letting it out, and deleting a draft.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::IntoParams;

use super::lists::{ReleaseView, answer, view};
use super::params::{IfMatch, OneRelease};
use super::requests::CreateRequest;
use super::{Answer, change, release_id};
use crate::http::Query;
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::releases::create_release::create_release;
use crate::releases::delete_draft::delete_draft;
use crate::releases::publish_release::publish_release;
use crate::staff::Scope;

/// Creates a draft.
#[utoipa::path(
    post,
    path = "/v1/admin/releases",
    operation_id = "create_release",
    tag = "releases",
    request_body = CreateRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 201, description = "Created.", body = ReleaseView, headers(("Location" = String))),
        (status = 409, description = "`conflict`: the kit has a release with this version."),
    ),
)]
pub(super) async fn create(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Answer {
    let holder = admin.may(Scope::Publish)?;
    let (request, claim) = once.read::<CreateRequest>(&app, &holder, body).await?;
    let input = request.into_input(holder.actor());
    let id = made(create_release(&app, input, claim).await?)?;
    let view = view(&app, release_id(&id)?).await?;
    Ok(created(&app, "/v1/admin/releases", &id).json(view))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PublishQuery {
    /// Whether people are mailed about it; where nothing is said, about releases on `stable`.
    notify: Option<bool>,
}

/// Lets a draft out. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/publish",
    operation_id = "publish_release",
    tag = "releases",
    params(OneRelease, IfMatch, PublishQuery),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It is out.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: it has no files, or its kit stamps archives and one of them cannot carry a stamp."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
        (status = 422, description = "`invalid_field`: what `If-Match` says is no such tag."),
    ),
)]
pub(super) async fn publish(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<String>,
    Query(query): Query<PublishQuery>,
) -> Answer {
    let holder = admin.may(Scope::Publish)?;
    let of = change(&app, &http, &path, &holder)?;
    let release = publish_release(&app, of, query.notify).await?;
    answer(&app, release.id).await
}

/// Deletes a draft and its files.
#[utoipa::path(
    delete,
    path = "/v1/admin/releases/{release}",
    operation_id = "delete_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    security(("management_token" = ["publish"])),
    responses(
        (status = 204, description = "Deleted."),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: it is published."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
        (status = 422, description = "`invalid_field`: what `If-Match` says is no such tag."),
    ),
)]
pub(super) async fn delete(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<String>,
) -> Answer {
    let holder = admin.may(Scope::Publish)?;
    delete_draft(&app, change(&app, &http, &path, &holder)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
