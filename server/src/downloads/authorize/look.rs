//! What a license, or anybody, has of a kit.

use super::{Access, AccessError};
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits::store::{Kit, renew_url_of};
use crate::licenses::model::VerdictCode;
use crate::licenses::store::{Holding, covers};
use crate::releases::catalogs::Catalog;
use crate::releases::model::{LicenseFacts, ReleaseId};
use crate::releases::rights::{KitSide, rights};
use crate::releases::store::grants_of_license;

/// Looks at a license and a kit, whose catalog is read where the license covers it.
pub(super) fn look(
    conn: &mut AnyConn,
    holding: Option<Holding>,
    kit: Option<Kit>,
    now: Timestamp,
    catalog: impl FnOnce(&mut AnyConn, Kit) -> Result<Catalog, DbError>,
) -> Result<Access, AccessError> {
    let is_covered = match (&holding, &kit) {
        (Some(holding), Some(kit)) => covers(conn, holding, &kit.id)?,
        _ => false,
    };
    match (holding, kit) {
        (Some(holding), Some(kit)) if is_covered => {
            let granted = grants_of_license(conn, &holding.license.id)?;
            let renew_url = renew_url_of(conn, &holding.license.policy_id)?;
            of_license(holding, catalog(conn, kit)?, &granted, renew_url, now)
        }
        (_, Some(kit)) if kit.is_open => Ok(of_anybody(catalog(conn, kit)?)),
        (None, _) => Err(AccessError::KeyMissing),
        (Some(holding), _) => {
            let refusal = holding.standing(false).refusal(now);
            let refusal = refusal.unwrap_or(VerdictCode::KitMismatch);
            Err(AccessError::of_license(Some(&holding), refusal))
        }
    }
}

fn of_anybody(catalog: Catalog) -> Access {
    Access {
        holding: None,
        kit: catalog.kit,
        facts: LicenseFacts::anybody(),
        releases: catalog.releases,
        artifacts: catalog.artifacts,
        policy_renew_url: None,
    }
}

/// What a license that covers the kit has of it.
pub(super) fn of_license(
    holding: Holding,
    catalog: Catalog,
    granted: &[ReleaseId],
    renew_url: Option<String>,
    now: Timestamp,
) -> Result<Access, AccessError> {
    if let Some(code) = holding.standing(true).refusal(now) {
        return Err(AccessError::of_license(Some(&holding), code));
    }
    let side = KitSide {
        kit: &catalog.kit,
        releases: &catalog.releases,
        granted,
    };
    let facts = rights(&holding, side, now);
    let policy_renew_url = renew_url.filter(|_| facts.updates_until.is_some());
    Ok(Access {
        holding: Some(holding),
        kit: catalog.kit,
        facts,
        releases: catalog.releases,
        artifacts: catalog.artifacts,
        policy_renew_url,
    })
}
