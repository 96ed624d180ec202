//! What calls about releases hold.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::http::ApiError;
use crate::http::openapi::words::{KitName, ReleaseVersion};
use crate::licenses::model::{Given, LicenseId};
use crate::releases::create_release::CreateRelease;
use crate::releases::edit_release::{Edit, GivenFigures};
use crate::releases::model::{Channel, Severity, Step};
use crate::releases::roll_out::Share;
use crate::releases::store::Figures;

/// A new release.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateReleaseRequest)]
pub(super) struct CreateRequest {
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
    pub(super) fn into_input(self, actor: Actor) -> CreateRelease {
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

/// What shall change; members that are left out stay as they are. Version, channel and files of a
/// release never change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EditReleaseRequest)]
pub(super) struct EditRequest {
    /// What changed in it, as Markdown; in bytes.
    #[schema(max_length = 32_768)]
    notes: Option<String>,
    severity: Option<Severity>,
    /// The date that counts for licenses, not later than the publication; null for that itself.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    entitled_at: Given<Timestamp>,
    /// What must be installed before it; null for nothing.
    #[serde(default)]
    #[schema(value_type = Option<ReleaseVersion>)]
    minimum_version: Given<String>,
    /// Features a license must include to have it.
    #[schema(max_items = 100)]
    required_entitlements: Option<Vec<String>>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 100)]
    quality_score: Given<i32>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0)]
    build_seconds: Given<i32>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0)]
    tests_passed: Given<i32>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0)]
    tests_failed: Given<i32>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0)]
    bugs_found: Given<i32>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0)]
    bugs_fixed: Given<i32>,
}

impl EditRequest {
    pub(super) fn into_edit(self) -> Edit {
        Edit {
            notes: self.notes,
            severity: self.severity,
            entitled_at: self.entitled_at,
            minimum_version: self.minimum_version,
            required_entitlements: self.required_entitlements,
            figures: GivenFigures {
                quality_score: self.quality_score,
                build_seconds: self.build_seconds,
                tests_passed: self.tests_passed,
                tests_failed: self.tests_failed,
                bugs_found: self.bugs_found,
                bugs_fixed: self.bugs_fixed,
            },
        }
    }
}

/// A reason, for people.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReasonRequest)]
pub(super) struct ReasonRequest {
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// To how many a release is offered: `percent` or `steps`, one of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RolloutRequest)]
pub(super) struct RolloutRequest {
    /// Of a hundred, from now on; 100 for everybody, 0 for nobody.
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 100)]
    percent: Option<i64>,
    /// A schedule in the order of its times: a straight line from step to step.
    #[schema(min_items = 1, max_items = 50)]
    steps: Option<Vec<Step>>,
}

impl RolloutRequest {
    pub(super) fn share(self) -> Result<Share, ApiError> {
        match (self.percent, self.steps) {
            (Some(percent), None) => {
                let percent = u8::try_from(percent).ok().filter(|it| *it <= 100);
                let percent = percent.ok_or_else(|| ApiError::field("percent", "must be 0 to 100"));
                Ok(Share::Percent(percent?))
            }
            (None, Some(steps)) => Ok(Share::Steps(steps)),
            (None, None) | (Some(_), Some(_)) => {
                let detail = "or steps must be given, one of them";
                Err(ApiError::field("percent", detail))
            }
        }
    }
}

/// Who gets a release whatever its dates say, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GrantReleaseRequest)]
pub(super) struct GrantRequest {
    pub(super) license: LicenseId,
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}
