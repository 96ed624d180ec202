//! Everything some licenses open, and what they do not, for people.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;

use super::authorize::Renewal;
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
    licenses: Vec<Candidate>,
}

/// A release, its files, and who opens it.
#[derive(Debug, Clone)]
pub struct ReleaseListing {
    /// The release.
    pub release: Release,
    /// Its files, by name.
    pub artifacts: Vec<Artifact>,
    /// A license that may download it.
    pub opened_by: Option<Arc<Holding>>,
    /// Why none may.
    pub refusal: Option<Blocked>,
}

/// Why a release is not opened, and what would open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Why.
    pub refusal: Refusal,
    /// Where the license that comes closest is renewed.
    pub renewal: Renewal,
    /// That license.
    pub license: LicenseId,
}

/// A license towards one kit.
#[derive(Debug, Clone)]
struct Candidate {
    holding: Arc<Holding>,
    facts: LicenseFacts,
    renewal: Renewal,
}

impl KitListing {
    /// The first license that may download both of two releases of the kit.
    pub fn opener_of_both(&self, one: &Release, other: &Release) -> Option<&Holding> {
        let mut licenses = self.licenses.iter();
        let found = licenses.find(|license| license.opens(one) && license.opens(other));
        found.map(|license| license.holding.as_ref())
    }
}

impl Candidate {
    fn opens(&self, release: &Release) -> bool {
        downloadable(&release.facts(), &self.facts).is_ok()
    }
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
            let renewals = renewals(conn, &covering)?;
            let one = |kit: Kit| {
                let holdings = covering.get(&kit.id).map_or(&[][..], Vec::as_slice);
                let all = holdings.iter().map(|holding| {
                    let own = granted.get(&holding.license.id);
                    let side = KitSide {
                        kit: &kit,
                        releases: &releases,
                        granted: own.map_or(&[][..], Vec::as_slice),
                    };
                    let id = &holding.license.id;
                    let renewal = renewals.get(id).cloned();
                    Candidate {
                        holding: Arc::clone(holding),
                        facts: rights(holding, side, now),
                        renewal: renewal.unwrap_or_else(|| Renewal::OwnPage(id.clone())),
                    }
                });
                let licenses: Vec<Candidate> = all.collect();
                let releases = of_kit(&kit, &releases, &artifacts, &licenses);
                KitListing {
                    kit,
                    releases,
                    licenses,
                }
            };
            Ok(kits.into_iter().map(one).collect())
        })
        .await
}

/// Licenses by the kits that they cover.
type Covering = BTreeMap<KitId, Vec<Arc<Holding>>>;

/// Which licenses cover which kit.
fn covering(conn: &mut AnyConn, holdings: Vec<Holding>) -> Result<Covering, DbError> {
    let mut covering = Covering::new();
    for holding in holdings.into_iter().map(Arc::new) {
        let kits = match holding.terms.scope {
            Scope::All => store::published_kits(conn)?,
            Scope::Kits => licenses::store::kits_of(conn, &holding.license)?,
        };
        for kit in kits {
            covering.entry(kit).or_default().push(Arc::clone(&holding));
        }
    }
    Ok(covering)
}

/// What was granted to these licenses.
fn grants(
    conn: &mut AnyConn,
    covering: &Covering,
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

/// Where these licenses are renewed.
fn renewals(
    conn: &mut AnyConn,
    covering: &Covering,
) -> Result<BTreeMap<LicenseId, Renewal>, DbError> {
    let mut renewals = BTreeMap::new();
    for holding in covering.values().flatten() {
        let license = &holding.license;
        if !renewals.contains_key(&license.id) {
            let elsewhere = kits::store::renew_url_of(conn, &license.policy_id)?;
            let renewal = elsewhere.map(Renewal::Elsewhere);
            let renewal = renewal.unwrap_or_else(|| Renewal::OwnPage(license.id.clone()));
            renewals.insert(license.id.clone(), renewal);
        }
    }
    Ok(renewals)
}

fn of_kit(
    kit: &Kit,
    releases: &[(Version, Release)],
    artifacts: &[Artifact],
    licenses: &[Candidate],
) -> Vec<ReleaseListing> {
    let shown = |release: &&Release| {
        release.kit_id == kit.id && release.yanked_at.is_none() && release.withdrawn_at.is_none()
    };
    let one = |release: &Release| {
        let (opened_by, refusal) = decide(release, licenses);
        let own = artifacts
            .iter()
            .filter(|file| file.release_id == release.id);
        ReleaseListing {
            release: release.clone(),
            artifacts: own.cloned().collect(),
            opened_by,
            refusal,
        }
    };
    let rows = releases.iter().map(|(_, release)| release);
    rows.filter(shown).map(one).collect()
}

/// The first license that opens it; else the reason that is easiest to do something about.
fn decide(release: &Release, licenses: &[Candidate]) -> (Option<Arc<Holding>>, Option<Blocked>) {
    let mut reason: Option<Blocked> = None;
    for candidate in licenses {
        let refusal = match downloadable(&release.facts(), &candidate.facts) {
            Ok(()) => return (Some(Arc::clone(&candidate.holding)), None),
            Err(refusal) => refusal,
        };
        if refusal == Refusal::VersionNotCovered || reason.is_none() {
            reason = Some(Blocked {
                refusal,
                renewal: candidate.renewal.clone(),
                license: candidate.holding.license.id.clone(),
            });
        }
    }
    (None, reason)
}
