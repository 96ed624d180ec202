//! What refusals of downloads look like from outside.

use crate::app::App;
use crate::downloads::authorize::{AccessError, Window};
use crate::downloads::model::LimitReached;
use crate::downloads::record::BeginDeliveryError;
use crate::downloads::tickets::TicketError;
use crate::http::extract::key_missing;
use crate::http::{ApiError, Code};
use crate::licenses::answer::manage_url;
use crate::licenses::model::VerdictCode;

/// A refusal as an answer. A kit that is not owned and one that does not exist look alike, and are
/// never 404: that would send package managers on to public registries.
pub fn refused(app: &App, error: AccessError) -> ApiError {
    match error {
        AccessError::Db(error) => error.into(),
        AccessError::TooOften(error) => error.into(),
        AccessError::KeyMissing => key_missing(),
        AccessError::KeyUnknown => {
            ApiError::new(Code::KeyUnknown, VerdictCode::NotFound.detail()).for_wrong_key()
        }
        AccessError::License { code, license } => {
            let own_page = license.map(|license| manage_url(app, &license));
            let url = own_page.unwrap_or_else(|| app.link("/"));
            license_refused(code).with("manage_url", url)
        }
        AccessError::UnknownVersion => {
            ApiError::new(Code::NotFound, "This kit has no such version.")
        }
        AccessError::UnknownFile => ApiError::new(Code::NotFound, "This version has no such file."),
        AccessError::Withdrawn => {
            let detail = "This version was withdrawn. Use a newer one.";
            ApiError::new(Code::Gone, detail)
        }
        AccessError::NotCovered(window) => not_covered(app, &window),
        AccessError::EntitlementMissing(feature) => {
            let detail = format!("This version needs a license that includes \"{feature}\".");
            ApiError::new(Code::EntitlementMissing, detail).with("entitlement", feature)
        }
    }
}

fn not_covered(app: &App, window: &Window) -> ApiError {
    let detail = "This version came out after the license's updates ended. Renew the license, or \
                  use the version named in last_entitled_version.";
    let until = window.updates_until.map(|until| until.to_string());
    let renew = window.renewal.as_ref().map(|renewal| renewal.url(app));
    ApiError::new(Code::VersionNotCovered, detail)
        .with(
            "last_entitled_version",
            window.last_entitled_version.clone(),
        )
        .with("updates_until", until)
        .with("renew_url", renew)
}

fn license_refused(verdict: VerdictCode) -> ApiError {
    let code = match verdict {
        VerdictCode::NotFound | VerdictCode::KeyReplaced => Code::KeyUnknown,
        VerdictCode::KitMismatch => Code::KitNotCovered,
        VerdictCode::Revoked => Code::LicenseRevoked,
        VerdictCode::Suspended => Code::LicenseSuspended,
        VerdictCode::Merged | VerdictCode::NotStarted | VerdictCode::Expired => {
            Code::LicenseExpired
        }
        VerdictCode::VersionNotCovered => Code::VersionNotCovered,
        VerdictCode::EntitlementMissing => Code::EntitlementMissing,
        // Seats are no matter of downloads.
        VerdictCode::IdentityRequired
        | VerdictCode::NotActivated
        | VerdictCode::SeatsExhausted
        | VerdictCode::OverLimit
        | VerdictCode::Grace
        | VerdictCode::Valid => Code::Forbidden,
    };
    ApiError::new(code, verdict.detail()).with("verdict", verdict.as_str())
}

pub(super) fn ticket_refused(app: &App, error: TicketError) -> ApiError {
    match error {
        TicketError::Access(error) => refused(app, error),
        TicketError::Unknown | TicketError::OtherOwner => {
            ApiError::new(Code::NotFound, "There is nothing at this address.")
        }
        TicketError::Expired => {
            let detail = "This download link has ended. Get a new one from the portal.";
            ApiError::new(Code::Gone, detail)
        }
    }
}

pub(super) fn delivery_refused(error: BeginDeliveryError) -> ApiError {
    match error {
        BeginDeliveryError::Db(error) => error.into(),
        BeginDeliveryError::Limit {
            reached,
            retry_after,
        } => {
            let detail = match reached {
                LimitReached::Downloads(most) => format!(
                    "This license allows {most} downloads a day, and they are used up. Try again \
                     after midnight (UTC), or ask your vendor."
                ),
                LimitReached::Networks(most) => format!(
                    "This license was used from {most} networks today, and allows no more. Try \
                     again after midnight (UTC), or from a network of before."
                ),
            };
            ApiError::new(Code::DownloadLimit, detail).with("retry_after", retry_after)
        }
        BeginDeliveryError::TicketElsewhere => {
            let detail = "This download link was used from another network first. Get one of your \
                          own from the portal.";
            ApiError::new(Code::Forbidden, detail)
        }
        BeginDeliveryError::TicketUsedUp => {
            let detail = "This download link is used up. Get a new one from the portal.";
            ApiError::new(Code::Gone, detail)
        }
        BeginDeliveryError::TicketUnknown => {
            ApiError::new(Code::NotFound, "There is nothing at this address.")
        }
    }
}
