//! Terms as stored and as written.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::terms;
use crate::db::types::WordList;
use crate::kits::model::{Basis, LicenseTextId, OnLapse, Scope, SeatKind, described};

/// What a policy grants.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Queryable, Selectable, Insertable,
)]
#[diesel(table_name = terms)]
#[serde(deny_unknown_fields, default)]
#[schema(default)]
pub struct Terms {
    /// Buyer-facing name: "Personal", "Team".
    #[schema(required, min_length = 1, max_length = 60, example = "Personal")]
    pub edition: String,
    /// The license text that holds; `None` = none.
    pub license_text_id: Option<LicenseTextId>,
    /// Which kits.
    pub scope: Scope,
    /// What occupies a seat.
    pub seat_kind: SeatKind,
    /// How many seats; `None` = unlimited.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub seat_limit: Option<i32>,
    /// Seconds for which a floating seat is held without heartbeat; `None` = held until freed.
    #[schema(minimum = 60, maximum = 2_678_400)]
    pub lease_seconds: Option<i32>,
    /// Seats beyond the limit that are let in; at most one kind of overage.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub overage_seats: Option<i32>,
    /// The same in percent of the limit.
    #[schema(minimum = 1, maximum = 1000)]
    pub overage_percent: Option<i32>,
    /// How many seats the customer may free in `churn_days`; `None` = any number.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub churn_seats: Option<i32>,
    /// Days over which freed seats are counted.
    #[schema(minimum = 1, maximum = 36_500)]
    pub churn_days: Option<i32>,
    /// Days unseen after which a seat is freed; `None` = never.
    #[schema(minimum = 1, maximum = 36_500)]
    pub free_unseen_days: Option<i32>,
    /// Sites that use no seat, beside local ones: host names, `*.` in front for all below.
    #[schema(schema_with = described::staging_hosts)]
    pub staging_hosts: WordList,
    /// Months of use; `None` (and no `valid_days`) = for ever.
    #[schema(minimum = 1, maximum = 1200)]
    pub valid_months: Option<i32>,
    /// Days of use.
    #[schema(minimum = 1, maximum = 36_500)]
    pub valid_days: Option<i32>,
    /// From when the durations count.
    pub basis: Basis,
    /// What is left when the subscription lapses.
    pub on_lapse: OnLapse,
    /// Paid months before anything is kept.
    #[schema(minimum = 0, maximum = 1200)]
    pub keep_after_paid_months: i32,
    /// Months of updates; `None` = for ever.
    #[schema(minimum = 1, maximum = 1200)]
    pub updates_months: Option<i32>,
    /// Days beyond the updates during which security releases are still covered.
    #[schema(minimum = 0, maximum = 3660)]
    pub security_grace_days: i32,
    /// Days of use beyond an unpaid end.
    #[schema(minimum = 0, maximum = 366)]
    pub grace_days: i32,
    /// Days a license file lives.
    #[schema(minimum = 1, maximum = 366)]
    pub license_file_days: i32,
    /// Most days a license file for a machine that is never online may live; `None` = no such files.
    #[schema(minimum = 1, maximum = 3660)]
    pub offline_file_days: Option<i32>,
    /// Names of the features it includes.
    #[schema(schema_with = described::entitlements)]
    pub entitlements: WordList,
    /// Whether CI tokens may be made.
    pub ci_use: bool,
    /// Downloads of one license a day (UTC); resumed ones count once. `None` = any number.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub downloads_per_day: Option<i32>,
    /// Networks (IPv4 /24, IPv6 /56) to which one license's files go a day; `None` = any number.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub download_networks_per_day: Option<i32>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            edition: String::new(),
            license_text_id: None,
            scope: Scope::Kits,
            seat_kind: SeatKind::None,
            seat_limit: None,
            lease_seconds: None,
            overage_seats: None,
            overage_percent: None,
            churn_seats: None,
            churn_days: None,
            free_unseen_days: None,
            staging_hosts: WordList::default(),
            valid_months: None,
            valid_days: None,
            basis: Basis::Issue,
            on_lapse: OnLapse::Keep,
            keep_after_paid_months: 0,
            updates_months: None,
            security_grace_days: 0,
            grace_days: 0,
            license_file_days: 14,
            offline_file_days: None,
            entitlements: WordList::default(),
            ci_use: true,
            downloads_per_day: None,
            download_networks_per_day: None,
        }
    }
}
