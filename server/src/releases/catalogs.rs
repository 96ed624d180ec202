//! Catalogs of kits this process has seen: a kit, its published releases, their files. The database
//! counts every change of them in the transaction that makes it; who reads that count knows whether
//! what was seen still holds. So nothing has to be taken out, on any number of processes. Where what is
//! said may be a minute late, a catalog that was looked at within the last minute is taken as it was.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use semver::Version;

use super::model::ReleaseId;
use super::store::{self, Artifact, Release};
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits::model::KitId;
use crate::kits::store::Kit;

/// What a kit has to give.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// The kit.
    pub kit: Arc<Kit>,
    /// Published releases, the highest version first.
    pub releases: Arc<Vec<(Version, Release)>>,
    /// Their files, by name.
    pub artifacts: Arc<Vec<Artifact>>,
}

impl Catalog {
    /// Reads it.
    fn load(conn: &mut AnyConn, kit: Kit) -> Result<Self, DbError> {
        let mut catalog = Self::without_files(conn, kit)?;
        let releases = catalog.releases.iter();
        let ids: Vec<ReleaseId> = releases.map(|(_, release)| release.id.clone()).collect();
        catalog.artifacts = Arc::new(store::artifacts_of(conn, &ids)?);
        Ok(catalog)
    }

    /// Reads it but for the files.
    pub fn without_files(conn: &mut AnyConn, kit: Kit) -> Result<Self, DbError> {
        let releases = store::published(conn, std::slice::from_ref(&kit.id))?;
        Ok(Self {
            kit: Arc::new(kit),
            releases: Arc::new(releases),
            artifacts: Arc::default(),
        })
    }
}

/// Seconds for which a catalog may be taken without a look into the database.
const LATELY_SECONDS: i64 = 60;

/// The newest seen catalog of each kit.
#[derive(Debug, Default)]
pub struct CatalogsSeen {
    /// With the number of its last change.
    by_change: ArcSwap<HashMap<KitId, (i64, Catalog)>>,
    /// By the kit's slug, with the moment of the look.
    lately: ArcSwap<HashMap<String, (Timestamp, Catalog)>>,
}

impl CatalogsSeen {
    /// The catalog of a kit at a change, if that is the one that was seen.
    pub fn get(&self, kit: &KitId, version: i64) -> Option<Catalog> {
        let seen = self.by_change.load();
        let (_, catalog) = seen.get(kit).filter(|(known, _)| *known == version)?;
        Some(catalog.clone())
    }

    /// The catalog of a kit, inside a snapshot. Never inside a unit of work: what that has not
    /// committed is nobody's yet.
    pub fn read(&self, conn: &mut AnyConn, kit: Kit) -> Result<Catalog, DbError> {
        let version = store::catalog_version(conn, &kit.id)?;
        if let Some(known) = self.get(&kit.id, version) {
            return Ok(known);
        }
        let catalog = Catalog::load(conn, kit)?;
        self.keep(version, &catalog);
        Ok(catalog)
    }

    /// The catalog of the kit with a slug, if it was looked at within the last minute.
    pub fn lately(&self, slug: &str, now: Timestamp) -> Option<Catalog> {
        let seen = self.lately.load();
        let (looked_at, catalog) = seen.get(slug)?;
        let is_fresh = *looked_at <= now && now < looked_at.plus_seconds(LATELY_SECONDS);
        is_fresh.then(|| catalog.clone())
    }

    /// Reads the catalog of a kit, inside a snapshot, for everybody who asks within a minute.
    pub fn look(&self, conn: &mut AnyConn, kit: Kit, now: Timestamp) -> Result<Catalog, DbError> {
        let catalog = self.read(conn, kit)?;
        self.lately.rcu(|seen| {
            let mut seen = HashMap::clone(seen);
            seen.insert(catalog.kit.slug.clone(), (now, catalog.clone()));
            seen
        });
        Ok(catalog)
    }

    fn keep(&self, version: i64, catalog: &Catalog) {
        self.by_change.rcu(|seen| {
            let mut seen = HashMap::clone(seen);
            let known = seen.get(&catalog.kit.id);
            // A slower reader may come with an older one, which costs a look more; but a database that was
            // restored counts from further back.
            if known.is_none_or(|(known, _)| *known != version) {
                seen.insert(catalog.kit.id.clone(), (version, catalog.clone()));
            }
            seen
        });
    }
}
