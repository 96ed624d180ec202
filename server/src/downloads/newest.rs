//! The newest version each license may have, at a glance.

use std::collections::BTreeMap;

use semver::Version;

use crate::app::App;
use crate::db::DbError;
use crate::kits;
use crate::kits::model::{KitId, Scope};
use crate::kits::store::Kit;
use crate::licenses;
use crate::licenses::model::LicenseId;
use crate::licenses::store::Holding;
use crate::releases::model::{Channel, LicenseFacts, ReleaseId, listed};
use crate::releases::rights::{KitSide, rights};
use crate::releases::store::{self, Release};

/// What a license opens of one kit that has releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The kit.
    pub kit: KitId,
    /// Its highest stable version that the license may have.
    pub version: Option<String>,
}

/// For each license, the kits it covers that have releases. One snapshot, few queries, however
/// many licenses there are.
pub async fn newest(
    app: &App,
    holdings: Vec<Holding>,
) -> Result<BTreeMap<LicenseId, Vec<Newest>>, DbError> {
    let now = app.clock.now();
    app.db
        .read_slow(move |conn| {
            let pairs = licenses::store::kits_of_all(conn, &holdings)?;
            let all = holdings.iter().any(|it| it.terms.scope == Scope::All);
            let ids = if all {
                store::published_kits(conn)?
            } else {
                pairs.iter().map(|(_, kit)| kit.clone()).collect()
            };
            let kits = kits::store::kits_by_ids(conn, &ids)?;
            let releases = store::published(conn, &ids)?;
            let licenses: Vec<LicenseId> =
                holdings.iter().map(|it| it.license.id.clone()).collect();
            let granted = store::grants_of_licenses(conn, &licenses)?;
            let one = |holding: &Holding| {
                let id = holding.license.id.clone();
                let covers = |kit: &&Kit| match holding.terms.scope {
                    Scope::All => true,
                    Scope::Kits => pairs.iter().any(|(own, it)| *own == id && *it == kit.id),
                };
                let own = granted.iter().filter(|(license, _)| *license == id);
                let granted: Vec<ReleaseId> = own.map(|(_, release)| release.clone()).collect();
                let of_kit = |kit: &Kit| {
                    let side = KitSide {
                        kit,
                        releases: &releases,
                        granted: &granted,
                    };
                    of_kit(side, &rights(holding, side, now))
                };
                let found = kits.iter().filter(covers).filter_map(of_kit).collect();
                (id.clone(), found)
            };
            Ok(holdings.iter().map(one).collect())
        })
        .await
}

/// `None` where the kit has no releases.
fn of_kit(side: KitSide<'_>, facts: &LicenseFacts) -> Option<Newest> {
    let is_own = |(_, release): &&(Version, Release)| release.kit_id == side.kit.id;
    side.releases.iter().find(is_own)?;
    let fits = |(_, release): &&(Version, Release)| {
        Channel::Stable.admits(release.channel) && listed(&release.facts(), facts)
    };
    // The highest version comes first.
    let mut own = side.releases.iter().filter(is_own);
    let version = own.find(fits).map(|(_, release)| release.version.clone());
    let kit = side.kit.id.clone();
    Some(Newest { kit, version })
}
