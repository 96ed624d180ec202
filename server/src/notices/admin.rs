//! Management of what people are told of a release.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::model::{NoticeKind, NoticeState, WalkState};
use super::preview::{Preview, preview};
use super::skip::{SkipError, skip};
use super::start::{StartError, start};
use super::store;
use crate::app::App;
use crate::db::DbError;
use crate::http::extract::{Admin, AppData};
use crate::http::routes::resource;
use crate::http::{ApiError, Code};
use crate::releases;
use crate::releases::model::ReleaseId;
use crate::staff::Scope;

/// Routes of this file, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    let notices = resource("/releases/{release}/notices")
        .get(show)
        .on(Method::POST, begin)
        .on(Method::DELETE, call_off);
    config
        .service(notices)
        .service(resource("/releases/{release}/notices/preview").get(show_preview));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(show, begin, call_off, show_preview))]
pub struct Paths;

/// How far telling people of a release is, buyers who never signed in among them.
#[derive(Debug, Default, Serialize, ToSchema)]
struct NoticesView {
    /// What they are told; null where nobody is told.
    kind: Option<NoticeKind>,
    /// How far the walk through the people is; null where nobody is told.
    state: Option<WalkState>,
    /// People whose mail has not left.
    #[schema(minimum = 0)]
    waiting: i64,
    /// People who were told.
    #[schema(minimum = 0)]
    sent: i64,
    /// People whose mail left without it: it was switched off, taken back, or called off.
    #[schema(minimum = 0)]
    skipped: i64,
    /// People whose mail was given up.
    #[schema(minimum = 0)]
    failed: i64,
}

/// What people would be told.
#[derive(Debug, Serialize, ToSchema)]
struct NoticePreview {
    /// What they would be told.
    kind: NoticeKind,
    /// How many would hear of it now.
    #[schema(minimum = 0)]
    people: usize,
    /// Whether there are more people than were counted.
    and_more: bool,
    /// Of them, how many may not have it and are told the way out.
    #[schema(minimum = 0)]
    locked: usize,
    /// Subject of the mail to who may have it.
    subject: String,
    /// Its text part.
    text: String,
    /// Its HTML part.
    html: String,
}

/// How far telling people of a release is.
#[utoipa::path(
    get,
    path = "/v1/admin/releases/{release}/notices",
    operation_id = "get_notices",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    security(("management_token" = ["read"]), ("management_token" = ["publish"])),
    responses(
        (status = 200, description = "So far.", body = NoticesView),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
async fn show(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    let view = view(&app, release_id(&path)?).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Tells people of a published release: where nobody was told, where it was called off, or once more
/// those who were not reached. Nobody hears of a release twice.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/notices",
    operation_id = "start_notices",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It begins.", body = NoticesView),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: it is not published."),
    ),
)]
async fn begin(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let id = release_id(&path)?;
    start(&app, id.clone(), holder.actor()).await?;
    Ok(HttpResponse::Ok().json(view(&app, id).await?))
}

/// Calls off what has not left. Repeating it changes nothing.
#[utoipa::path(
    delete,
    path = "/v1/admin/releases/{release}/notices",
    operation_id = "skip_notices",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "Nobody else is told.", body = NoticesView),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
async fn call_off(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let id = release_id(&path)?;
    skip(&app, id.clone(), holder.actor()).await?;
    Ok(HttpResponse::Ok().json(view(&app, id).await?))
}

/// What people would be told of a release, and how many; of a draft, as if it were published now.
#[utoipa::path(
    get,
    path = "/v1/admin/releases/{release}/notices/preview",
    operation_id = "preview_notices",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    security(("management_token" = ["read"]), ("management_token" = ["publish"])),
    responses(
        (status = 200, description = "The mail, and how many would get it.", body = NoticePreview),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
async fn show_preview(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    let found = preview(&app, release_id(&path)?).await?;
    let found = found.ok_or_else(no_such_release)?;
    Ok(HttpResponse::Ok().json(NoticePreview::from(found)))
}

impl From<Preview> for NoticePreview {
    fn from(preview: Preview) -> Self {
        Self {
            kind: preview.kind,
            people: preview.people,
            and_more: preview.and_more,
            locked: preview.locked,
            subject: preview.subject,
            text: preview.text,
            html: preview.html,
        }
    }
}

async fn view(app: &App, id: ReleaseId) -> Result<NoticesView, ApiError> {
    let found = app
        .db
        .read_snapshot(move |conn| -> Result<_, DbError> {
            if releases::store::find(conn, &id)?.is_none() {
                return Ok(None);
            }
            let walk = store::find_walk(conn, &id)?;
            Ok(Some((walk, store::counts(conn, &id)?)))
        })
        .await?;
    let (walk, counts) = found.ok_or_else(no_such_release)?;
    let mut view = NoticesView {
        kind: walk.as_ref().map(|walk| walk.kind),
        state: walk.map(|walk| walk.state),
        ..NoticesView::default()
    };
    for (state, count) in counts {
        match state {
            NoticeState::Waiting => view.waiting += count,
            NoticeState::Sent => view.sent += count,
            NoticeState::Skipped => view.skipped += count,
            NoticeState::Failed => view.failed += count,
        }
    }
    Ok(view)
}

fn release_id(text: &str) -> Result<ReleaseId, ApiError> {
    ReleaseId::parse(text).ok_or_else(no_such_release)
}

fn no_such_release() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such release.")
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Db(error) => error.into(),
            StartError::Seal(error) => Self::internal(error),
            StartError::NotFound => no_such_release(),
            StartError::NotPublished => Self::new(
                Code::Conflict,
                "The release is a draft: people are told of it once it is published.",
            ),
        }
    }
}

impl From<SkipError> for ApiError {
    fn from(error: SkipError) -> Self {
        match error {
            SkipError::Db(error) => error.into(),
            SkipError::NotFound => no_such_release(),
        }
    }
}
