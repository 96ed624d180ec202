//! What changed between two versions, for kits and for people at a command line.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, VARY};
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::compare::{CompareError, Compared, Pair, choose, compare, patch};
use super::model::Summary;
use super::store::Outcome;
use crate::app::App;
use crate::downloads::api::refused;
use crate::downloads::authorize::{Access, AccessError, authorize};
use crate::downloads::model::{content_disposition, path_segment};
use crate::downloads::view::artifact_url;
use crate::http::conditional::{self, REVALIDATE, none_match};
use crate::http::extract::{AppData, OptionalKey};
use crate::http::openapi::words::{FileBytes, ReleaseVersion, Sha256, Slug, WebAddress};
use crate::http::routes::resource;
use crate::http::{ApiError, Code};
use crate::releases::model::Selector;
use crate::releases::store::{Artifact, Release, artifacts_of};

/// Whether the patch makes the new files of the old ones.
const COMPLETE: &str = "Patch-Complete";
/// The folders that hold all files of the two archives, where they were left out of the paths.
const FOLDERS: &str = "Patch-Folders";

/// Routes of this file. The longer address comes first: a version may end in anything.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/kits/{kit}/compare/{from}...{to}.patch").get(show_patch))
        .service(resource("/v1/kits/{kit}/compare/{from}...{to}").get(show));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(show, show_patch))]
pub struct Paths;

/// What changed between two releases.
#[derive(Debug, Serialize, ToSchema)]
struct ComparisonView {
    /// The kit's slug.
    #[schema(value_type = Slug)]
    kit: String,
    /// The archive that was.
    from: ComparedArchive,
    /// The archive that is.
    to: ComparedArchive,
    /// The patch from one to the other.
    patch: PatchView,
    /// Files and figures.
    summary: Summary,
}

/// One of the two archives.
#[derive(Debug, Serialize, ToSchema)]
struct ComparedArchive {
    /// Version of its release.
    #[schema(value_type = ReleaseVersion)]
    version: String,
    /// Name of the file.
    name: String,
    /// 64 hexadecimal digits.
    #[schema(value_type = Sha256)]
    sha256: String,
    /// Its stable address.
    #[schema(value_type = WebAddress)]
    url: String,
}

/// A patch that `git apply` takes.
#[derive(Debug, Serialize, ToSchema)]
struct PatchView {
    /// Its address.
    #[schema(value_type = WebAddress)]
    url: String,
    /// In bytes.
    #[schema(minimum = 0)]
    size: u64,
    /// 64 hexadecimal digits.
    #[schema(value_type = Sha256)]
    sha256: String,
}

/// Two releases of a kit, and the archives of them that are compared.
pub(super) struct Ends {
    pub(super) kit: String,
    pub(super) from: Release,
    pub(super) to: Release,
    pub(super) pair: Pair,
}

/// What changed between two versions that this license may have.
#[utoipa::path(
    get,
    path = "/v1/kits/{kit}/compare/{from}...{to}",
    operation_id = "compare_releases",
    tag = "downloads",
    params(
        ("kit" = Slug, Path, description = "The kit's slug, or a former one."),
        ("from" = String, Path, description = "The version that is there: `1.2.3`, `1.2`, `1` or `latest`."),
        ("to" = String, Path, description = "The version to come to."),
    ),
    security((), ("license_key" = [])),
    responses(
        (status = 200, description = "Files and figures.", body = ComparisonView, headers(("ETag" = String))),
        (status = 304, description = "`If-None-Match` names what it is."),
        (status = 403, description = "`version_not_covered`: one of them came out after the license's updates ended. `entitlement_missing`: one of them needs a feature that the license does not include."),
        (status = 404, description = "`not_found`: the kit has no such version."),
        (status = 410, description = "`gone`: one of them was withdrawn."),
        (status = 422, description = "`not_comparable`: `reason` says why; `files` names the two archives to compare yourself."),
        (status = 503, description = "`unavailable`: others are being compared."),
    ),
)]
async fn show(
    app: AppData,
    http: HttpRequest,
    OptionalKey(key): OptionalKey,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let ends = open(&app, key.as_ref(), &path).await?;
    let compared = compare(&app, &ends.pair).await;
    let compared = compared.map_err(|error| not_compared(&app, &ends, error))?;
    conditional::json(&http, &view(&app, &ends, compared))
}

/// The patch from one version to another, as `git apply` takes it.
#[utoipa::path(
    get,
    path = "/v1/kits/{kit}/compare/{from}...{to}.patch",
    operation_id = "get_patch",
    tag = "downloads",
    params(
        ("kit" = Slug, Path, description = "The kit's slug, or a former one."),
        ("from" = String, Path, description = "The version that is there: `1.2.3`, `1.2`, `1` or `latest`."),
        ("to" = String, Path, description = "The version to come to."),
    ),
    security((), ("license_key" = [])),
    responses(
        (status = 200, description = "The patch.", body = FileBytes, content_type = "text/x-diff", headers(("ETag" = String), ("Patch-Complete" = String), ("Patch-Folders" = String))),
        (status = 304, description = "`If-None-Match` names what it is."),
        (status = 403, description = "`version_not_covered`: one of them came out after the license's updates ended. `entitlement_missing`: one of them needs a feature that the license does not include."),
        (status = 404, description = "`not_found`: the kit has no such version."),
        (status = 410, description = "`gone`: one of them was withdrawn."),
        (status = 422, description = "`not_comparable`: `reason` says why; `files` names the two archives to compare yourself."),
        (status = 503, description = "`unavailable`: others are being compared."),
    ),
)]
async fn show_patch(
    app: AppData,
    http: HttpRequest,
    OptionalKey(key): OptionalKey,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let ends = open(&app, key.as_ref(), &path).await?;
    deliver_patch(&app, &http, &ends).await
}

/// Sends the patch between two releases. Whoever calls has checked the license.
pub(super) async fn deliver_patch(
    app: &AppData,
    http: &HttpRequest,
    ends: &Ends,
) -> Result<HttpResponse, ApiError> {
    let compared = compare(app, &ends.pair).await;
    let compared = compared.map_err(|error| not_compared(app, ends, error))?;
    let etag = format!("\"{}\"", compared.patch_sha256);
    let known = none_match(http, &etag);
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, etag))
        .insert_header((CACHE_CONTROL, REVALIDATE))
        .insert_header((VARY, "Authorization"));
    if known {
        return Ok(response.finish());
    }
    let body = patch(app, &ends.pair).await;
    let body = body.map_err(|error| not_compared(app, ends, error))?;
    let name = format!(
        "{}-{}-to-{}.patch",
        ends.kit, ends.from.version, ends.to.version
    );
    response
        .insert_header((CONTENT_TYPE, "text/x-diff"))
        .insert_header((CONTENT_DISPOSITION, content_disposition(&name)))
        .insert_header((COMPLETE, compared.summary.complete.to_string()));
    if let (Some(from), Some(to)) = (&compared.summary.from_folder, &compared.summary.to_folder) {
        let folders = format!("{} {}", path_segment(from), path_segment(to));
        response.insert_header((FOLDERS, folders));
    }
    Ok(response.body(body))
}

async fn open(
    app: &App,
    key: Option<&SecretString>,
    (kit, from, to): &(String, String, String),
) -> Result<Ends, ApiError> {
    let access = authorize(app, key, kit).await;
    let access = access.map_err(|error| refused(app, error))?;
    let from = release(app, &access, from)?;
    let to = release(app, &access, to)?;
    ends(app, &access.kit.slug, from, to).await
}

fn release(app: &App, access: &Access, version: &str) -> Result<Release, ApiError> {
    let selector = Selector::parse(version).ok_or(AccessError::UnknownVersion);
    let found = selector.and_then(|selector| access.release(&selector).cloned());
    found.map_err(|error| refused(app, error))
}

/// Two releases with the archives to compare.
pub(super) async fn ends(
    app: &App,
    kit: &str,
    from: Release,
    to: Release,
) -> Result<Ends, ApiError> {
    let ids = [from.id.clone(), to.id.clone()];
    let files = app.db.read(move |conn| artifacts_of(conn, &ids)).await?;
    let of = |release: &Release| -> Vec<Artifact> {
        let own = files.iter().filter(|file| file.release_id == release.id);
        own.cloned().collect()
    };
    let pair = choose((&from.version, &of(&from)), (&to.version, &of(&to)));
    let pair = pair.ok_or_else(|| {
        let detail = "One of these versions has no source archive to compare.";
        ApiError::new(Code::NotComparable, detail).with("reason", "no_archive")
    })?;
    Ok(Ends {
        kit: kit.to_owned(),
        from,
        to,
        pair,
    })
}

fn view(app: &App, ends: &Ends, compared: Compared) -> ComparisonView {
    let archive = |release: &Release, file: &Artifact| ComparedArchive {
        version: release.version.clone(),
        name: file.name.clone(),
        sha256: file.sha256.clone(),
        url: artifact_url(app, &ends.kit, &release.version, &file.name),
    };
    ComparisonView {
        kit: ends.kit.clone(),
        from: archive(&ends.from, &ends.pair.old),
        to: archive(&ends.to, &ends.pair.new),
        patch: PatchView {
            url: app.link(&format!("{}.patch", address(ends))),
            size: compared.patch_size,
            sha256: compared.patch_sha256,
        },
        summary: compared.summary,
    }
}

fn address(ends: &Ends) -> String {
    let [kit, from, to] =
        [&ends.kit, &ends.from.version, &ends.to.version].map(|it| path_segment(it));
    format!("/v1/kits/{kit}/compare/{from}...{to}")
}

/// Why two releases are not compared, as an answer.
pub(super) fn not_compared(app: &App, ends: &Ends, error: CompareError) -> ApiError {
    match error {
        CompareError::Db(error) => error.into(),
        CompareError::Storage(error) => error.into(),
        CompareError::Busy(error) => ApiError::unavailable(error),
        error @ CompareError::Broken(_) => ApiError::internal(error),
        CompareError::Refused { outcome, detail } => not_comparable(app, ends, outcome, detail),
    }
}

fn not_comparable(app: &App, ends: &Ends, outcome: Outcome, detail: String) -> ApiError {
    let sides = [(&ends.from, &ends.pair.old), (&ends.to, &ends.pair.new)];
    let files =
        sides.map(|(release, file)| artifact_url(app, &ends.kit, &release.version, &file.name));
    ApiError::new(Code::NotComparable, detail)
        .with("reason", outcome.as_str())
        .with("files", files.to_vec())
}
