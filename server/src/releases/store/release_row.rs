//! A row of `releases`.

use diesel::prelude::*;
use semver::Version;
use serde::Serialize;
use utoipa::ToSchema;

use super::RolloutColumn;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::db::schema::releases;
use crate::db::types::WordList;
use crate::kits::model::KitId;
use crate::releases::model::{
    Channel, ReleaseFacts, ReleaseId, ReleaseStatus, Severity, major, parse_version,
};

/// How a release was made; what the vendor's reports are about.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Queryable,
    Selectable,
    Insertable,
    Serialize,
    ToSchema,
)]
#[diesel(table_name = releases)]
pub struct Figures {
    /// Of a hundred.
    #[schema(minimum = 0, maximum = 100)]
    pub quality_score: Option<i32>,
    /// How long its build took.
    #[schema(minimum = 0)]
    pub build_seconds: Option<i32>,
    /// Tests that passed.
    #[schema(minimum = 0)]
    pub tests_passed: Option<i32>,
    /// Tests that failed.
    #[schema(minimum = 0)]
    pub tests_failed: Option<i32>,
    /// Bugs that were found in it.
    #[schema(minimum = 0)]
    pub bugs_found: Option<i32>,
    /// Of these, bugs that were fixed.
    #[schema(minimum = 0)]
    pub bugs_fixed: Option<i32>,
}

/// A release as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = releases)]
pub struct Release {
    /// Its id.
    pub id: ReleaseId,
    /// The kit.
    pub kit_id: KitId,
    /// Semantic version; one release each.
    pub version: String,
    /// For whom it is.
    pub channel: Channel,
    /// How urgent it is.
    pub severity: Severity,
    /// How far it is.
    pub status: ReleaseStatus,
    /// What changed, as Markdown; may be empty.
    pub notes: String,
    /// The date that counts for licenses, where it is not that of the publication.
    pub entitled_at: Option<Timestamp>,
    /// When it came out.
    pub published_at: Option<Timestamp>,
    /// When it was taken off the lists.
    pub yanked_at: Option<Timestamp>,
    /// When it was taken away.
    pub withdrawn_at: Option<Timestamp>,
    /// Features a license must include to have it.
    pub required_entitlements: WordList,
    /// What must be installed before it; older versions get a step in between.
    pub minimum_version: Option<String>,
    /// To how many it is offered as an update, and from when on; null for everybody.
    #[schema(value_type = Option<Vec<crate::releases::model::Step>>)]
    pub rollout: Option<RolloutColumn>,
    /// What the queue of its rollout is drawn by.
    #[serde(skip)]
    pub rollout_salt: Option<Vec<u8>>,
    /// Since when it is offered to nobody; of a rollout that was set meanwhile, since when that one
    /// stands still.
    pub halted_at: Option<Timestamp>,
    /// Why it was yanked.
    pub yank_reason: Option<String>,
    /// Why it was withdrawn.
    pub withdraw_reason: Option<String>,
    /// How it was made.
    #[diesel(embed)]
    #[serde(flatten)]
    pub figures: Figures,
    /// Grows with every change.
    pub revision: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Release {
    /// What the predicate looks at.
    pub fn facts(&self) -> ReleaseFacts<'_> {
        ReleaseFacts {
            id: &self.id,
            major: major(&self.version),
            status: self.status,
            channel: self.channel,
            severity: self.severity,
            published_at: self.published_at,
            entitled_at: self.entitled_at,
            required: self.required_entitlements.words(),
            yanked_at: self.yanked_at,
            withdrawn_at: self.withdrawn_at,
            rollout: self.rollout.as_ref().map(RolloutColumn::rollout),
            salt: self.rollout_salt.as_deref().unwrap_or_default(),
            halted_at: self.halted_at,
            minimum_version: self.minimum_version.as_deref(),
        }
    }

    /// Its version, to compare.
    pub fn semver(&self) -> Result<Version, DbError> {
        parse_version(&self.version).map_err(|_fault| DbError::Inconsistent {
            table: "releases",
            row: self.id.to_string(),
            what: "the version is no semantic version",
        })
    }
}
