//! Changing a release, and taking it back.

use actix_web::{HttpRequest, web};

use super::lists::{ReleaseView, changed};
use super::params::{IfMatch, OneRelease};
use super::requests::{EditRequest, ReasonRequest, RolloutRequest};
use super::{Answer, Asked, change, read};
use crate::http::extract::{Admin, AppData, EmptyRequest, UnreadJson};
use crate::releases::edit_release::edit_release;
use crate::releases::{roll_out, take_back};
use crate::staff::Scope;

/// Changes what is said about a release.
#[utoipa::path(
    patch,
    path = "/v1/admin/releases/{release}",
    operation_id = "edit_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = EditRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "Changed.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn edit(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<String>,
    body: UnreadJson,
) -> Answer {
    let holder = admin.may(Scope::Publish)?;
    let request: EditRequest = body.read().await?;
    let of = change(&app, &http, &path, &holder)?;
    changed(&app, edit_release(&app, of, request.into_edit()).await?).await
}

/// Takes a release off the lists: it is had by its exact version only.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/yank",
    operation_id = "yank_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = ReasonRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It is off the lists.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: it is a draft, or it was withdrawn."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn yank(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<ReasonRequest>(&app, asked, &[Scope::Publish]).await?;
    let once = take_back::yank(&app, of, &request.reason, claim).await?;
    changed(&app, once).await
}

/// Puts a release on the lists again.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/unyank",
    operation_id = "unyank_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = EmptyRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It is on the lists.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: it is a draft, or it was withdrawn."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn unyank(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<EmptyRequest>(&app, asked, &[Scope::Publish]).await?;
    let EmptyRequest {} = request;
    changed(&app, take_back::unyank(&app, of, claim).await?).await
}

/// Takes a release away from everybody, for ever.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/withdraw",
    operation_id = "withdraw_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = ReasonRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It is gone.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 409, description = "`conflict`: it is a draft."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn withdraw(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<ReasonRequest>(&app, asked, &[Scope::Publish]).await?;
    let once = take_back::withdraw(&app, of, &request.reason, claim).await?;
    changed(&app, once).await
}

/// Sets to how many a release is offered as an update.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/rollout",
    operation_id = "set_rollout",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = RolloutRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "Set.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn rollout(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<RolloutRequest>(&app, asked, &[Scope::Publish]).await?;
    let once = roll_out::set_rollout(&app, of, request.share()?, claim).await?;
    changed(&app, once).await
}

/// Offers a release to nobody until it is resumed; who has it keeps it.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/halt",
    operation_id = "halt_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = EmptyRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "Halted.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn halt(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<EmptyRequest>(&app, asked, &[Scope::Publish]).await?;
    let EmptyRequest {} = request;
    changed(&app, roll_out::halt(&app, of, claim).await?).await
}

/// Goes on where a rollout was halted.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/resume",
    operation_id = "resume_release",
    tag = "releases",
    params(OneRelease, IfMatch),
    request_body = EmptyRequest,
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It goes on.", body = ReleaseView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such release."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn resume(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<EmptyRequest>(&app, asked, &[Scope::Publish]).await?;
    let EmptyRequest {} = request;
    changed(&app, roll_out::resume(&app, of, claim).await?).await
}
