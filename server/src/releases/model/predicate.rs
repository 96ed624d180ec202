//! The one predicate of what a license may have, and what it looks at.
//!
//! A release is had by who follows any channel: which one is followed is the caller's choice
//! ([`Channel::admits`](super::Channel::admits)), and what is for some only requires an entitlement.

use super::{Channel, ReleaseId, ReleaseStatus, Rollout, Severity};
use crate::clock::Timestamp;
use crate::licenses::model::{Standing, VerdictCode};

const DAY: i64 = 86_400;

/// What the predicate looks at in a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseFacts<'a> {
    /// Which one it is.
    pub id: &'a ReleaseId,
    /// The first number of its version.
    pub major: u64,
    /// How far it is.
    pub status: ReleaseStatus,
    /// For whom it is.
    pub channel: Channel,
    /// How urgent it is.
    pub severity: Severity,
    /// When it came out.
    pub published_at: Option<Timestamp>,
    /// The date that counts instead, where the vendor gave one.
    pub entitled_at: Option<Timestamp>,
    /// Features a license must include.
    pub required: &'a [String],
    /// When it was taken off the lists.
    pub yanked_at: Option<Timestamp>,
    /// When it was taken away.
    pub withdrawn_at: Option<Timestamp>,
    /// To how many it is offered; `None` = to everybody.
    pub rollout: Option<&'a Rollout>,
    /// What its queue is drawn by.
    pub salt: &'a [u8],
    /// Since when it is offered to nobody.
    pub halted_at: Option<Timestamp>,
    /// What must be installed before it.
    pub minimum_version: Option<&'a str>,
}

/// What the predicate looks at in a license, for one kit at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenseFacts {
    /// The first refusal of the license itself, seats apart; the kit's scope is part of it.
    pub refusal: Option<VerdictCode>,
    /// What was released up to then may be had; `None` = everything.
    pub updates_until: Option<Timestamp>,
    /// Security releases up to then may be had, of the majors below.
    pub security_until: Option<Timestamp>,
    /// Majors of which a release is covered by its date.
    pub majors: Vec<u64>,
    /// Features it includes.
    pub entitlements: Vec<String>,
    /// Releases it may have whatever its dates say.
    pub granted: Vec<ReleaseId>,
}

impl LicenseFacts {
    /// Of a license towards a kit, its features and grants apart.
    pub fn new(standing: &Standing, now: Timestamp) -> Self {
        Self {
            refusal: standing.refusal(now),
            updates_until: standing.covers_until(now),
            ..Self::anybody()
        }
    }

    /// Of who shows no license: everything that asks for none.
    pub fn anybody() -> Self {
        Self {
            refusal: None,
            updates_until: None,
            security_until: None,
            majors: Vec::new(),
            entitlements: Vec::new(),
            granted: Vec::new(),
        }
    }

    /// With security releases beyond the end of the updates, for so many days: of those majors of
    /// the kit of which it covers a release. A release that was withdrawn counts too, because who had
    /// it needs what mends it.
    #[must_use]
    pub fn with_security_grace<'a>(
        mut self,
        days: i32,
        releases: impl Iterator<Item = ReleaseFacts<'a>>,
    ) -> Self {
        let Some(end) = self.updates_until else {
            return self;
        };
        self.security_until = Some(end.plus_seconds(i64::from(days) * DAY));
        let covered = releases.filter(|release| is_covered_by_date(release, Some(end)));
        self.majors = covered.map(|release| release.major).collect();
        self.majors.sort_unstable();
        self.majors.dedup();
        self
    }

    /// The same with updates that never end.
    #[must_use]
    pub fn without_end(&self) -> Self {
        Self {
            updates_until: None,
            ..self.clone()
        }
    }
}

/// Why a license may not have a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The license itself: its kit, its state, its dates.
    #[error("{}", .0.detail())]
    License(VerdictCode),
    /// Not out yet: to everybody else it does not exist.
    #[error("this version is not published")]
    NotPublished,
    /// Taken away from everybody.
    #[error("this version was withdrawn")]
    Withdrawn,
    /// Came out after the end of the updates.
    #[error("this version came out after the license's updates ended")]
    VersionNotCovered,
    /// It needs a feature the license does not include.
    #[error("this version needs a license that includes \"{0}\"")]
    EntitlementMissing(String),
}

/// Whether a license may have a release. Every listing, manifest, registry and file asks here.
pub fn downloadable(release: &ReleaseFacts<'_>, license: &LicenseFacts) -> Result<(), Refusal> {
    if let Some(code) = license.refusal {
        return Err(Refusal::License(code));
    }
    let (ReleaseStatus::Published, Some(published_at)) = (release.status, release.published_at)
    else {
        return Err(Refusal::NotPublished);
    };
    if release.withdrawn_at.is_some() {
        return Err(Refusal::Withdrawn);
    }
    let covered = is_covered_by_date(release, license.updates_until)
        || is_in_security_grace(release, published_at, license)
        || license.granted.contains(release.id);
    if !covered {
        return Err(Refusal::VersionNotCovered);
    }
    let mut required = release.required.iter();
    match required.find(|feature| !license.entitlements.contains(feature)) {
        Some(feature) => Err(Refusal::EntitlementMissing(feature.clone())),
        None => Ok(()),
    }
}

/// Whether a published release came out within the updates; the vendor's date counts before its own.
fn is_covered_by_date(release: &ReleaseFacts<'_>, updates_until: Option<Timestamp>) -> bool {
    let (ReleaseStatus::Published, Some(published_at)) = (release.status, release.published_at)
    else {
        return false;
    };
    let counts = release.entitled_at.unwrap_or(published_at);
    updates_until.is_none_or(|end| counts <= end)
}

/// What closes a hole in a major that the license has, for a while after its updates. Only what is
/// marked as `security`: `critical` says how soon to take a release, not what it is for.
fn is_in_security_grace(
    release: &ReleaseFacts<'_>,
    published_at: Timestamp,
    license: &LicenseFacts,
) -> bool {
    release.severity == Severity::Security
        && license.majors.contains(&release.major)
        && license
            .security_until
            .is_some_and(|end| published_at <= end)
}

/// Whether it stands in listings: yanked ones are had by their exact version only.
pub fn listed(release: &ReleaseFacts<'_>, license: &LicenseFacts) -> bool {
    release.yanked_at.is_none() && downloadable(release, license).is_ok()
}

#[cfg(test)]
mod tests;
