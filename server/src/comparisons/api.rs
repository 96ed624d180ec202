//! What changed between two versions, for kits and for people at a command line.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::compare::{CompareError, Compared, Pair, choose, compare, patch};
use super::model::Summary;
use super::store::Outcome;
use crate::app::App;
use crate::downloads::api::{Shipment, deliver, find, needs_bytes, open};
use crate::downloads::content::{Content, Segment};
use crate::downloads::model::{network_of, path_segment};
use crate::downloads::record::Recipient;
use crate::downloads::view::artifact_url;
use crate::http::client_address::client_address;
use crate::http::conditional;
use crate::http::credentials::credential_form;
use crate::http::extract::{AppData, OptionalKey};
use crate::http::openapi::words::{FileBytes, ReleaseVersion, Sha256, Slug, WebAddress};
use crate::http::routes::resource;
use crate::http::{ApiError, Code};
use crate::releases::store::{Artifact, Release, artifacts_of};

/// Whether the patch makes the new files of the old ones.
const COMPLETE: &str = "patch-complete";
/// The folders that hold all files of the two archives, where they were left out of the paths.
const FOLDERS: &str = "patch-folders";
/// Seconds after which somebody who waited in vain may try again.
const RETRY_SECONDS: u64 = 10;

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

/// Two releases of a kit, the archives of them that are compared, and who asks.
pub(super) struct Ends {
    pub(super) kit: String,
    pub(super) from: Release,
    pub(super) to: Release,
    pub(super) pair: Pair,
    pub(super) by: Caller,
}

/// Who asks.
pub(super) struct Caller {
    recipient: Recipient,
    /// Who waits for what was asked before: the license, or where there is none, the network.
    pub(super) name: String,
}

impl Caller {
    pub(super) fn new(app: &App, http: &HttpRequest, recipient: Recipient) -> Self {
        let name = match &recipient.license {
            Some(license) => license.to_string(),
            None => network_of(client_address(app, http)),
        };
        Self { recipient, name }
    }

    /// At whose expense a patch is held that is being read. Who shows no license can come from any number
    /// of networks: all of them have the share of one.
    fn reader(&self) -> &str {
        match &self.recipient.license {
            Some(_) => &self.name,
            None => "without a license",
        }
    }
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
        (status = 503, description = "`unavailable`: others are being compared, or more for this license."),
    ),
)]
async fn show(
    app: AppData,
    http: HttpRequest,
    OptionalKey(key): OptionalKey,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let ends = asked(&app, &http, key.as_ref(), &path).await?;
    let compared = compare(&app, &ends.pair, &ends.by.name).await;
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
        ("Range" = Option<String>, Header, description = "Ranges of bytes: at most 64, sent in ascending order, those that touch as one."),
    ),
    security((), ("license_key" = [])),
    responses(
        (status = 200, description = "The patch.", body = FileBytes, content_type = "text/x-diff", headers(("ETag" = String), ("Patch-Complete" = String), ("Patch-Folders" = String))),
        (status = 206, description = "A part of it.", body = FileBytes, content_type = "*/*", headers(("ETag" = String), ("Content-Range" = String), ("Patch-Complete" = String), ("Patch-Folders" = String))),
        (status = 304, description = "`If-None-Match` names what it is."),
        (status = 403, description = "`version_not_covered`: one of them came out after the license's updates ended. `entitlement_missing`: one of them needs a feature that the license does not include."),
        (status = 404, description = "`not_found`: the kit has no such version."),
        (status = 410, description = "`gone`: one of them was withdrawn."),
        (status = 416, description = "`range_not_satisfiable`: the range lies outside of the patch."),
        (status = 422, description = "`not_comparable`: `reason` says why; `files` names the two archives to compare yourself."),
        (status = 503, description = "`unavailable`: others are being compared, or more for this license."),
    ),
)]
async fn show_patch(
    app: AppData,
    http: HttpRequest,
    OptionalKey(key): OptionalKey,
    path: web::Path<(String, String, String)>,
) -> Result<HttpResponse, ApiError> {
    let ends = asked(&app, &http, key.as_ref(), &path).await?;
    deliver_patch(&app, &http, &ends).await
}

/// Sends the patch between two releases. It is source of both, whichever way it goes: backwards it
/// makes the older files of the newer ones, and applied in reverse the other way round. So it is
/// recorded and counted like both archives. Whoever calls has checked the license.
pub(super) async fn deliver_patch(
    app: &AppData,
    http: &HttpRequest,
    ends: &Ends,
) -> Result<HttpResponse, ApiError> {
    let compared = compare(app, &ends.pair, &ends.by.name).await;
    let compared = compared.map_err(|error| not_compared(app, ends, error))?;
    let etag = format!("\"{}\"", compared.patch_sha256);
    let segments = if needs_bytes(http, &etag, compared.patch_size) {
        let body = patch(app, &ends.pair, &compared, ends.by.reader()).await;
        let body = body.map_err(|error| not_compared(app, ends, error))?;
        vec![Segment::Memory(body)]
    } else {
        // Nothing is read of it, and nothing of it is sent.
        Vec::new()
    };
    let content = Content {
        name: format!(
            "{}-{}-to-{}.patch",
            ends.kit, ends.from.version, ends.to.version
        ),
        size: compared.patch_size,
        etag,
        sha256: Some(compared.patch_sha256.clone()),
        segments,
    };
    let holds_source = compared.patch_size > 0;
    let both = vec![ends.pair.old.id.clone(), ends.pair.new.id.clone()];
    let to = (both, ends.by.recipient.clone());
    let shipment = Shipment::made_of(content, holds_source.then_some(to));
    let mut response = deliver(app, http, shipment).await?;
    describe(response.headers_mut(), &compared.summary);
    Ok(response)
}

fn describe(headers: &mut HeaderMap, summary: &Summary) {
    let complete = if summary.complete { "true" } else { "false" };
    let name = HeaderName::from_static(COMPLETE);
    headers.insert(name, HeaderValue::from_static(complete));
    if let (Some(from), Some(to)) = (&summary.from_folder, &summary.to_folder) {
        let folders = format!("{} {}", path_segment(from), path_segment(to));
        // Segments of a path fit into a header.
        if let Ok(folders) = HeaderValue::try_from(folders) {
            headers.insert(HeaderName::from_static(FOLDERS), folders);
        }
    }
}

async fn asked(
    app: &App,
    http: &HttpRequest,
    key: Option<&SecretString>,
    (kit, from, to): &(String, String, String),
) -> Result<Ends, ApiError> {
    let access = open(app, key, kit).await?;
    let (_, from) = find(app, &access, from)?;
    let (_, to) = find(app, &access, to)?;
    let recipient = Recipient::of(access.holding.as_ref(), credential_form(http));
    let by = Caller::new(app, http, recipient);
    ends(app, &access.kit.slug, (from.clone(), to.clone()), by).await
}

/// Two releases with the archives to compare.
pub(super) async fn ends(
    app: &App,
    kit: &str,
    (from, to): (Release, Release),
    by: Caller,
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
        by,
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
        CompareError::Busy(error) => {
            ApiError::unavailable(error).with("retry_after", RETRY_SECONDS)
        }
        error @ CompareError::Replaced => ApiError::unavailable(error),
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
