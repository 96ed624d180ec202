//! Management: the licenses of an edited policy.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::effect::{Changed, Choice, Outcome, Standstill};
use super::{Applied, ApplyTerms, ApplyTermsError, Preview, apply, preview};
use crate::clock::Timestamp;
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::paging::window;
use crate::http::routes::resource;
use crate::http::{ApiError, Code};
use crate::kits::admin::policies::find;
use crate::licenses::model::LicenseId;
use crate::licenses::store::License;
use crate::staff::Scope;

/// Longest time for which seats beyond a limit are kept, in days.
const DAYS_MAX: i32 = 366;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/policies/{policy}/apply").on(Method::POST, post_apply));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(post_apply))]
pub struct Paths;

/// How a policy's present terms are given to its licenses.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApplyTermsRequest)]
struct ApplyRequest {
    /// Whether only to look at what would change.
    preview: bool,
    /// The terms that were looked at; needed where it is no preview, and kept to where it is one.
    terms_number: Option<i32>,
    /// Days for which seats beyond a lowered limit are kept.
    #[schema(minimum = 1, maximum = 366)]
    over_limit_days: Option<i32>,
    /// Whether a limit of a license's own gives way to that of the terms.
    #[serde(default)]
    seats: bool,
    /// Whether ends that would come earlier do.
    #[serde(default)]
    dates: bool,
    /// How many licenses; 20 where nothing is said.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// `next_cursor` of the answer before.
    #[schema(max_length = 100, pattern = "^[!-~]*$")]
    cursor: Option<String>,
}

/// A limit as it is and as it would be.
#[derive(Debug, Serialize, ToSchema)]
struct LimitMove {
    from: Option<i32>,
    to: Option<i32>,
}

/// An end as it is and as it would be.
#[derive(Debug, Serialize, ToSchema)]
struct EndMove {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// What would become of a license.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TermsPreviewItem)]
struct ItemView {
    license: LicenseId,
    /// Why it would stay as it is.
    stays: Option<Standstill>,
    seats_used: i32,
    over_limit: bool,
    /// Whether its limit is its own and would be kept.
    own_limit: bool,
    seat_limit: LimitMove,
    valid_until: EndMove,
    updates_until: EndMove,
}

/// What would become of the licenses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TermsPreview)]
struct PreviewView {
    /// The terms that were looked at.
    terms_number: i32,
    /// How many licenses stand under other terms of the policy.
    licenses: usize,
    over_limit: usize,
    standing_still: usize,
    items: Vec<ItemView>,
    next_cursor: Option<LicenseId>,
}

/// A license that stayed as it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnchangedLicense)]
struct Stays {
    license: LicenseId,
    reason: Standstill,
}

/// What became of the licenses.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TermsApplied)]
struct AppliedView {
    terms_number: i32,
    changed: usize,
    over_limit: usize,
    standing_still: Vec<Stays>,
    next_cursor: Option<LicenseId>,
}

/// One of the two.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TermsAnswer)]
enum AnswerView {
    Preview(PreviewView),
    Applied(AppliedView),
}

/// Gives licenses of an edited policy its present terms, a slice at a time; or shows before what
/// would change.
#[utoipa::path(
    post,
    path = "/v1/admin/policies/{policy}/apply",
    operation_id = "apply_policy",
    tag = "policies",
    params(("policy" = String, Path, description = "Id or name.")),
    request_body = ApplyRequest,
    security(("management_token" = ["admin"])),
    extensions(("x-precondition-in-body" = json!(true))),
    responses(
        (status = 200, description = "What would change, or what did.", body = AnswerView),
        (status = 404, description = "`not_found`: there is no such policy."),
        (status = 409, description = "`seats_stranded`: more seats would be in use than may be."),
        (status = 412, description = "`precondition_failed`: the policy was changed after the preview."),
    ),
)]
async fn post_apply(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let request: ApplyRequest = body.read().await?;
    let found = find(&app, path.into_inner()).await?;
    let number = found.version.number;
    let window = window(request.limit, request.cursor.clone())?;
    let input = ApplyTerms {
        version: found.version,
        choice: choice(&request)?,
        after: window.after,
        limit: window.limit,
    };
    check_number(&request, number)?;
    if request.preview {
        let limit = input.limit;
        let seen = preview(&app, input).await?;
        let view = AnswerView::Preview(preview_view(seen, number, limit));
        return Ok(HttpResponse::Ok().json(view));
    }
    let applied = apply(&app, input, holder.actor()).await?;
    Ok(HttpResponse::Ok().json(AnswerView::Applied(applied_view(applied, number))))
}

fn choice(request: &ApplyRequest) -> Result<Choice, ApiError> {
    let days = request.over_limit_days;
    if days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(ApiError::field("over_limit_days", "must be 1 to 366"));
    }
    Ok(Choice {
        over_limit_days: days,
        seats: request.seats,
        dates: request.dates,
    })
}

/// What is applied, and what is looked at further, is what was looked at.
fn check_number(request: &ApplyRequest, present: i32) -> Result<(), ApiError> {
    match request.terms_number {
        None if request.preview => Ok(()),
        None => {
            let detail = "Send the terms_number of the preview.";
            Err(ApiError::field("terms_number", detail))
        }
        Some(number) if number != present => {
            let detail = "The policy was changed meanwhile. Look at a new preview.";
            let error = ApiError::new(Code::PreconditionFailed, detail);
            Err(error.with("terms_number", present))
        }
        Some(_) => Ok(()),
    }
}

fn preview_view(mut seen: Preview, terms_number: i32, limit: usize) -> PreviewView {
    let more = seen.items.len() > limit;
    seen.items.truncate(limit);
    let last = seen.items.last().map(|(license, _)| license.id.clone());
    PreviewView {
        terms_number,
        licenses: seen.licenses,
        over_limit: seen.over_limit,
        standing_still: seen.standing_still,
        items: seen.items.iter().map(item_view).collect(),
        next_cursor: last.filter(|_| more),
    }
}

fn item_view((before, outcome): &(License, Outcome)) -> ItemView {
    let after = outcome.as_ref().map_or(before, |changed| &changed.license);
    ItemView {
        license: before.id.clone(),
        stays: outcome.as_ref().err().copied(),
        seats_used: before.seats_used,
        over_limit: outcome.as_ref().is_ok_and(Changed::strands),
        own_limit: outcome.as_ref().is_ok_and(|changed| changed.own_limit),
        seat_limit: LimitMove {
            from: before.seat_limit,
            to: after.seat_limit,
        },
        valid_until: EndMove {
            from: before.valid_until,
            to: after.valid_until,
        },
        updates_until: EndMove {
            from: before.updates_until,
            to: after.updates_until,
        },
    }
}

fn applied_view(applied: Applied, terms_number: i32) -> AppliedView {
    let stays = |(license, reason)| Stays { license, reason };
    AppliedView {
        terms_number,
        changed: applied.changed,
        over_limit: applied.over_limit,
        standing_still: applied.standing_still.into_iter().map(stays).collect(),
        next_cursor: applied.next,
    }
}

impl From<ApplyTermsError> for ApiError {
    fn from(error: ApplyTermsError) -> Self {
        match error {
            ApplyTermsError::Db(error) => error.into(),
            ApplyTermsError::StrandsSeats { licenses } => {
                let detail = "Licenses would have more seats in use than they may. Send \
                              over_limit_days to keep those seats for so long.";
                Self::new(Code::SeatsStranded, detail).with("licenses", licenses)
            }
        }
    }
}
