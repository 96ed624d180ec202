//! Calls that issue and change licenses.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::DetailBody;
use super::requests::{EditRequest, IssueRequest};
use super::{Answer, license_id, lists, no_such_license};
use crate::activations::free::{FreeSeat, Freed, free_seat};
use crate::activations::model::ActivationId;
use crate::activations::store::find as find_seat;
use crate::app::App;
use crate::customers::named::Named;
use crate::http::conditional::{expected_version, version_tag};
use crate::http::error::{ApiError, Code};
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::idempotency::{Claim, Once};
use crate::licenses::change::Change;
use crate::licenses::edit::{Edit, OVER_LIMIT_DAYS, edit as edited};
use crate::licenses::issue::Extras;
use crate::licenses::issue_by_staff::{IssueByStaff, Issued, issue_by_staff};
use crate::licenses::model::LicenseId;
use crate::licenses::note::NewNote;
use crate::staff::Scope;

/// A new license, with its key: shown to whoever issued it, this once.
#[derive(Serialize, ToSchema)]
struct IssuedBody {
    #[serde(flatten)]
    license: DetailBody,
    /// The license key; the same request gets it again for 24 hours.
    key: String,
}

/// Issue a license under the present terms of a policy, to a customer or a mail address.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses",
    operation_id = "license_issue",
    tag = "licenses",
    request_body = IssueRequest,
    responses((status = 201, description = "The license and its key.", body = IssuedBody)),
    security(("management_token" = ["admin"])),
)]
pub(super) async fn issue(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Answer {
    let holder = admin.may(Scope::Admin)?;
    let (request, claim) = once.read::<IssueRequest>(&app, &holder, body).await?;
    let input = input(&app, holder.actor(), request)?;
    let Issued { once, key } = issue_by_staff(&app, input, claim).await?;
    let key = match &once {
        Once::Before(earlier) => earlier.secret(&app).map_err(ApiError::internal)?,
        Once::New(_) | Once::Mismatch => Some(key),
    };
    let id = made(once)?;
    let license = lists::detail(&app, license_id(&id)?).await?;
    let key = key.ok_or_else(no_such_license)?;
    Ok(created(&app, "/v1/admin/licenses", &id)
        .insert_header(version_tag(license.version()))
        .json(IssuedBody {
            license,
            key: key.expose_secret().to_owned(),
        }))
}

fn input(
    app: &App,
    actor: crate::audit::Actor,
    request: IssueRequest,
) -> Result<IssueByStaff, ApiError> {
    let customer = Named::read(
        app,
        actor.clone(),
        request.customer.as_deref(),
        request.email.as_deref(),
        request.name.as_deref(),
    )?;
    Ok(IssueByStaff {
        policy: request.policy,
        customer,
        starts_at: request.starts_at,
        extras: Extras {
            seats: request.seat_limit,
            entitlements: request.extra_entitlements.into(),
            metadata: request.metadata,
        },
        note: note_of(app, request.note.as_deref())?,
        actor,
    })
}

/// Edit what it has beside its terms.
#[utoipa::path(
    patch,
    path = "/v1/admin/licenses/{license}",
    operation_id = "license_edit",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = EditRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "It was merged into another one."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn edit(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<String>,
    body: UnreadJson,
) -> Answer {
    let holder = admin.may(Scope::Support)?;
    let request: EditRequest = body.read().await?;
    let of = Change {
        license: license_id(&path)?,
        expected_revision: expected_version(&http)?,
        actor: holder.actor(),
        now: app.clock.now(),
        entropy: Arc::clone(&app.entropy),
    };
    let input = changes(request)?;
    changed(&app, edited(&app, of, input, Claim::default()).await?).await
}

fn changes(request: EditRequest) -> Result<Edit, ApiError> {
    if request.over_limit_days.is_some() && !request.seat_limit.is_given() {
        return Err(ApiError::field("over_limit_days", "needs seat_limit"));
    }
    Ok(Edit {
        seat_limit: request.seat_limit,
        over_limit_days: request.over_limit_days.unwrap_or(OVER_LIMIT_DAYS),
        entitlements: request.extra_entitlements,
        add: request.add_entitlements,
        remove: request.remove_entitlements,
        metadata: request.metadata,
    })
}

/// Free a seat.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/seats/{activation}/free",
    operation_id = "license_free_seat",
    tag = "licenses",
    params(("license" = LicenseId, Path), ("activation" = ActivationId, Path)),
    responses(
        (status = 200, description = "Whether it was freed by this call.", body = FreedBody),
        (status = 404, description = "The license has no such seat."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn free(app: AppData, admin: Admin, path: web::Path<(String, String)>) -> Answer {
    let actor = admin.may(Scope::Support)?.actor();
    let missing = || ApiError::new(Code::NotFound, "There is no such seat.");
    let (license, activation) = path.into_inner();
    let license = license_id(&license)?;
    let activation = ActivationId::parse(&activation).ok_or_else(missing)?;
    let (of, id) = (license.clone(), activation.clone());
    let seat = app.db.read(move |conn| find_seat(conn, &of, &id)).await?;
    if seat.is_none() {
        return Err(missing());
    }
    let input = FreeSeat {
        license,
        activation,
        owner: None,
        actor,
    };
    let freed = free_seat(&app, input).await?;
    let freed = freed == Freed::Yes;
    Ok(HttpResponse::Ok().json(FreedBody { freed }))
}

/// What became of a seat.
#[derive(Debug, Serialize, ToSchema)]
struct FreedBody {
    /// `false` where it was free already.
    freed: bool,
}

pub(super) fn note_of(app: &App, text: Option<&str>) -> Result<Option<NewNote>, ApiError> {
    Ok(text.map(|text| NewNote::new(app, text)).transpose()?)
}

/// The license after a change, made now or by the same request before.
pub(super) async fn changed(app: &App, once: Once<LicenseId>) -> Answer {
    let id = license_id(&made(once)?)?;
    lists::answer(app, id).await
}
