//! What calls that change a license take.

use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::licenses::edit::OVER_LIMIT_DAYS;
use crate::licenses::model::{Given, HoldId, HoldReason, KeySource, LicenseId, Metadata};
use crate::licenses::renew::RenewFrom;
use crate::licenses::set_policy::Dates;

fn over_limit_days() -> i32 {
    OVER_LIMIT_DAYS
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueRequest {
    /// Id or name.
    pub(super) policy: String,
    /// Id of a customer; or `email`.
    pub(super) customer: Option<String>,
    /// Mail address of whoever gets it; the first sign-in with it finds the license.
    pub(super) email: Option<String>,
    /// Name of a new customer; beside `email` only.
    pub(super) name: Option<String>,
    /// Seats instead of the policy's; null for unlimited.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 1_000_000)]
    pub(super) seat_limit: Given<i32>,
    /// In force from, and where its durations count from; now, where left out.
    pub(super) starts_at: Option<Timestamp>,
    /// Features beside those of the policy.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub(super) extra_entitlements: Vec<String>,
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub(super) metadata: Metadata,
    /// A first note.
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EditRequest {
    /// Seats; null for unlimited.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 1_000_000)]
    pub(super) seat_limit: Given<i32>,
    /// Days for which seats beyond a lowered limit are kept, 14 where left out; beside `seat_limit` only.
    #[schema(minimum = 0, maximum = 366)]
    pub(super) over_limit_days: Option<i32>,
    /// All features beside those of the terms.
    pub(super) extra_entitlements: Option<Vec<String>>,
    /// Features to add to them.
    #[serde(default)]
    pub(super) add_entitlements: Vec<String>,
    /// Features to take from them.
    #[serde(default)]
    pub(super) remove_entitlements: Vec<String>,
    /// All of your own words: at most 50 texts.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub(super) metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuspendRequest {
    /// What it is about: the same cause is the same hold.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) cause: Option<String>,
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevokeRequest {
    /// `fraud`, `abuse`, `refund_full` or `dispute_lost`.
    pub(super) reason: HoldReason,
    /// What it is about: the same reason and cause are the same revocation.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) cause: Option<String>,
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReinstateRequest {
    /// Which hold or revocation; or `reason`.
    pub(super) hold: Option<HoldId>,
    /// The one that is open for this reason.
    pub(super) reason: Option<HoldReason>,
    /// And this cause; beside `reason` only.
    pub(super) cause: Option<String>,
    /// Why. Reasons other than `manual` are closed with one, and by the scope `admin` alone.
    pub(super) note: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RenewRequest {
    pub(super) from: RenewFrom,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExtendRequest {
    /// New end of use; null for ever.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub(super) valid_until: Given<Timestamp>,
    /// New end of updates; null for ever.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub(super) updates_until: Given<Timestamp>,
    /// Or so many months later, both ends.
    #[schema(minimum = 1, maximum = 1200)]
    pub(super) months: Option<i32>,
    /// And so many days.
    #[schema(minimum = 1, maximum = 36500)]
    pub(super) days: Option<i32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferRequest {
    /// Id of the new owner; or `email`.
    pub(super) customer: Option<String>,
    /// Mail address of the new owner.
    pub(super) email: Option<String>,
    /// Name of a new customer; beside `email` only.
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MergeRequest {
    /// The license that stays.
    pub(super) into: LicenseId,
    /// Whether it gets the seats of the other one beside its own.
    #[serde(default)]
    pub(super) add_seats: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetPolicyRequest {
    /// Id or name.
    pub(super) policy: String,
    /// Seats instead of the policy's; null for unlimited.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 1_000_000)]
    pub(super) seat_limit: Given<i32>,
    /// What becomes of the ends; `keep` where left out.
    pub(super) dates: Option<Dates>,
    /// Days for which seats beyond a lower limit are kept.
    #[serde(default = "over_limit_days")]
    #[schema(minimum = 0, maximum = 366)]
    pub(super) over_limit_days: i32,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteRequest {
    #[schema(min_length = 1, max_length = 5000)]
    pub(super) note: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateRequest {
    /// Seconds for which the present key is still honored; 0 cuts it off at once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 31_622_400)]
    pub(super) grace_seconds: i64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportRequest {
    /// The system that made the key.
    pub(super) source: KeySource,
    /// The key, word for word.
    #[schema(value_type = String, min_length = 8, max_length = 2048)]
    pub(super) key: SecretString,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FindRequest {
    /// What to look for. Nothing is found by an empty text, and by one of more than 2048 bytes.
    #[schema(value_type = String)]
    pub(super) q: SecretString,
}
