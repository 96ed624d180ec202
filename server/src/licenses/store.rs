//! Queries on `licenses`, `license_keys` and `license_holds`.

mod changes;
mod filter;
mod glance;
mod held;
mod holds;
mod hot;
mod keys;
mod lists;
mod notes;
mod terms_changes;

use std::sync::Arc;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::keys::Digests;
use super::model::{BaseState, LicenseId, LicenseKeyId, Standing};
use super::tokens::model::Via;
use crate::clock::Timestamp;
use crate::customers::model::{CustomerId, OrderItemId};
use crate::db::schema::{license_holds, license_keys, licenses, order_items, terms};
use crate::db::types::WordList;
use crate::db::{AnyConn, DbError, in_slices};
use crate::kits::model::{KitId, PolicyId, Scope, TermsId};
use crate::kits::store::{Terms, kits_of_terms, terms_list};

pub use changes::{
    claim_seat, end_over_limit, hold_for, hold_owner, insert, lock, lock_for_edit, release_seats,
    start_clock, update,
};
pub use filter::{Filter, Present};
pub use glance::{Glance, Sought, glance};
pub use held::{HeldRow, KeyTypes, LicenseColumns, held, held_columns};
pub use holds::{Hold, close_hold, find_hold, holds_of, insert_hold, reopen_hold};
pub use keys::{
    Derived, LicenseKeyRow, add_key, any_key_of, derived_from, end_keys, end_tokens, keys_of,
    lock_text, own_keys, present_key,
};
pub use lists::{find_any, list};
pub use notes::{Note, insert_note, notes_of};
pub use terms_changes::{put_terms, under_other_terms};

/// A license as stored.
#[derive(Debug, Clone, Queryable, Insertable, Selectable, PartialEq, Eq)]
#[diesel(table_name = licenses)]
pub struct License {
    /// Its id.
    pub id: LicenseId,
    /// Who owns it.
    pub customer_id: CustomerId,
    /// The policy its terms came from.
    pub policy_id: PolicyId,
    /// The terms it stands under; their row never changes.
    pub terms_id: TermsId,
    /// The order line it came from.
    pub order_item_id: Option<OrderItemId>,
    /// Position among the licenses of the same line and policy.
    pub ordinal: i32,
    /// How many seats; `None` = unlimited.
    pub seat_limit: Option<i32>,
    /// Limit plus overage; what the claim of a seat is checked against.
    pub seat_cap: Option<i32>,
    /// Seats taken.
    pub seats_used: i32,
    /// Base state.
    pub base_state: BaseState,
    /// In force from.
    pub starts_at: Timestamp,
    /// When it was first activated, where its durations count from then.
    pub first_activated_at: Option<Timestamp>,
    /// May be used until; `None` = for ever, or until the clock starts.
    pub valid_until: Option<Timestamp>,
    /// Releases up to then may be had; `None` = for ever.
    pub updates_until: Option<Timestamp>,
    /// Since when a payment is overdue.
    pub past_due_since: Option<Timestamp>,
    /// When its subscription ended or was paused.
    pub lapsed_at: Option<Timestamp>,
    /// Months paid for by its subscription so far.
    pub paid_months: i32,
    /// Until when seats beyond a lowered limit are kept.
    pub over_limit_until: Option<Timestamp>,
    /// The license it was folded into.
    pub merged_into: Option<LicenseId>,
    /// Names of features beside those of its terms.
    pub extra_entitlements: WordList,
    /// The vendor's own words about it: a JSON object of texts.
    pub metadata: String,
    /// Grows with every unit of work that locks it, seats and heartbeats included.
    pub version: i64,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it was given to its owner; `None` = it was issued to them.
    pub owned_since: Option<Timestamp>,
    /// Grows where staff, policies or payments change it: what an edit is checked against.
    pub revision: i64,
}

/// A license with what its standing rests on.
#[derive(Debug, Clone)]
pub struct Holding {
    /// The license.
    pub license: License,
    /// What it grants.
    pub terms: Arc<Terms>,
    /// The key it was found by, or its primary one.
    pub key_id: LicenseKeyId,
    /// Last six characters of that key, or of the token.
    pub key_hint: String,
    /// From when that key no longer counts.
    pub key_ends_at: Option<Timestamp>,
    /// The token it was found by, where it was one.
    pub via: Option<Via>,
    /// At least one open hold.
    pub suspended: bool,
    /// At least one open revocation.
    pub revoked: bool,
}

impl Holding {
    /// Its standing towards a kit it covers or not.
    pub fn standing(&self, covers_kit: bool) -> Standing {
        let (license, terms) = (&self.license, &self.terms);
        // A transfer is a fact, also where the moment of this call or this machine's clock is before it.
        let has_lost = self.is_shown_by_former_owner();
        let lost_at = self.key_ends_at.map(|end| end.min(license.created_at));
        Standing {
            covers_kit,
            key_ends_at: if has_lost { lost_at } else { self.key_ends_at },
            base_state: license.base_state,
            revoked: self.revoked,
            suspended: self.suspended,
            starts_at: license.starts_at,
            valid_until: license.valid_until,
            updates_until: license.updates_until,
            past_due_since: license.past_due_since,
            lapsed_at: license.lapsed_at,
            grace_days: terms.grace_days,
            keeps: terms.keeps_after(license.paid_months),
            seat_kind: terms.seat_kind,
        }
    }

    /// Whether the key it was found by ended when the license went to its present owner, or before:
    /// who shows it may have owned the license once, and is told nothing of it.
    pub fn is_shown_by_former_owner(&self) -> bool {
        let moments = self.key_ends_at.zip(self.license.owned_since);
        moments.is_some_and(|(key_ended, owned_since)| key_ended <= owned_since)
    }

    /// Names of its features, by name.
    pub fn entitlements(&self) -> Vec<String> {
        let extra = self.license.extra_entitlements.words();
        let mut all = [self.terms.entitlements.words(), extra].concat();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Id, last characters and end of a key.
pub type KeyColumns = (LicenseKeyId, String, Option<Timestamp>);
type HoldingRow = (License, KeyColumns, bool, bool, Terms);

fn holding((license, key, suspended, revoked, terms): HoldingRow) -> Holding {
    let (key_id, key_hint, key_ends_at) = key;
    Holding {
        license,
        terms: Arc::new(terms),
        key_id,
        key_hint,
        key_ends_at,
        via: None,
        suspended,
        revoked,
    }
}

/// The columns of a [`Holding`] but for its terms, and others behind them.
macro_rules! holding_columns {
    ($($more:expr),*) => {
        (
            License::as_select(),
            (
                license_keys::id,
                license_keys::key_hint,
                license_keys::honored_until,
            ),
            exists(
                license_holds::table
                    .filter(license_holds::license_id.eq(licenses::id))
                    .filter(license_holds::kind.eq("hold"))
                    .filter(license_holds::closed_at.is_null()),
            ),
            exists(
                license_holds::table
                    .filter(license_holds::license_id.eq(licenses::id))
                    .filter(license_holds::kind.eq("revocation"))
                    .filter(license_holds::closed_at.is_null()),
            ),
            $($more),*
        )
    };
}
use holding_columns;

/// Licenses with their keys and terms.
macro_rules! holdings {
    () => {
        license_keys::table
            .inner_join(licenses::table.inner_join(terms::table))
            .select(holding_columns!(Terms::as_select()))
    };
}

// For the files below this one.
use holdings;

/// The license a presented key stands for.
pub fn find_by_digests(conn: &mut AnyConn, lookup: &Digests) -> Result<Option<Holding>, DbError> {
    let row: Option<HoldingRow> = match lookup.all() {
        // The hot statement keeps one form.
        [digest] => holdings!()
            .filter(license_keys::lookup.eq(digest))
            .get_result(conn)
            .optional()?,
        several => holdings!()
            .filter(license_keys::lookup.eq_any(several.to_vec()))
            .order(license_keys::id)
            .get_result(conn)
            .optional()?,
    };
    Ok(row.map(holding))
}

/// The license of a key.
pub fn find_by_key_id(conn: &mut AnyConn, id: &LicenseKeyId) -> Result<Option<Holding>, DbError> {
    let row: Option<HoldingRow> = holdings!()
        .filter(license_keys::id.eq(id))
        .get_result(conn)
        .optional()?;
    Ok(row.map(holding))
}

/// A license with its primary key.
pub fn find(conn: &mut AnyConn, id: &LicenseId) -> Result<Option<Holding>, DbError> {
    let row: Option<HoldingRow> = holdings!()
        .filter(licenses::id.eq(id))
        .filter(license_keys::is_primary.eq(true))
        .get_result(conn)
        .optional()?;
    Ok(row.map(holding))
}

/// All licenses of these customers, newest first.
pub fn of_customers(conn: &mut AnyConn, customers: &[CustomerId]) -> Result<Vec<Holding>, DbError> {
    let rows: Vec<HoldingRow> = in_slices(customers, |customers| {
        Ok(holdings!()
            .filter(licenses::customer_id.eq_any(customers.to_vec()))
            .filter(license_keys::is_primary.eq(true))
            .load(conn)?)
    })?;
    let mut found: Vec<Holding> = rows.into_iter().map(holding).collect();
    found.sort_by(|a, b| b.license.id.cmp(&a.license.id));
    Ok(found)
}

/// The licenses of an order, in the order of their issue.
pub fn of_order(
    conn: &mut AnyConn,
    order: &crate::customers::model::OrderId,
) -> Result<Vec<Holding>, DbError> {
    let items: Vec<OrderItemId> = order_items::table
        .filter(order_items::order_id.eq(order))
        .select(order_items::id)
        .load(conn)?;
    let rows: Vec<HoldingRow> = holdings!()
        .filter(licenses::order_item_id.eq_any(items))
        .filter(license_keys::is_primary.eq(true))
        .order(licenses::id)
        .load(conn)?;
    Ok(rows.into_iter().map(holding).collect())
}

/// Kits a license lists (none where its scope is `all`).
pub fn kits_of(conn: &mut AnyConn, license: &License) -> Result<Vec<KitId>, DbError> {
    let listed = kits_of_terms(conn, std::slice::from_ref(&license.terms_id))?;
    Ok(listed.into_iter().map(|(_, kit)| kit).collect())
}

/// The same for several licenses, in pairs.
pub fn kits_of_all(
    conn: &mut AnyConn,
    holdings: &[Holding],
) -> Result<Vec<(LicenseId, KitId)>, DbError> {
    let mut ids: Vec<TermsId> = holdings
        .iter()
        .map(|it| it.license.terms_id.clone())
        .collect();
    ids.sort();
    ids.dedup();
    let listed = kits_of_terms(conn, &ids)?;
    let of_one = |holding: &Holding| {
        let (id, terms) = (&holding.license.id, &holding.license.terms_id);
        let own = listed.iter().filter(|(of, _)| of == terms);
        own.map(|(_, kit)| (id.clone(), kit.clone()))
            .collect::<Vec<_>>()
    };
    Ok(holdings.iter().flat_map(of_one).collect())
}

/// Whether a license covers a kit.
pub fn covers(conn: &mut AnyConn, holding: &Holding, kit: &KitId) -> Result<bool, DbError> {
    if holding.terms.scope == Scope::All {
        return Ok(true);
    }
    terms_list(conn, &holding.license.terms_id, kit)
}
