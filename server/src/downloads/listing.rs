//! Everything some licenses open, and what they do not, for people.

use std::collections::BTreeMap;

use semver::Version;

use crate::app::App;
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::kits::model::{KitId, Scope};
use crate::kits::store::Kit;
use crate::licenses;
use crate::licenses::model::LicenseId;
use crate::licenses::store::Holding;
use crate::releases::model::{LicenseFacts, Refusal, ReleaseId, downloadable};
use crate::releases::rights::{KitSide, rights};
use crate::releases::store::{self, Artifact, Release};

/// A kit and its releases.
#[derive(Debug, Clone)]
pub struct KitListing {
    /// The kit.
    pub kit: Kit,
    /// Published releases that are neither yanked nor withdrawn, the highest version first; those
    /// that no license opens carry the reason.
    pub releases: Vec<ReleaseListing>,
}

/// A release, its files, and who opens it.
#[derive(Debug, Clone)]
pub struct ReleaseListing {
    /// The release.
    pub release: Release,
    /// Its files, by name.
    pub artifacts: Vec<Artifact>,
    /// A license that may download it.
    pub license: Option<LicenseId>,
    /// Why none may.
    pub refusal: Option<Refusal>,
}

/// What these licenses cover: the kits they name, and for those that cover all, every kit with a
/// release. By name of the kit.
pub async fn listing(app: &App, holdings: Vec<Holding>) -> Result<Vec<KitListing>, DbError> {
    let now = app.clock.now();
    app.db
        .read_slow(move |conn| {
            let covering = covering(conn, holdings)?;
            let ids: Vec<KitId> = covering.keys().cloned().collect();
            let kits = kits::store::kits_by_ids(conn, &ids)?;
            let releases = store::published(conn, &ids)?;
            let release_ids: Vec<ReleaseId> =
                releases.iter().map(|(_, row)| row.id.clone()).collect();
            let artifacts = store::artifacts_of(conn, &release_ids)?;
            let granted = grants(conn, &covering)?;
            let one = |kit: Kit| {
                let holdings = covering.get(&kit.id).map_or(&[][..], Vec::as_slice);
                let all = holdings.iter().map(|holding| {
                    let own = granted.get(&holding.license.id);
                    let side = KitSide {
                        kit: &kit,
                        releases: &releases,
                        granted: own.map_or(&[][..], Vec::as_slice),
                    };
                    (holding.license.id.clone(), rights(holding, side, now))
                });
                let licenses: Vec<(LicenseId, LicenseFacts)> = all.collect();
                let releases = of_kit(&kit, &releases, &artifacts, &licenses);
                KitListing { kit, releases }
            };
            Ok(kits.into_iter().map(one).collect())
        })
        .await
}

/// Which licenses cover which kit.
fn covering(
    conn: &mut AnyConn,
    holdings: Vec<Holding>,
) -> Result<BTreeMap<KitId, Vec<Holding>>, DbError> {
    let mut covering: BTreeMap<KitId, Vec<Holding>> = BTreeMap::new();
    for holding in holdings {
        let kits = match holding.terms.scope {
            Scope::All => store::published_kits(conn)?,
            Scope::Kits => licenses::store::kits_of(conn, &holding.license)?,
        };
        for kit in kits {
            covering.entry(kit).or_default().push(holding.clone());
        }
    }
    Ok(covering)
}

/// What was granted to these licenses.
fn grants(
    conn: &mut AnyConn,
    covering: &BTreeMap<KitId, Vec<Holding>>,
) -> Result<BTreeMap<LicenseId, Vec<ReleaseId>>, DbError> {
    let holdings = covering.values().flatten();
    let mut ids: Vec<LicenseId> = holdings.map(|it| it.license.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut granted: BTreeMap<LicenseId, Vec<ReleaseId>> = BTreeMap::new();
    for (license, release) in store::grants_of_licenses(conn, &ids)? {
        granted.entry(license).or_default().push(release);
    }
    Ok(granted)
}

fn of_kit(
    kit: &Kit,
    releases: &[(Version, Release)],
    artifacts: &[Artifact],
    licenses: &[(LicenseId, LicenseFacts)],
) -> Vec<ReleaseListing> {
    let shown = |release: &&Release| {
        release.kit_id == kit.id && release.yanked_at.is_none() && release.withdrawn_at.is_none()
    };
    let one = |release: &Release| {
        let (license, refusal) = decide(release, licenses);
        let own = artifacts
            .iter()
            .filter(|file| file.release_id == release.id);
        ReleaseListing {
            release: release.clone(),
            artifacts: own.cloned().collect(),
            license,
            refusal,
        }
    };
    let rows = releases.iter().map(|(_, release)| release);
    rows.filter(shown).map(one).collect()
}

/// The first license that opens it; else the reason that is easiest to do something about.
fn decide(
    release: &Release,
    licenses: &[(LicenseId, LicenseFacts)],
) -> (Option<LicenseId>, Option<Refusal>) {
    let mut reason = None;
    for (license, facts) in licenses {
        match downloadable(&release.facts(), facts) {
            Ok(()) => return (Some(license.clone()), None),
            Err(refusal @ Refusal::VersionNotCovered) => reason = Some(refusal),
            Err(refusal) => reason = reason.or(Some(refusal)),
        }
    }
    (None, reason)
}
