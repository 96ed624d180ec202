//! Listings and files for kits, updaters and people with a ticket.

mod asked;
mod delivery;
mod errors;

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::{IntoParams, OpenApi};

use super::authorize::{Access, AccessError};
use super::content::Content;
use super::named::{Named, NamedError, named};
use super::record::Recipient;
use super::tickets::open_ticket;
use super::view::{ReleaseView, artifact_url, release_view, told_apart};
use crate::app::App;
use crate::db::{DbError, Page};
use crate::http::conditional;
use crate::http::credentials::credential_form;
use crate::http::extract::{AppData, OptionalKey};
use crate::http::openapi::words::{FileBytes, Slug};
use crate::http::paging::window;
use crate::http::path_token::with_prefix;
use crate::http::routes::resource;
use crate::http::{ApiError, Code, Query};
use crate::releases::model::{Channel, Selector, is_newer, parse_version};
use crate::releases::store::{self, Release};

pub use asked::{find, followed_channel, open};
pub use delivery::{Shipment, deliver, needs_bytes};
pub use errors::refused;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/kits/{kit}/releases").get(list))
        .service(resource("/v1/kits/{kit}/releases/{version}").get(show))
        .service(resource("/v1/kits/{kit}/releases/{version}/artifacts/{name}").get(file))
        .service(resource("/v1/downloads/{ticket}").get(by_ticket));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(list, show, file, by_ticket))]
pub struct Paths;

/// Unknown members are ignored: kits may be newer than the server.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many releases.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(max_length = 100)]
    cursor: Option<String>,
    /// What who follows this channel gets, as with update checks; all channels where nothing is said.
    #[param(value_type = Option<Channel>)]
    channel: Option<String>,
}

/// The releases that this license may have, the highest version first.
#[utoipa::path(
    get,
    path = "/v1/kits/{kit}/releases",
    operation_id = "list_licensed_releases",
    tag = "downloads",
    params(("kit" = Slug, Path, description = "The kit's slug, or a former one."), ListQuery),
    security((), ("license_key" = [])),
    responses(
        (status = 200, description = "A page of them.", body = Page<ReleaseView>, headers(("ETag" = String))),
        (status = 304, description = "`If-None-Match` names what it is."),
    ),
)]
async fn list(
    app: AppData,
    http: HttpRequest,
    OptionalKey(key): OptionalKey,
    path: web::Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<HttpResponse, ApiError> {
    let access = open(&app, key.as_ref(), &path).await?;
    let followed = followed_channel(query.channel.as_deref())?;
    let window = window(query.limit, query.cursor)?;
    let after = match window.after.as_str() {
        "" => None,
        text => Some(text),
    };
    let after = after
        .map(parse_version)
        .transpose()
        .map_err(|_fault| ApiError::field("cursor", "is no cursor of this list"))?;
    let rest = access.listed().filter(|(version, release)| {
        followed.is_none_or(|followed| followed.admits(release.channel))
            && after.as_ref().is_none_or(|after| is_newer(after, version))
    });
    let rows = rest.take(window.limit + 1);
    let releases: Vec<Release> = rows.map(|(_, release)| release.clone()).collect();
    let views = views(&app, &access, releases).await?;
    let page = Page::cut(views, window.limit, |view| view.version.clone());
    conditional::json(&http, &page)
}

/// One release that this license may have.
#[utoipa::path(
    get,
    path = "/v1/kits/{kit}/releases/{version}",
    operation_id = "get_licensed_release",
    tag = "downloads",
    params(
        ("kit" = Slug, Path, description = "The kit's slug, or a former one."),
        ("version" = String, Path, description = "`1.2.3`, or the highest of `1.2`, of `1`, or of all: `latest`."),
    ),
    security((), ("license_key" = [])),
    responses(
        (status = 200, description = "The release.", body = ReleaseView, headers(("ETag" = String))),
        (status = 304, description = "`If-None-Match` names what it is."),
        (status = 403, description = "`version_not_covered`: it came out after the license's updates ended. `entitlement_missing`: it needs a feature that the license does not include."),
        (status = 404, description = "`not_found`: the kit has no such version."),
        (status = 410, description = "`gone`: the version was withdrawn."),
    ),
)]
async fn show(
    app: AppData,
    http: HttpRequest,
    OptionalKey(key): OptionalKey,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (kit, version) = path.into_inner();
    let access = open(&app, key.as_ref(), &kit).await?;
    let (_, release) = find(&app, &access, &version)?;
    let views = views(&app, &access, vec![release.clone()]).await?;
    let view = views.into_iter().next();
    let view = view.ok_or_else(|| ApiError::internal("a release without a view"))?;
    conditional::json(&http, &view)
}

/// A file of a release. The entity tag is the SHA-256.
#[utoipa::path(
    get,
    path = "/v1/kits/{kit}/releases/{version}/artifacts/{name}",
    operation_id = "download",
    tag = "downloads",
    params(
        ("kit" = Slug, Path, description = "The kit's slug, or a former one."),
        ("version" = String, Path, description = "`1.2.3`; others are redirected to it."),
        ("name" = String, Path, description = "Name of the file."),
        ("Range" = Option<String>, Header, description = "Ranges of bytes: at most 64, sent in ascending order, those that touch as one."),
    ),
    security((), ("license_key" = [])),
    responses(
        (status = 200, description = "The file.", body = FileBytes, content_type = "*/*", headers(("ETag" = String))),
        (status = 206, description = "A part of it.", body = FileBytes, content_type = "*/*", headers(("ETag" = String), ("Content-Range" = String))),
        (status = 302, description = "To the address with the exact version.", headers(("Location" = String))),
        (status = 304, description = "`If-None-Match` names the file."),
        (status = 403, description = "`version_not_covered`: it came out after the license's updates ended. `entitlement_missing`: it needs a feature that the license does not include."),
        (status = 404, description = "`not_found`: no such version, or no such file in it."),
        (status = 409, description = "`conflict`: its kit stamps each copy, and this archive cannot carry a stamp."),
        (status = 410, description = "`gone`: the version was withdrawn."),
        (status = 416, description = "`range_not_satisfiable`: the range lies outside of the file."),
    ),
)]
async fn file(
    app: AppData,
    http: HttpRequest,
    OptionalKey(key): OptionalKey,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (kit, version, name) = path.into_inner();
    let access = open(&app, key.as_ref(), &kit).await?;
    let (selector, release) = find(&app, &access, &version)?;
    let named = named_in(&app, release, &name).await?;
    let is_stable = matches!(selector, Selector::Exact(_));
    let shipment = match named {
        Named::File(artifact) if is_stable => {
            let form = credential_form(&http);
            let recipient = Recipient::of(access.holding.as_ref(), form);
            Shipment::file(&app, &artifact, recipient).await?
        }
        Named::Checksum(artifact) if is_stable => {
            Shipment::beside(Content::checksum(&artifact).map_err(ApiError::internal)?)
        }
        Named::Signature(artifact, text) if is_stable => {
            Shipment::beside(Content::signature(&artifact, text))
        }
        other => {
            let (kit, version) = (&access.kit.slug, &release.version);
            let stable = artifact_url(&app, kit, version, &other.address());
            return Ok(moved(with_prefix(&http, stable)));
        }
    };
    deliver(&app, &http, shipment).await
}

fn moved(stable: String) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, stable))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

async fn named_in(app: &App, release: &Release, name: &str) -> Result<Named, ApiError> {
    let ids = vec![release.id.clone()];
    let artifacts = app
        .db
        .read(move |conn| store::artifacts_of(conn, &ids))
        .await?;
    named(&artifacts, name).map_err(|error| match error {
        NamedError::Unknown => refused(app, AccessError::UnknownFile),
        NamedError::Several(names) => {
            let detail = "Several files of this version are of this kind. Ask for one by its name.";
            ApiError::new(Code::NotFound, detail).with("names", names)
        }
    })
}

/// A file by a ticket, the short-lived address that the portal gives.
#[utoipa::path(
    get,
    path = "/v1/downloads/{ticket}",
    operation_id = "download_by_ticket",
    tag = "downloads",
    params(
        ("ticket" = String, Path, description = "From the portal."),
        ("Range" = Option<String>, Header, description = "Ranges of bytes: at most 64, sent in ascending order, those that touch as one."),
    ),
    responses(
        (status = 200, description = "The file.", body = FileBytes, content_type = "*/*", headers(("ETag" = String))),
        (status = 206, description = "A part of it.", body = FileBytes, content_type = "*/*", headers(("ETag" = String), ("Content-Range" = String))),
        (status = 304, description = "`If-None-Match` names the file."),
        (status = 403, description = "The license may no longer have it."),
        (status = 404, description = "`not_found`: nobody made this ticket."),
        (status = 409, description = "`conflict`: its kit stamps each copy, and this archive cannot carry a stamp."),
        (status = 410, description = "`gone`: the ticket has ended, or the version was withdrawn."),
        (status = 416, description = "`range_not_satisfiable`: the range lies outside of the file."),
    ),
)]
async fn by_ticket(
    app: AppData,
    http: HttpRequest,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let opened = open_ticket(&app, &path).await;
    let (recipient, artifact) = opened.map_err(|error| errors::ticket_refused(&app, error))?;
    let shipment = Shipment::file(&app, &artifact, recipient).await?;
    deliver(&app, &http, shipment).await
}

async fn views(
    app: &AppData,
    access: &Access,
    releases: Vec<Release>,
) -> Result<Vec<ReleaseView>, DbError> {
    let ids: Vec<_> = releases.iter().map(|release| release.id.clone()).collect();
    let artifacts = app
        .db
        .read(move |conn| store::artifacts_of(conn, &ids))
        .await?;
    let artifacts = told_apart(app, access, artifacts).await;
    let view = |release: &Release| release_view(app, access, release, &artifacts);
    Ok(releases.iter().map(view).collect())
}
