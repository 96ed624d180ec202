//! Queries on `policies`, `terms` and `terms_kits`.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::db::schema::{policies, terms, terms_kits};
use crate::db::types::WordList;
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::{
    Basis, KitId, LicenseTextId, OnLapse, PolicyId, Scope, SeatKind, TermsId, described,
    has_control,
};

/// What a policy grants.
#[derive(
    Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Queryable, Selectable, Insertable,
)]
#[diesel(table_name = terms)]
#[serde(deny_unknown_fields, default)]
#[schema(default)]
pub struct Terms {
    /// Buyer-facing name: "Personal", "Team".
    #[schema(min_length = 1, max_length = 60, example = "Personal")]
    pub edition: String,
    /// The license text that holds; `None` = none.
    pub license_text_id: Option<LicenseTextId>,
    /// Which kits.
    pub scope: Scope,
    /// What occupies a seat.
    pub seat_kind: SeatKind,
    /// How many seats; `None` = unlimited.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub seat_limit: Option<i32>,
    /// Seconds for which a floating seat is held without heartbeat; `None` = held until freed.
    #[schema(minimum = 60, maximum = 2_678_400)]
    pub lease_seconds: Option<i32>,
    /// Seats beyond the limit that are let in; at most one kind of overage.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub overage_seats: Option<i32>,
    /// The same in percent of the limit.
    #[schema(minimum = 1, maximum = 1000)]
    pub overage_percent: Option<i32>,
    /// How many seats the customer may free in `churn_days`; `None` = any number.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub churn_seats: Option<i32>,
    /// Days over which freed seats are counted.
    #[schema(minimum = 1, maximum = 36_500)]
    pub churn_days: Option<i32>,
    /// Days unseen after which a seat is freed; `None` = never.
    #[schema(minimum = 1, maximum = 36_500)]
    pub free_unseen_days: Option<i32>,
    /// Sites that use no seat, beside local ones: host names, `*.` in front for all below.
    #[schema(schema_with = described::staging_hosts)]
    pub staging_hosts: WordList,
    /// Months of use; `None` (and no `valid_days`) = for ever.
    #[schema(minimum = 1, maximum = 1200)]
    pub valid_months: Option<i32>,
    /// Days of use.
    #[schema(minimum = 1, maximum = 36_500)]
    pub valid_days: Option<i32>,
    /// From when the durations count.
    pub basis: Basis,
    /// What is left when the subscription lapses.
    pub on_lapse: OnLapse,
    /// Paid months before anything is kept.
    #[schema(minimum = 0, maximum = 1200)]
    pub keep_after_paid_months: i32,
    /// Months of updates; `None` = for ever.
    #[schema(minimum = 1, maximum = 1200)]
    pub updates_months: Option<i32>,
    /// Days beyond the updates during which security releases are still covered.
    #[schema(minimum = 0, maximum = 3660)]
    pub security_grace_days: i32,
    /// Days of use beyond an unpaid end.
    #[schema(minimum = 0, maximum = 366)]
    pub grace_days: i32,
    /// Days a license file lives.
    #[schema(minimum = 1, maximum = 366)]
    pub license_file_days: i32,
    /// Most days a license file for a machine that is never online may live; `None` = no such files.
    #[schema(minimum = 1, maximum = 3660)]
    pub offline_file_days: Option<i32>,
    /// Names of the features it includes.
    #[schema(schema_with = described::entitlements)]
    pub entitlements: WordList,
    /// Whether CI tokens may be made.
    pub ci_use: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            edition: String::new(),
            license_text_id: None,
            scope: Scope::Kits,
            seat_kind: SeatKind::None,
            seat_limit: None,
            lease_seconds: None,
            overage_seats: None,
            overage_percent: None,
            churn_seats: None,
            churn_days: None,
            free_unseen_days: None,
            staging_hosts: WordList::default(),
            valid_months: None,
            valid_days: None,
            basis: Basis::Issue,
            on_lapse: OnLapse::Keep,
            keep_after_paid_months: 0,
            updates_months: None,
            security_grace_days: 0,
            grace_days: 0,
            license_file_days: 14,
            offline_file_days: None,
            entitlements: WordList::default(),
            ci_use: true,
        }
    }
}

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
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(terms_kits::table
        .filter(terms_kits::terms_id.eq_any(ids.to_vec()))
        .order((terms_kits::terms_id, terms_kits::kit_id))
        .select((terms_kits::terms_id, terms_kits::kit_id))
        .load(conn)?)
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
