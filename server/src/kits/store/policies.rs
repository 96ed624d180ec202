//! Queries on `policies`, `terms` and `terms_kits`.

mod terms_columns;

use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::db::schema::{policies, terms, terms_kits};
use crate::db::{AnyConn, DbError, WriteTx, in_slices};
use crate::kits::model::{KitId, PolicyId, TermsId, has_control};

pub use terms_columns::Terms;

/// One version of a policy's terms. Its row never changes.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = terms)]
pub struct TermsVersion {
    /// Its id.
    pub id: TermsId,
    /// The policy.
    pub policy_id: PolicyId,
    /// 1 for the first.
    pub number: i32,
    /// What it grants.
    #[diesel(embed)]
    pub terms: Terms,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A policy as stored.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, Serialize, ToSchema, PartialEq, Eq)]
#[diesel(table_name = policies)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Name among the vendor's policies.
    pub name: String,
    /// Number of its present terms.
    pub terms_number: i32,
    /// Where its licenses are renewed; `None` = on their own pages.
    pub renew_url: Option<String>,
    /// The template it was made from.
    pub template: Option<String>,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A policy, its present terms and the kits they list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyTerms {
    /// The policy.
    pub policy: Policy,
    /// Its present terms.
    pub version: TermsVersion,
    /// Kits they list; none where the scope is `all`.
    pub kits: Vec<KitId>,
}

impl PolicyTerms {
    /// What it grants.
    pub fn terms(&self) -> &Terms {
        &self.version.terms
    }
}

/// Adds a policy with its first terms.
pub fn insert_policy(tx: &mut WriteTx<'_>, added: &PolicyTerms) -> Result<(), DbError> {
    diesel::insert_into(policies::table)
        .values(&added.policy)
        .execute(tx.conn())?;
    insert_terms(tx, &added.version, &added.kits)
}

/// Adds a version of a policy's terms.
pub fn insert_terms(
    tx: &mut WriteTx<'_>,
    version: &TermsVersion,
    kits: &[KitId],
) -> Result<(), DbError> {
    diesel::insert_into(terms::table)
        .values(version)
        .execute(tx.conn())?;
    for kit in kits {
        diesel::insert_into(terms_kits::table)
            .values((
                terms_kits::terms_id.eq(&version.id),
                terms_kits::kit_id.eq(kit),
            ))
            .execute(tx.conn())?;
    }
    Ok(())
}

type PolicyRow = (Policy, TermsVersion);

/// Policies with their present terms.
macro_rules! present_terms {
    () => {
        policies::table
            .inner_join(
                terms::table.on(terms::policy_id
                    .eq(policies::id)
                    .and(terms::number.eq(policies::terms_number))),
            )
            .select((Policy::as_select(), TermsVersion::as_select()))
    };
}

/// The policy with this id.
pub fn find_policy(conn: &mut AnyConn, id: &PolicyId) -> Result<Option<PolicyTerms>, DbError> {
    let row: Option<PolicyRow> = present_terms!()
        .filter(policies::id.eq(id))
        .get_result(conn)
        .optional()?;
    Ok(with_kits(conn, row.into_iter().collect())?.pop())
}

/// Where licenses of a policy are renewed.
pub fn renew_url_of(conn: &mut AnyConn, id: &PolicyId) -> Result<Option<String>, DbError> {
    let url = policies::table.find(id).select(policies::renew_url);
    Ok(url.get_result(conn).optional()?.flatten())
}

/// The policy with this name.
pub fn find_policy_by_name(conn: &mut AnyConn, name: &str) -> Result<Option<PolicyTerms>, DbError> {
    // PostgreSQL takes no NUL in a text; no name has one.
    if has_control(name) {
        return Ok(None);
    }
    let row: Option<PolicyRow> = present_terms!()
        .filter(policies::name.eq(name))
        .get_result(conn)
        .optional()?;
    Ok(with_kits(conn, row.into_iter().collect())?.pop())
}

/// The policy with this id or name.
pub fn find_policy_named(conn: &mut AnyConn, text: &str) -> Result<Option<PolicyTerms>, DbError> {
    match PolicyId::parse(text) {
        Some(id) => find_policy(conn, &id),
        None => find_policy_by_name(conn, text),
    }
}

/// Policies in the order of their creation, after a cursor.
pub fn list_policies(
    conn: &mut AnyConn,
    after: &str,
    limit: i64,
) -> Result<Vec<PolicyTerms>, DbError> {
    let rows: Vec<PolicyRow> = present_terms!()
        .filter(policies::id.gt(after.to_owned()))
        .order(policies::id)
        .limit(limit)
        .load(conn)?;
    with_kits(conn, rows)
}

/// One query more, however many policies there are.
fn with_kits(conn: &mut AnyConn, rows: Vec<PolicyRow>) -> Result<Vec<PolicyTerms>, DbError> {
    let ids: Vec<TermsId> = rows.iter().map(|(_, version)| version.id.clone()).collect();
    let listed = kits_of_terms(conn, &ids)?;
    let whole = |(policy, version): PolicyRow| {
        let own = listed.iter().filter(|(id, _)| *id == version.id);
        let kits = own.map(|(_, kit)| kit.clone()).collect();
        PolicyTerms {
            policy,
            version,
            kits,
        }
    };
    Ok(rows.into_iter().map(whole).collect())
}

/// Which kits each of these terms lists, in pairs.
pub fn kits_of_terms(
    conn: &mut AnyConn,
    ids: &[TermsId],
) -> Result<Vec<(TermsId, KitId)>, DbError> {
    let mut listed: Vec<(TermsId, KitId)> = in_slices(ids, |ids| {
        Ok(terms_kits::table
            .filter(terms_kits::terms_id.eq_any(ids.to_vec()))
            .select((terms_kits::terms_id, terms_kits::kit_id))
            .load(conn)?)
    })?;
    listed.sort();
    Ok(listed)
}

/// Whether terms list a kit.
pub fn terms_list(conn: &mut AnyConn, id: &TermsId, kit: &KitId) -> Result<bool, DbError> {
    let listed = terms_kits::table.find((id, kit)).select(terms_kits::kit_id);
    Ok(listed.get_result::<KitId>(conn).optional()?.is_some())
}

/// A version of terms.
pub fn find_terms(conn: &mut AnyConn, id: &TermsId) -> Result<Option<TermsVersion>, DbError> {
    Ok(terms::table
        .find(id)
        .select(TermsVersion::as_select())
        .get_result(conn)
        .optional()?)
}
