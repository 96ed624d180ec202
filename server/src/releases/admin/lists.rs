//! Lists of releases, and one of them.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::errors::no_such_release;
use super::{Answer, release_id};
use crate::app::App;
use crate::db::{AnyConn, DbError, Page};
use crate::http::conditional::version_tag;
use crate::http::extract::{Admin, AppData};
use crate::http::idempotency::made;
use crate::http::openapi::words::KitName;
use crate::http::paging::window;
use crate::http::{ApiError, Query};
use crate::idempotency::Once;
use crate::kits;
use crate::kits::model::KitId;
use crate::releases::model::{Channel, ReleaseId, ReleaseStatus, Severity};
use crate::releases::store::{self, Artifact, Filter, Release};
use crate::staff::Scope;

/// Filters of a list of releases; all of them must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Of this kit only: slug or id.
    #[param(value_type = Option<KitName>)]
    kit: Option<String>,
    /// Drafts, or what is published.
    status: Option<ReleaseStatus>,
    /// On this channel alone.
    channel: Option<Channel>,
    /// So urgent.
    severity: Option<Severity>,
    /// Taken off the lists, or not.
    yanked: Option<bool>,
    /// Taken away, or not.
    withdrawn: Option<bool>,
    /// Offered to nobody at present, or not.
    halted: Option<bool>,
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
pub(super) struct ReleaseView {
    #[serde(flatten)]
    release: Release,
    artifacts: Vec<Artifact>,
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
pub(super) async fn list(app: AppData, admin: Admin, Query(query): Query<ListQuery>) -> Answer {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    let window = window(query.limit, query.cursor)?;
    let kit = match query.kit {
        Some(name) => Some(kit_id(&app, name).await?),
        None => None,
    };
    let filter = Filter {
        kit,
        status: query.status,
        channel: query.channel,
        severity: query.severity,
        yanked: query.yanked,
        withdrawn: query.withdrawn,
        halted: query.halted,
    };
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let releases = store::list(conn, &filter, after, rows)?;
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
        (status = 200, description = "The release.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
pub(super) async fn show(app: AppData, admin: Admin, path: web::Path<String>) -> Answer {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    answer(&app, release_id(&path)?).await
}

/// A release as it is now.
pub(super) async fn answer(app: &App, id: ReleaseId) -> Answer {
    let view = view(app, id).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(view.release.revision))
        .json(view))
}

/// A release after a change, made now or by the same request before.
pub(super) async fn changed(app: &App, once: Once<ReleaseId>) -> Answer {
    let id = made(once)?;
    answer(app, release_id(&id)?).await
}

async fn kit_id(app: &App, name: String) -> Result<KitId, ApiError> {
    let found = app
        .db
        .read_snapshot(move |conn| kits::store::find_kit_by_name(conn, &name))
        .await?;
    let missing = || ApiError::field("kit", "There is no such kit.");
    found.map(|kit| kit.id).ok_or_else(missing)
}

pub(super) async fn view(app: &App, id: ReleaseId) -> Result<ReleaseView, ApiError> {
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
