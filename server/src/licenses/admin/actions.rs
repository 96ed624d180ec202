//! Calls that move a license from one state to another.

use super::answers::DetailBody;
use super::requests::{
    ExtendRequest, MergeRequest, NoteRequest, ReinstateRequest, RenewRequest, RevokeRequest,
    SetPolicyRequest, SuspendRequest, TransferRequest,
};
use super::verbs::{changed, note_of};
use super::{Answer, Asked, read};
use crate::customers::named::Named;
use crate::http::error::ApiError;
use crate::http::extract::AppData;
use crate::licenses::extend::{Extension, extend as extended};
use crate::licenses::holds::{Closing, NewHold, Which, open_reason, reinstate as hold_closed};
use crate::licenses::merge::{Merge, merge as merged};
use crate::licenses::model::{HoldKind, HoldReason, LicenseId};
use crate::licenses::note::{NewNote, write_note};
use crate::licenses::renew::renew as renewed;
use crate::licenses::set_policy::{Dates, SetPolicy, set_policy as policy_set};
use crate::licenses::transfer::transfer as transferred;
use crate::staff::Scope;

/// Suspend: open a hold that only this call's reason and cause can close.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/suspend",
    operation_id = "license_suspend",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = SuspendRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn suspend(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<SuspendRequest>(&app, asked, Scope::Support).await?;
    let hold = NewHold::new(&app, HoldReason::Manual, request.cause.as_deref())?;
    let note = note_of(&app, request.note.as_deref())?;
    changed(&app, open_reason(&app, of, hold, note, claim).await?).await
}

/// Revoke: open a revocation.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/revoke",
    operation_id = "license_revoke",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = RevokeRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn revoke(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<RevokeRequest>(&app, asked, Scope::Support).await?;
    let reason = request.reason;
    if reason.kind() != HoldKind::Revocation || reason == HoldReason::Erased {
        let sentence = "must be fraud, abuse, refund_full or dispute_lost";
        return Err(ApiError::field("reason", sentence));
    }
    let hold = NewHold::new(&app, reason, request.cause.as_deref())?;
    let note = note_of(&app, request.note.as_deref())?;
    changed(&app, open_reason(&app, of, hold, note, claim).await?).await
}

/// Close one hold or revocation, and no other.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/reinstate",
    operation_id = "license_reinstate",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = ReinstateRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn reinstate(app: AppData, asked: Asked) -> Answer {
    let any = asked.0.has(Scope::Admin);
    let (of, request, claim) = read::<ReinstateRequest>(&app, asked, Scope::Support).await?;
    let which = which(&request)?;
    let note = note_of(&app, request.note.as_deref())?;
    let closing = Closing { any, note };
    changed(&app, hold_closed(&app, of, which, closing, claim).await?).await
}

/// Add the durations of its terms to its ends, from the present end or from now; a lapse is over then.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/renew",
    operation_id = "license_renew",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = RenewRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn renew(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<RenewRequest>(&app, asked, Scope::Support).await?;
    changed(&app, renewed(&app, of, request.from, claim).await?).await
}

/// Move its ends: to given moments, or by months and days.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/extend",
    operation_id = "license_extend",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = ExtendRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn extend(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<ExtendRequest>(&app, asked, Scope::Support).await?;
    let to = extension(&request)?;
    changed(&app, extended(&app, of, to, claim).await?).await
}

/// Give it to another customer: all keys and tokens end at once, its seats are freed.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/transfer",
    operation_id = "license_transfer",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = TransferRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["admin"])),
)]
pub(super) async fn transfer(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<TransferRequest>(&app, asked, Scope::Admin).await?;
    let to = Named::read(
        &app,
        of.actor.clone(),
        request.customer.as_deref(),
        request.email.as_deref(),
        request.name.as_deref(),
    )?;
    changed(&app, transferred(&app, of, to, claim).await?).await
}

/// Fold it into another license of the same customer; its keys answer `MERGED` from then on.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/merge",
    operation_id = "license_merge",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = MergeRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn merge(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<MergeRequest>(&app, asked, Scope::Support).await?;
    let input = Merge {
        into: request.into,
        add_seats: request.add_seats,
    };
    changed(&app, merged(&app, of, input, claim).await?).await
}

/// Put it under the present terms of a policy. Nobody is thrown off by a lower limit before its time.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/set-policy",
    operation_id = "license_set_policy",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = SetPolicyRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn set_policy(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<SetPolicyRequest>(&app, asked, Scope::Support).await?;
    let input = SetPolicy {
        policy: request.policy,
        seats: request.seat_limit,
        dates: request.dates.unwrap_or(Dates::Keep),
        over_limit_days: request.over_limit_days,
    };
    changed(&app, policy_set(&app, of, input, claim).await?).await
}

/// Write a note about it.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/note",
    operation_id = "license_note",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = NoteRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "What it is does not allow that."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["support"])),
)]
pub(super) async fn note(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<NoteRequest>(&app, asked, Scope::Support).await?;
    let note = NewNote::new(&app, &request.note)?;
    changed(&app, write_note(&app, of, note, claim).await?).await
}

fn which(request: &ReinstateRequest) -> Result<Which, ApiError> {
    match (&request.hold, request.reason) {
        (Some(_), None) if request.cause.is_some() => {
            let sentence = "belongs beside reason: a hold is named by its id alone";
            Err(ApiError::field("cause", sentence))
        }
        (Some(id), None) => Ok(Which::Id(id.clone())),
        (None, Some(reason)) => Ok(Which::Reason(reason, request.cause.clone())),
        (None, None) | (Some(_), Some(_)) => {
            let sentence = "or reason must be given, one of them";
            Err(ApiError::field("hold", sentence))
        }
    }
}

fn extension(request: &ExtendRequest) -> Result<Extension, ApiError> {
    let to = request.valid_until.is_given() || request.updates_until.is_given();
    let by = request.months.is_some() || request.days.is_some();
    if to == by {
        let sentence = "Give either new ends, or months and days.";
        return Err(ApiError::field("valid_until", sentence));
    }
    if to {
        return Ok(Extension::To {
            valid_until: request.valid_until,
            updates_until: request.updates_until,
        });
    }
    Ok(Extension::By {
        months: request.months.unwrap_or_default(),
        days: request.days.unwrap_or_default(),
    })
}
