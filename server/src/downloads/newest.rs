//! The newest version each license may have, at a glance.

use std::collections::BTreeMap;

use semver::Version;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::kits::model::{KitId, Scope};
use crate::licenses;
use crate::licenses::model::LicenseId;
use crate::licenses::store::Holding;
use crate::releases::model::{Channel, LicenseFacts, listed};
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
            let kits = if all {
                store::published_kits(conn)?
            } else {
                pairs.iter().map(|(_, kit)| kit.clone()).collect()
            };
            let releases = store::published(conn, &kits)?;
            let one = |holding: &Holding| {
                let id = holding.license.id.clone();
                let covers = |kit: &KitId| match holding.terms.scope {
                    Scope::All => true,
                    Scope::Kits => pairs.iter().any(|(own, it)| *own == id && it == kit),
                };
                let found = of_license(holding, &releases, covers, now);
                (id.clone(), found)
            };
            Ok(holdings.iter().map(one).collect())
        })
        .await
}

fn of_license(
    holding: &Holding,
    releases: &[(Version, Release)],
    covers: impl Fn(&KitId) -> bool,
    now: Timestamp,
) -> Vec<Newest> {
    let facts = LicenseFacts::new(&holding.standing(true), now);
    let mut kits: BTreeMap<&KitId, Option<String>> = BTreeMap::new();
    // The highest version comes first.
    for (_, release) in releases.iter().filter(|(_, it)| covers(&it.kit_id)) {
        let newest = kits.entry(&release.kit_id).or_default();
        let fits = Channel::Stable.admits(release.channel) && listed(&release.facts(), &facts);
        if newest.is_none() && fits {
            *newest = Some(release.version.clone());
        }
    }
    let entry = |(kit, version): (&KitId, Option<String>)| Newest {
        kit: kit.clone(),
        version,
    };
    kits.into_iter().map(entry).collect()
}
