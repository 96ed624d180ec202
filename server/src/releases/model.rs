//! Words of releases, and the one predicate of what a license may have.

mod names;
mod versions;

use semver::Version;

use crate::clock::Timestamp;
use crate::db::types::{text_enum, typed_id};
use crate::licenses::model::{Standing, VerdictCode};

pub use names::{NameFault, are_twins, check_name};
pub use versions::{Selector, VersionFault, is_newer, parse_version, same_precedence};

typed_id!(
    /// A release.
    ReleaseId, "rel"
);
typed_id!(
    /// One file of a release.
    ArtifactId, "art"
);

text_enum! {
    /// For whom a release is.
    pub enum Channel {
        /// Everybody.
        Stable = "stable",
        /// Release candidates.
        Rc = "rc",
        /// Betas.
        Beta = "beta",
        /// Alphas.
        Alpha = "alpha",
        /// Builds for developers, apart from the others.
        Dev = "dev",
    }
}

impl Channel {
    /// Whether who follows this channel gets releases of `other`: stable ⊂ rc ⊂ beta ⊂ alpha, dev
    /// apart.
    pub fn admits(self, other: Self) -> bool {
        match (self, other) {
            (Self::Dev, other) => other == Self::Dev,
            (_, Self::Dev) => false,
            (followed, other) => other <= followed,
        }
    }

    /// Where a version belongs if nobody says otherwise: by the first word of its pre-release.
    pub fn of(version: &Version) -> Self {
        let word: String = version
            .pre
            .chars()
            .take_while(char::is_ascii_alphabetic)
            .collect();
        match word.to_ascii_lowercase().as_str() {
            "" if version.pre.is_empty() => Self::Stable,
            "rc" => Self::Rc,
            "beta" | "b" => Self::Beta,
            "alpha" | "a" => Self::Alpha,
            _ => Self::Dev,
        }
    }
}

text_enum! {
    /// How urgent a release is.
    pub enum Severity {
        /// As any.
        Normal = "normal",
        /// Closes a hole.
        Security = "security",
        /// Take it now.
        Critical = "critical",
    }
}

text_enum! {
    /// How far a release is.
    pub enum ReleaseStatus {
        /// Files are being added; nobody sees it.
        Draft = "draft",
        /// Out.
        Published = "published",
    }
}

/// What the predicate looks at in a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// How far it is.
    pub status: ReleaseStatus,
    /// For whom it is.
    pub channel: Channel,
    /// When it came out.
    pub published_at: Option<Timestamp>,
    /// The date that counts instead, where the vendor gave one.
    pub entitled_at: Option<Timestamp>,
    /// When it was taken off the lists.
    pub yanked_at: Option<Timestamp>,
    /// When it was taken away.
    pub withdrawn_at: Option<Timestamp>,
}

/// What the predicate looks at in a license, for one kit at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LicenseFacts {
    /// The first refusal of the license itself, seats apart; the kit's scope is part of it.
    pub refusal: Option<VerdictCode>,
    /// What was released up to then may be had; `None` = everything.
    pub updates_until: Option<Timestamp>,
}

impl LicenseFacts {
    /// From the standing towards the kit.
    pub fn new(standing: &Standing, now: Timestamp) -> Self {
        Self {
            refusal: standing.refusal(now),
            updates_until: standing.covers_until(now),
        }
    }
}

/// Why a license may not have a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
}

/// Whether a license may have a release. Every listing, manifest, registry and file asks here.
pub fn downloadable(release: &ReleaseFacts, license: &LicenseFacts) -> Result<(), Refusal> {
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
    let counts = release.entitled_at.unwrap_or(published_at);
    match license.updates_until {
        Some(end) if counts > end => Err(Refusal::VersionNotCovered),
        _ => Ok(()),
    }
}

/// Whether it stands in listings: yanked ones are had by their exact version only.
pub fn listed(release: &ReleaseFacts, license: &LicenseFacts) -> bool {
    release.yanked_at.is_none() && downloadable(release, license).is_ok()
}

/// Whether it is offered as an update to who follows a channel and has a version.
pub fn offered(
    release: (&Version, &ReleaseFacts),
    license: &LicenseFacts,
    caller: (&Version, Channel),
) -> bool {
    let (version, facts) = release;
    let (present, followed) = caller;
    followed.admits(facts.channel) && is_newer(version, present) && listed(facts, license)
}

#[cfg(test)]
mod tests;
