//! Files in parts: begin, send, list, look, complete, give up.

mod body;
mod errors;
mod views;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::release_id;
use super::upload::{check_announced, expected_sha256};
use crate::db::{AnyConn, Page};
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::Idempotency;
use crate::http::openapi::words::{FileBytes, Sha256, Slug};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::releases::model::{ReleaseId, SOURCE, UploadId};
use crate::releases::store::{self, Artifact};
use crate::releases::upload::abandon::abandon_upload;
use crate::releases::upload::begin::{BeginUpload, Begun, begin_upload, find_in};
use crate::releases::upload::complete::complete_upload;
use crate::releases::upload::part::{expect_part, receive_part};
use crate::releases::upload_artifact::NewArtifact;
use crate::staff::Scope;
use errors::{no_room, no_such_part};
use views::{PartView, UploadView};

pub(super) use errors::no_such_upload;

/// Routes of this file, relative to the management API.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            resource("/releases/{release}/uploads")
                .on(Method::POST, begin)
                .get(list),
        )
        .service(
            resource("/uploads/{upload}")
                .get(show)
                .on(Method::DELETE, abandon),
        )
        .service(resource("/uploads/{upload}/parts/{number}").on(Method::PUT, send))
        .service(resource("/uploads/{upload}/complete").on(Method::POST, complete));
}

/// A file that is coming.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BeginUploadRequest)]
pub(super) struct BeginRequest {
    /// Name of the file; in bytes.
    #[schema(max_length = 200)]
    name: String,
    /// What it is; `source` where nothing is said.
    #[schema(value_type = Option<Slug>)]
    kind: Option<String>,
    /// For which system it is, such as `linux`; for all where nothing is said.
    #[schema(max_length = 32, pattern = "^[a-z0-9][a-z0-9_.-]*$")]
    platform: Option<String>,
    /// For which processor it is, such as `x86_64`; for all where nothing is said.
    #[schema(max_length = 32, pattern = "^[a-z0-9][a-z0-9_.-]*$")]
    arch: Option<String>,
    /// In bytes.
    size: u64,
    /// What the whole hashes to.
    #[schema(value_type = Sha256)]
    sha256: String,
}

/// Begins a file that comes in parts. The same file again is the same upload: its answer says which
/// parts the server holds. Bytes that a release of the same kit has need not be sent: `artifact` is
/// the file then.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/uploads",
    operation_id = "begin_upload",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    request_body = BeginRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It was begun before, or the release has it.", body = UploadView),
        (status = 201, description = "Begun, or added at once.", body = UploadView),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: the release is out, is full, has this name with other bytes, has it as another kind or for another machine (`field` says which), or too many uploads are under way."),
        (status = 413, description = "`payload_too_large`: the file is larger than the server takes."),
    ),
)]
pub(super) async fn begin(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    path: web::Path<String>,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let (request, claim) = once.read::<BeginRequest>(&app, &holder, body).await?;
    let artifact = NewArtifact {
        release: release_id(&path)?,
        name: request.name,
        kind: request.kind.unwrap_or_else(|| SOURCE.to_owned()),
        platform: request.platform,
        arch: request.arch,
        actor: holder.actor(),
    };
    let input = BeginUpload {
        artifact,
        size: request.size,
        sha256: request.sha256.to_ascii_lowercase(),
    };
    let begun = begin_upload(&app, input, claim).await?;
    let is_new = match &begun {
        Begun::Present { is_new, .. } | Begun::Open { is_new, .. } => *is_new,
    };
    let mut answer = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    Ok(answer.json(UploadView::from(begun)))
}

/// Uploads of a release that are under way, in the order of their beginning.
#[utoipa::path(
    get,
    path = "/v1/admin/releases/{release}/uploads",
    operation_id = "list_uploads",
    tag = "releases",
    params(("release" = ReleaseId, Path), PageQuery),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<UploadView>),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
pub(super) async fn list(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Publish)?;
    let id = release_id(&path)?;
    let window = query.window()?;
    super::lists::view(&app, id.clone()).await?;
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let found = store::uploads::list_of(conn, &id, after, rows)?;
        let views = found
            .into_iter()
            .map(|(upload, parts)| UploadView::open(upload, &parts));
        Ok(views.collect())
    };
    window.page(&app, read, UploadView::cursor).await
}

/// Which parts of a file the server holds.
#[utoipa::path(
    get,
    path = "/v1/admin/uploads/{upload}",
    operation_id = "get_upload",
    tag = "releases",
    params(("upload" = UploadId, Path)),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "The upload.", body = UploadView),
        (status = 404, description = "`not_found`: it is complete, given up or over, or never was."),
    ),
)]
pub(super) async fn show(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Publish)?;
    let id = upload_id(&path)?;
    let found = app.db.read_snapshot(move |conn| find_in(conn, &id)).await?;
    let (upload, parts) = found.ok_or_else(no_such_upload)?;
    let view = UploadView::open(upload, &parts);
    Ok(HttpResponse::Ok().json(view))
}

/// Sends one part; several may be sent at once, in any order. It is acknowledged when it survives a
/// crash of the server. Repeating it with the same bytes changes nothing.
#[utoipa::path(
    put,
    path = "/v1/admin/uploads/{upload}/parts/{number}",
    operation_id = "upload_part",
    tag = "releases",
    params(
        ("upload" = UploadId, Path),
        ("number" = u64, Path, minimum = 1, maximum = 10_000, description = "Which part, from 1."),
        ("X-Content-SHA256" = Option<String>, Header, pattern = "^[0-9A-Fa-f]{64}$", description = "What the part must hash to."),
    ),
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The part: `part_size` bytes, the last one what is left."),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "The server holds it.", body = PartView),
        (status = 404, description = "`not_found`: there is no such upload, or no longer."),
        (status = 409, description = "`conflict`: it holds other bytes under this number."),
        (status = 413, description = "`payload_too_large`: the part is longer than it must be."),
        (status = 422, description = "`invalid_field`: the number, the length, or the SHA-256 that does not fit."),
        (status = 503, description = "`unavailable`: too many parts come at once."),
        (status = 507, description = "`insufficient_storage`: the disk is full."),
    ),
)]
pub(super) async fn send(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Publish)?;
    let (upload, number) = path.into_inner();
    let number: u64 = number.parse().map_err(|_bad| no_such_part(None))?;
    let part = expect_part(&app, upload_id(&upload)?, number).await?;
    let expected = expected_sha256(&http)?;
    check_announced(&http, part.length)?;
    let share = app.upload_room.for_part(part.length).await;
    let _share = share.ok_or_else(no_room)?;
    let bytes = body::read_part(body, part.length).await?;
    let row = receive_part(&app, part, bytes, expected.as_deref()).await?;
    Ok(HttpResponse::Ok().json(PartView::from(row)))
}

/// Puts the parts together; the file is then one of its release, and the upload is gone. Ask again
/// where no answer comes: begin says whether the file is there.
#[utoipa::path(
    post,
    path = "/v1/admin/uploads/{upload}/complete",
    operation_id = "complete_upload",
    tag = "releases",
    params(("upload" = UploadId, Path)),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It is a file of its release.", body = Artifact),
        (status = 404, description = "`not_found`: there is no such upload, or no longer."),
        (status = 409, description = "`conflict`: parts are missing (`missing` names them), or the release is out, is full, has this name with other bytes, or has it as another kind or for another machine (`field` says which)."),
        (status = 422, description = "`invalid_field`: the whole has another SHA-256 than was announced. The upload is over."),
        (status = 503, description = "`unavailable`: the same bytes are being deleted just now, or the storage gave a part back wrongly once."),
        (status = 507, description = "`insufficient_storage`: the disk is full."),
    ),
)]
pub(super) async fn complete(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let id = upload_id(&path)?;
    let done = complete_upload(app.into_inner(), id, holder.actor()).await?;
    Ok(HttpResponse::Ok().json(done.artifact))
}

/// Gives an upload up; what was sent of it goes. Repeating it changes nothing.
#[utoipa::path(
    delete,
    path = "/v1/admin/uploads/{upload}",
    operation_id = "abandon_upload",
    tag = "releases",
    params(("upload" = UploadId, Path)),
    security(("management_token" = ["publish"])),
    responses(
        (status = 204, description = "It is over."),
        (status = 404, description = "`not_found`: that is no id of an upload."),
    ),
)]
pub(super) async fn abandon(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Publish)?;
    abandon_upload(&app, upload_id(&path)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn upload_id(text: &str) -> Result<UploadId, ApiError> {
    UploadId::parse(text).ok_or_else(no_such_upload)
}
