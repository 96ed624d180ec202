//! From a credential to what it opens: the license, the kit, its releases, one file.

use secrecy::SecretString;
use semver::Version;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::kits::store::Kit;
use crate::licenses;
use crate::licenses::keys;
use crate::licenses::model::{LicenseId, VerdictCode};
use crate::licenses::store::Holding;
use crate::licenses::tokens::model::Door;
use crate::licenses::tokens::usage::TooOften;
use crate::releases::model::{
    ArtifactId, Channel, LicenseFacts, Refusal, ReleaseStatus, Selector, downloadable, listed,
};
use crate::releases::store::{self, Artifact, Release};

/// What a license sees of one kit at one moment.
#[derive(Debug, Clone)]
pub struct Access {
    /// The license.
    pub holding: Holding,
    /// The kit.
    pub kit: Kit,
    /// What the predicate looks at.
    pub facts: LicenseFacts,
    /// Published releases, covered or not, the highest version first.
    pub releases: Vec<(Version, Release)>,
}

/// What would have to change for a version to be covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The license.
    pub license: LicenseId,
    /// The end of its updates.
    pub updates_until: Option<Timestamp>,
    /// The highest version it covers.
    pub last_entitled_version: Option<String>,
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
    /// No license has this key.
    #[error("unknown key")]
    KeyUnknown,
    /// The license itself is refused; a kit that does not exist is one it does not cover.
    #[error("{}", .0.detail())]
    License(VerdictCode),
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
}

/// What a key opens of a kit.
pub async fn authorize(
    app: &App,
    presented: &SecretString,
    kit: &str,
) -> Result<Access, AccessError> {
    let lookup = keys::lookup(app, presented, Door::Downloads)?;
    let lookup = lookup.ok_or(AccessError::KeyUnknown)?;
    let (now, kit) = (app.clock.now(), kit.to_owned());
    app.db
        .read_snapshot(move |conn| {
            let holding = keys::find(conn, &lookup)?.ok_or(AccessError::KeyUnknown)?;
            let kit = kits::store::find_kit_by_slug(conn, &kit)?;
            look(conn, holding, kit, now)
        })
        .await
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
    let access = look(conn, holding, kit, now)?;
    access.check(&release)?;
    Ok(artifact)
}

fn look(
    conn: &mut AnyConn,
    holding: Holding,
    kit: Option<Kit>,
    now: Timestamp,
) -> Result<Access, AccessError> {
    let covered = match kit {
        Some(kit) if licenses::store::covers(conn, &holding, &kit.id)? => Some(kit),
        _ => None,
    };
    let standing = holding.standing(covered.is_some());
    let facts = LicenseFacts::new(&standing, now);
    match (facts.refusal, covered) {
        (Some(code), _) => Err(AccessError::License(code)),
        (None, None) => Err(AccessError::License(VerdictCode::KitMismatch)),
        (None, Some(kit)) => Ok(Access {
            releases: store::published(conn, std::slice::from_ref(&kit.id))?,
            holding,
            kit,
            facts,
        }),
    }
}

impl Access {
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
            Refusal::License(code) => AccessError::License(code),
            Refusal::NotPublished => AccessError::UnknownVersion,
            Refusal::Withdrawn => AccessError::Withdrawn,
            Refusal::VersionNotCovered => AccessError::NotCovered(self.window(release.channel)),
        })
    }

    fn window(&self, followed: Channel) -> Window {
        let last = self.last_entitled(followed);
        Window {
            license: self.holding.license.id.clone(),
            updates_until: self.facts.updates_until,
            last_entitled_version: last.map(|(_, release)| release.version.clone()),
        }
    }

    /// Whether somebody with a longer window would see a higher version on this channel.
    pub fn misses_newer(&self, followed: Channel) -> bool {
        let covered = self.last_entitled(followed).map(|(version, _)| version);
        let open = LicenseFacts {
            updates_until: None,
            ..self.facts
        };
        self.releases.iter().any(|(version, release)| {
            debug_assert_eq!(release.status, ReleaseStatus::Published);
            followed.admits(release.channel)
                && listed(&release.facts(), &open)
                && covered.is_none_or(|covered| version > covered)
        })
    }
}
