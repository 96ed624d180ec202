//! Releases that were granted to licenses.

use actix_web::{HttpRequest, HttpResponse, web};

use super::lists::{ReleaseView, changed};
use super::params::{IfMatch, OneRelease};
use super::requests::GrantRequest;
use super::{Answer, Asked, change, read, release_id};
use crate::db::{AnyConn, Page};
use crate::http::extract::{Admin, AppData};
use crate::http::paging::PageQuery;
use crate::http::{ApiError, Code, Query};
use crate::licenses::model::LicenseId;
use crate::releases::grant_release;
use crate::releases::store::{self, Grant};
use crate::staff::Scope;

/// Gives a license this release whatever its dates say. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/grants",
    operation_id = "grant_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = GrantRequest,
    security(("management_token" = ["publish"]), ("management_token" = ["support"])),
    responses(
        (status = 200, description = "Granted.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
        (status = 422, description = "`invalid_field`: there is no such license, its terms do not cover the kit, or the reason."),
    ),
)]
pub(super) async fn grant(app: AppData, asked: Asked) -> Answer {
    let scopes = [Scope::Publish, Scope::Support];
    let (of, request, claim) = read::<GrantRequest>(&app, asked, &scopes).await?;
    let GrantRequest { license, reason } = request;
    let once = grant_release::grant(&app, of, license, &reason, claim).await?;
    changed(&app, once).await
}

/// Licenses that were granted this release.
#[utoipa::path(
    get,
    path = "/v1/admin/releases/{release}/grants",
    operation_id = "list_release_grants",
    tag = "releases",
    params(OneRelease, PageQuery),
    security(("management_token" = ["read"]), ("management_token" = ["publish"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<Grant>),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
pub(super) async fn list(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Answer {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    let id = release_id(&path)?;
    let window = query.window()?;
    super::lists::view(&app, id.clone()).await?;
    let read =
        move |conn: &mut AnyConn, after: &str, rows| store::list_grants(conn, &id, after, rows);
    window
        .page(&app, read, |grant: &Grant| grant.license_id.to_string())
        .await
}

/// Takes a grant back.
#[utoipa::path(
    delete,
    path = "/v1/admin/releases/{release}/grants/{license}",
    operation_id = "ungrant_release",
    tag = "releases",
    params(
        OneRelease,
        ("license" = LicenseId, Path),
        IfMatch,
    ),
    security(("management_token" = ["publish"]), ("management_token" = ["support"])),
    responses(
        (status = 204, description = "Taken back."),
        (status = 404, description = "`not_found`: the license was not granted this release."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
        (status = 422, description = "`invalid_field`: what `If-Match` says is no such tag."),
    ),
)]
pub(super) async fn ungrant(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<(String, String)>,
) -> Answer {
    let holder = admin.may_any(&[Scope::Publish, Scope::Support])?;
    let (release, license) = path.into_inner();
    let of = change(&app, &http, &release, &holder)?;
    let missing = || ApiError::new(Code::NotFound, "There is no such grant.");
    let license = LicenseId::parse(&license).ok_or_else(missing)?;
    grant_release::ungrant(&app, of, license).await?;
    Ok(HttpResponse::NoContent().finish())
}
