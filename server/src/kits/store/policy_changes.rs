//! What changes a policy, and the versions of its terms.

use diesel::prelude::*;

use super::policies::{Policy, TermsVersion, kits_of_terms};
use crate::db::schema::{policies, terms};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::{KitId, PolicyId, TermsId};

/// Locks a policy for the rest of the unit of work.
pub fn lock_policy(tx: &mut WriteTx<'_>, id: &PolicyId) -> Result<bool, DbError> {
    let locked = diesel::update(policies::table.find(id))
        .set(policies::version.eq(policies::version + 1))
        .execute(tx.conn())?;
    Ok(locked == 1)
}

/// Writes what may change of a policy itself.
pub fn update_policy(tx: &mut WriteTx<'_>, policy: &Policy) -> Result<(), DbError> {
    diesel::update(policies::table.find(&policy.id))
        .set((
            policies::name.eq(&policy.name),
            policies::renew_url.eq(&policy.renew_url),
            policies::terms_number.eq(policy.terms_number),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Versions of a policy's terms with the kits they list, the first first, after a number.
pub fn list_versions(
    conn: &mut AnyConn,
    policy: &PolicyId,
    after: i32,
    limit: i64,
) -> Result<Vec<(TermsVersion, Vec<KitId>)>, DbError> {
    let versions: Vec<TermsVersion> = terms::table
        .filter(terms::policy_id.eq(policy))
        .filter(terms::number.gt(after))
        .order(terms::number)
        .limit(limit)
        .select(TermsVersion::as_select())
        .load(conn)?;
    let ids: Vec<TermsId> = versions.iter().map(|version| version.id.clone()).collect();
    let listed = kits_of_terms(conn, &ids)?;
    let with_kits = |version: TermsVersion| {
        let own = listed.iter().filter(|(id, _)| *id == version.id);
        let kits = own.map(|(_, kit)| kit.clone()).collect();
        (version, kits)
    };
    Ok(versions.into_iter().map(with_kits).collect())
}
