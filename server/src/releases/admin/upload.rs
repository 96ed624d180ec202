//! `PUT` of one file: the body is the file.

use std::time::Duration;

use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use serde::Deserialize;
use utoipa::IntoParams;

use super::release_id;
use crate::http::extract::{Admin, AppData, too_slow};
use crate::http::openapi::words::{FileBytes, Slug};
use crate::http::{ApiError, Code, Query};
use crate::releases::model::{ReleaseId, SOURCE};
use crate::releases::store::Artifact;
use crate::releases::upload_artifact::{self, NewArtifact};
use crate::staff::Scope;
use crate::storage::{StorageError, Upload};

/// What the uploader says the bytes hash to.
const CONTENT_SHA256: &str = "x-content-sha256";

/// How long the next part of a file may take to arrive.
const CHUNK_PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// What the file is; `source` where nothing is said.
    #[param(value_type = Option<Slug>)]
    kind: Option<String>,
    /// For which system it is, such as `linux`; for all where nothing is said.
    #[param(max_length = 32, pattern = "^[a-z0-9][a-z0-9_.-]*$")]
    platform: Option<String>,
    /// For which processor it is, such as `x86_64`; for all where nothing is said.
    #[param(max_length = 32, pattern = "^[a-z0-9][a-z0-9_.-]*$")]
    arch: Option<String>,
}

/// Adds a file to a draft. Repeating it with the same bytes and words changes nothing.
#[utoipa::path(
    put,
    path = "/v1/admin/releases/{release}/artifacts/{name}",
    operation_id = "upload_artifact",
    tag = "releases",
    params(
        ("release" = ReleaseId, Path),
        ("name" = String, Path, max_length = 200, description = "Name of the file; in bytes."),
        UploadQuery,
        ("X-Content-SHA256" = Option<String>, Header, pattern = "^[0-9A-Fa-f]{64}$", description = "What the bytes must hash to."),
    ),
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The file."),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "The release has this file already.", body = Artifact),
        (status = 201, description = "Added.", body = Artifact),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: the release is out, is full, or has this name with other bytes, or as another kind or for another machine; then `field` says which it is."),
        (status = 422, description = "`invalid_field`: the name, the kind, the machine, the SHA-256 that does not fit, or an archive that is refused; then `reason` says why, and `entry` names the entry."),
        (status = 503, description = "`unavailable`: the same bytes are being deleted just now, or the storage gave other bytes back."),
        (status = 507, description = "`insufficient_storage`: the disk is full."),
    ),
)]
pub(super) async fn upload(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<(String, String)>,
    Query(query): Query<UploadQuery>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let (release, name) = path.into_inner();
    let input = NewArtifact {
        release: release_id(&release)?,
        name,
        kind: query.kind.unwrap_or_else(|| SOURCE.to_owned()),
        platform: query.platform,
        arch: query.arch,
        actor: holder.actor(),
    };
    let expected = expected_sha256(&http)?;
    check_announced(&http, app.config.limits.artifact_bytes)?;
    let upload = upload_artifact::begin(&app, &input).await?;
    let upload = receive(upload, body).await?;
    let done = upload_artifact::finish(&app, input, upload, expected.as_deref()).await?;
    Ok(if done.is_new {
        HttpResponse::Created().json(done.artifact)
    } else {
        HttpResponse::Ok().json(done.artifact)
    })
}

async fn receive(mut upload: Upload, mut body: web::Payload) -> Result<Upload, ApiError> {
    loop {
        // Files may take hours; only a sender that has stopped is given up.
        let next = tokio::time::timeout(CHUNK_PATIENCE, body.next()).await;
        let written = match next {
            Ok(None) => return Ok(upload),
            Err(_elapsed) => Err(too_slow()),
            Ok(Some(Ok(chunk))) => upload.write(&chunk).await.map_err(ApiError::from),
            Ok(Some(Err(_broken))) => Err(ApiError::new(
                Code::MalformedRequest,
                "The body could not be read to its end.",
            )),
        };
        if let Err(error) = written {
            upload.abort().await?;
            return Err(error);
        }
    }
}

/// Refuses what says by itself that it is too large, before a byte of it is read.
pub(super) fn check_announced(request: &HttpRequest, limit: u64) -> Result<(), ApiError> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(StorageError::TooLarge { limit }.into());
    }
    Ok(())
}

pub(super) fn expected_sha256(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let Some(header) = request.headers().get(CONTENT_SHA256) else {
        return Ok(None);
    };
    let text = header.to_str().unwrap_or_default().trim();
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(Some(text.to_owned()));
    }
    let detail = "X-Content-SHA256 must be 64 hexadecimal digits.";
    Err(ApiError::field("X-Content-SHA256", detail))
}
