//! What a license brings to the predicate for one kit, made of what is stored.

use semver::Version;

use super::model::{LicenseFacts, ReleaseId};
use super::store::Release;
use crate::clock::Timestamp;
use crate::kits::store::Kit;
use crate::licenses::store::Holding;

/// The kit's side: the kit, all of its published releases, and those that were granted to the
/// license. Releases of other kits among them do no harm.
#[derive(Debug, Clone, Copy)]
pub struct KitSide<'a> {
    /// The kit.
    pub kit: &'a Kit,
    /// Published releases.
    pub releases: &'a [(Version, Release)],
    /// What was granted to the license.
    pub granted: &'a [ReleaseId],
}

/// What the predicate looks at in a license that covers the kit. An open kit is everybody's, so that
/// no license has less of it than who shows none.
pub fn rights(holding: &Holding, side: KitSide<'_>, now: Timestamp) -> LicenseFacts {
    let mut facts = LicenseFacts::new(&holding.standing(true), now);
    facts.entitlements = holding.entitlements();
    if side.kit.is_open {
        return facts.without_end();
    }
    facts.granted = side.granted.to_vec();
    let own = side.releases.iter().map(|(_, release)| release);
    let own = own.filter(|release| release.kit_id == side.kit.id);
    facts.with_security_grace(holding.terms.security_grace_days, own.map(Release::facts))
}
