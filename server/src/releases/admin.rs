//! Management of releases and their files.

mod errors;
mod upload;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::create_release::{CreateRelease, create_release};
use super::model::{Channel, ReleaseId, Severity};
use super::publish_release::publish_release;
use super::store::{self, Artifact, Figures, Release};
use crate::app::App;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, Page};
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::openapi::words::{KitName, ReleaseVersion};
use crate::http::paging::window;
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::kits;
use crate::kits::model::KitId;
use crate::staff::Scope;
use errors::no_such_release;

/// Routes of this file and its child, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/releases").on(Method::POST, create).get(list))
        .service(resource("/releases/{release}").get(show))
        .service(resource("/releases/{release}/publish").on(Method::POST, publish))
        .service(resource("/releases/{release}/artifacts/{name}").on(Method::PUT, upload::upload));
}

/// What this file and its child add to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(create, list, show, publish, upload::upload))]
pub struct Paths;

/// A new release.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateReleaseRequest)]
struct CreateRequest {
    /// Slug or id.
    #[schema(value_type = KitName)]
    kit: String,
    #[schema(value_type = ReleaseVersion)]
    version: String,
    /// By the version's pre-release where nothing is said.
    channel: Option<Channel>,
    /// `normal` where nothing is said.
    severity: Option<Severity>,
    /// What changed, as Markdown; in bytes.
    #[serde(default)]
    #[schema(max_length = 32_768)]
    notes: String,
    /// The date that counts for licenses instead of that of the publication; not in the future.
    entitled_at: Option<Timestamp>,
    /// What must be installed before it.
    #[schema(value_type = Option<ReleaseVersion>)]
    minimum_version: Option<String>,
    /// Features a license must include to have it.
    #[serde(default)]
    #[schema(max_items = 100)]
    required_entitlements: Vec<String>,
    #[schema(minimum = 0, maximum = 100)]
    quality_score: Option<i32>,
    #[schema(minimum = 0)]
    build_seconds: Option<i32>,
    #[schema(minimum = 0)]
    tests_passed: Option<i32>,
    #[schema(minimum = 0)]
    tests_failed: Option<i32>,
    #[schema(minimum = 0)]
    bugs_found: Option<i32>,
    #[schema(minimum = 0)]
    bugs_fixed: Option<i32>,
}

impl CreateRequest {
    fn into_input(self, actor: Actor) -> CreateRelease {
        CreateRelease {
            kit: self.kit,
            version: self.version,
            channel: self.channel,
            severity: self.severity.unwrap_or(Severity::Normal),
            notes: self.notes,
            entitled_at: self.entitled_at,
            minimum_version: self.minimum_version,
            required_entitlements: self.required_entitlements,
            figures: Figures {
                quality_score: self.quality_score,
                build_seconds: self.build_seconds,
                tests_passed: self.tests_passed,
                tests_failed: self.tests_failed,
                bugs_found: self.bugs_found,
                bugs_fixed: self.bugs_fixed,
            },
            actor,
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Of this kit only: slug or id.
    #[param(value_type = Option<KitName>)]
    kit: Option<String>,
    /// How many rows.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(max_length = 100, pattern = "^[!-~]*$")]
    cursor: Option<String>,
}

/// A release with its files.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReleaseDetail)]
struct ReleaseView {
    #[serde(flatten)]
    release: Release,
    artifacts: Vec<Artifact>,
}

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
async fn create(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let (request, claim) = once.read::<CreateRequest>(&app, &holder, body).await?;
    let input = request.into_input(holder.actor());
    let id = made(create_release(&app, input, claim).await?)?;
    let view = view(&app, release_id(&id)?).await?;
    Ok(created(&app, "/v1/admin/releases", &id).json(view))
}

/// All releases.
#[utoipa::path(
    get,
    path = "/v1/admin/releases",
    operation_id = "list_releases",
    tag = "releases",
    params(ListQuery),
    security(("management_token" = ["read"]), ("management_token" = ["publish"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<ReleaseView>),
    ),
)]
async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<ListQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    let window = window(query.limit, query.cursor)?;
    let kit = match query.kit {
        Some(name) => Some(kit_id(&app, name).await?),
        None => None,
    };
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let releases = store::list(conn, kit.as_ref(), after, rows)?;
        with_artifacts(conn, releases)
    };
    let id = |view: &ReleaseView| view.release.id.to_string();
    window.page(&app, read, id).await
}

/// One release.
#[utoipa::path(
    get,
    path = "/v1/admin/releases/{release}",
    operation_id = "get_release",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    security(("management_token" = ["read"]), ("management_token" = ["publish"])),
    responses(
        (status = 200, description = "The release.", body = ReleaseView),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
async fn show(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    let id = release_id(&path)?;
    Ok(HttpResponse::Ok().json(view(&app, id).await?))
}

/// Lets a draft out. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/publish",
    operation_id = "publish_release",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It is out.", body = ReleaseView),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: it has no files."),
    ),
)]
async fn publish(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let id = release_id(&path)?;
    let release = publish_release(&app, id, holder.actor()).await?;
    Ok(HttpResponse::Ok().json(view(&app, release.id).await?))
}

fn release_id(text: &str) -> Result<ReleaseId, ApiError> {
    ReleaseId::parse(text).ok_or_else(no_such_release)
}

async fn kit_id(app: &App, name: String) -> Result<KitId, ApiError> {
    let found = app
        .db
        .read_snapshot(move |conn| kits::store::find_kit_by_name(conn, &name))
        .await?;
    let missing = || ApiError::field("kit", "There is no such kit.");
    found.map(|kit| kit.id).ok_or_else(missing)
}

async fn view(app: &App, id: ReleaseId) -> Result<ReleaseView, ApiError> {
    let found = app
        .db
        .read_snapshot(move |conn| -> Result<_, DbError> {
            let release = store::find(conn, &id)?;
            with_artifacts(conn, release.into_iter().collect())
        })
        .await?;
    found.into_iter().next().ok_or_else(no_such_release)
}

fn with_artifacts(conn: &mut AnyConn, releases: Vec<Release>) -> Result<Vec<ReleaseView>, DbError> {
    let ids: Vec<ReleaseId> = releases.iter().map(|release| release.id.clone()).collect();
    let files = store::artifacts_of(conn, &ids)?;
    let view = |release: Release| {
        let own = files.iter().filter(|file| file.release_id == release.id);
        let artifacts = own.cloned().collect();
        ReleaseView { release, artifacts }
    };
    Ok(releases.into_iter().map(view).collect())
}
