//! From a credential to what it opens: the license, the kit, its releases, one file.

mod known;
mod look;

use std::sync::Arc;

use secrecy::SecretString;
use semver::Version;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::kits::store::Kit;
use crate::licenses;
use crate::licenses::keys;
use crate::licenses::keys::Lookup;
use crate::licenses::model::{LicenseId, VerdictCode};
use crate::licenses::store::Holding;
use crate::licenses::tokens::model::Door;
use crate::licenses::tokens::usage::TooOften;
use crate::releases::catalogs::Catalog;
use crate::releases::model::{
    ArtifactId, Channel, LicenseFacts, Refusal, ReleaseStatus, Selector, downloadable, listed,
};
use crate::releases::store::{self, Artifact, Release};

pub use known::AtGate;
use known::known;
use look::{look, of_license};

/// What somebody sees of one kit at one moment.
#[derive(Debug, Clone)]
pub struct Access {
    /// The license that was shown; `None` where the kit is open and none that covers it was.
    pub holding: Option<Holding>,
    /// The kit.
    pub kit: Arc<Kit>,
    /// What the predicate looks at.
    pub facts: LicenseFacts,
    /// Published releases, covered or not, the highest version first.
    pub releases: Arc<Vec<(Version, Release)>>,
    /// Their files by name, where a kit was asked for.
    pub artifacts: Arc<Vec<Artifact>>,
    /// Where the license's policy says it is renewed.
    policy_renew_url: Option<String>,
}

/// What would have to change for a version to be covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The end of the license's updates.
    pub updates_until: Option<Timestamp>,
    /// The highest version it covers.
    pub last_entitled_version: Option<String>,
    /// Where it is renewed.
    pub renewal: Option<Renewal>,
}

/// Where a license is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// Where its policy says.
    Elsewhere(String),
    /// On its own page.
    OwnPage(LicenseId),
}

impl Renewal {
    /// The address.
    pub fn url(&self, app: &App) -> String {
        match self {
            Self::Elsewhere(url) => url.clone(),
            Self::OwnPage(license) => app.link(&format!("/licenses/{license}")),
        }
    }
}

/// Why nothing is given.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The database failed.
    #[error("the database failed while a download was authorized")]
    Db(#[from] DbError),
    /// The token was used too often.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// No key was shown, and the kit is not open.
    #[error("no key")]
    KeyMissing,
    /// No license has this key.
    #[error("unknown key")]
    KeyUnknown,
    /// The license itself is refused; a kit that does not exist is one it does not cover.
    #[error("{}", .code.detail())]
    License {
        /// Why.
        code: VerdictCode,
        /// Which one, where who asks may be told.
        license: Option<LicenseId>,
    },
    /// The kit has no such version.
    #[error("no such version")]
    UnknownVersion,
    /// The release has no such file.
    #[error("no such file")]
    UnknownFile,
    /// The version was taken away.
    #[error("the version was withdrawn")]
    Withdrawn,
    /// The version came out after the updates ended.
    #[error("the version is not covered")]
    NotCovered(Window),
    /// The version needs a feature the license does not include.
    #[error("the license does not include \"{0}\"")]
    EntitlementMissing(String),
}

impl AccessError {
    fn of_license(holding: Option<&Holding>, code: VerdictCode) -> Self {
        let named = holding.filter(|holding| !holding.is_shown_by_former_owner());
        let license = named.map(|holding| holding.license.id.clone());
        Self::License { code, license }
    }
}

/// What a key opens of a kit; without one, what an open kit gives to everybody. A key that is shown
/// is always looked at: a wrong one is told, rather than passed over.
pub async fn authorize(
    app: &App,
    presented: Option<&SecretString>,
    kit: &str,
) -> Result<Access, AccessError> {
    let lookup = match presented {
        Some(key) => {
            let lookup = keys::lookup(app, key, Door::Downloads)?;
            Some(lookup.ok_or(AccessError::KeyUnknown)?)
        }
        None => None,
    };
    let now = app.clock.now();
    if let Some(lookup) = &lookup
        && let Some(access) = known(app, lookup, kit, now).await?
    {
        return Ok(access);
    }
    let (kit, seen) = (kit.to_owned(), Arc::clone(&app.catalogs));
    app.db
        .read_snapshot(move |conn| {
            let holding = held(conn, lookup.as_ref())?;
            let kit = kits::store::find_kit_by_slug(conn, &kit)?;
            look(conn, holding, kit, now, |conn, kit| seen.read(conn, kit))
        })
        .await
}

fn held(conn: &mut AnyConn, lookup: Option<&Lookup>) -> Result<Option<Holding>, AccessError> {
    let Some(lookup) = lookup else {
        return Ok(None);
    };
    let found = keys::find(conn, lookup)?;
    found.map(Some).ok_or(AccessError::KeyUnknown)
}

/// What a license that covers a kit has of its catalog, what was granted to it apart: for who looked at
/// the license before.
pub fn of_catalog(
    holding: Holding,
    catalog: Catalog,
    now: Timestamp,
) -> Result<Access, AccessError> {
    of_license(holding, catalog, &[], None, now)
}

/// The file with this id, if the license may have it now.
pub fn check_artifact(
    conn: &mut AnyConn,
    license: &LicenseId,
    artifact: &ArtifactId,
    now: Timestamp,
) -> Result<Artifact, AccessError> {
    let found = store::find_artifact(conn, artifact)?;
    let artifact = found.ok_or(AccessError::UnknownFile)?;
    let found = store::find(conn, &artifact.release_id)?;
    let release = found.ok_or(AccessError::UnknownFile)?;
    let found = licenses::store::find(conn, license)?;
    let holding = found.ok_or(AccessError::UnknownFile)?;
    let kit = kits::store::find_kit(conn, &release.kit_id)?;
    let access = look(conn, Some(holding), kit, now, Catalog::without_files)?;
    access.check(&release)?;
    Ok(artifact)
}

impl Access {
    /// The license that was shown.
    pub fn license(&self) -> Option<&LicenseId> {
        self.holding.as_ref().map(|holding| &holding.license.id)
    }

    /// Where the license is renewed, where its updates end.
    pub fn renewal(&self) -> Option<Renewal> {
        self.facts.updates_until?;
        let elsewhere = self.policy_renew_url.clone().map(Renewal::Elsewhere);
        elsewhere.or_else(|| self.license().cloned().map(Renewal::OwnPage))
    }

    /// Releases that stand in listings, the highest version first.
    pub fn listed(&self) -> impl Iterator<Item = &(Version, Release)> {
        let facts = &self.facts;
        let is_listed = move |entry: &&(Version, Release)| listed(&entry.1.facts(), facts);
        self.releases.iter().filter(is_listed)
    }

    /// The highest listed version for who follows a channel.
    pub fn last_entitled(&self, followed: Channel) -> Option<&(Version, Release)> {
        self.listed()
            .find(|(_, release)| followed.admits(release.channel))
    }

    /// The release a request names.
    pub fn release(&self, selector: &Selector) -> Result<&Release, AccessError> {
        if let Selector::Exact(_) = selector {
            let mut all = self.releases.iter();
            let found = all.find(|(version, _)| selector.names(version));
            let (_, release) = found.ok_or(AccessError::UnknownVersion)?;
            return self.check(release).map(|()| release);
        }
        let named = |entry: &&(Version, Release)| {
            Channel::Stable.admits(entry.1.channel) && selector.names(&entry.0)
        };
        if let Some((_, release)) = self.listed().find(named) {
            return Ok(release);
        }
        // Nothing is listed: say why of the highest that could have been.
        let is_out = |entry: &&(Version, Release)| {
            entry.1.yanked_at.is_none() && entry.1.withdrawn_at.is_none()
        };
        let best = self.releases.iter().filter(is_out).find(named);
        let (_, release) = best.ok_or(AccessError::UnknownVersion)?;
        self.check(release).map(|()| release)
    }

    /// Whether the license may have a release of this kit.
    pub fn check(&self, release: &Release) -> Result<(), AccessError> {
        debug_assert_eq!(release.kit_id, self.kit.id);
        downloadable(&release.facts(), &self.facts).map_err(|refusal| match refusal {
            Refusal::License(code) => AccessError::of_license(self.holding.as_ref(), code),
            Refusal::NotPublished => AccessError::UnknownVersion,
            Refusal::Withdrawn => AccessError::Withdrawn,
            Refusal::VersionNotCovered => AccessError::NotCovered(self.window(release.channel)),
            Refusal::EntitlementMissing(feature) => AccessError::EntitlementMissing(feature),
        })
    }

    fn window(&self, followed: Channel) -> Window {
        let last = self.last_entitled(followed);
        Window {
            updates_until: self.facts.updates_until,
            last_entitled_version: last.map(|(_, release)| release.version.clone()),
            renewal: self.renewal(),
        }
    }

    /// Whether somebody with a longer window would see a higher version on this channel.
    pub fn misses_newer(&self, followed: Channel) -> bool {
        let covered = self.last_entitled(followed).map(|(version, _)| version);
        let open = self.facts.without_end();
        self.releases.iter().any(|(version, release)| {
            debug_assert_eq!(release.status, ReleaseStatus::Published);
            followed.admits(release.channel)
                && listed(&release.facts(), &open)
                && covered.is_none_or(|covered| version > covered)
        })
    }
}
