//! Queries on `licenses`, `license_kits`, `license_keys` and `license_holds`.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{BaseState, LicenseId, LicenseKeyId, Standing};
use crate::clock::Timestamp;
use crate::customers::model::{CustomerId, OrderItemId};
use crate::db::schema::{license_holds, license_keys, license_kits, licenses, order_items};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::kits::model::{KitId, PolicyId, Scope, SeatKind};

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
    /// The order line it came from.
    pub order_item_id: Option<OrderItemId>,
    /// Position among the licenses of the same line and policy.
    pub ordinal: i32,
    /// Buyer-facing name of its terms.
    pub edition: String,
    /// Which kits.
    pub scope: Scope,
    /// What occupies a seat.
    pub seat_kind: SeatKind,
    /// How many seats; `None` = unlimited.
    pub seat_limit: Option<i32>,
    /// Limit plus overage; what the claim of a seat is checked against.
    pub seat_cap: Option<i32>,
    /// Seats taken.
    pub seats_used: i32,
    /// Days a license file lives.
    pub license_file_days: i32,
    /// Base state.
    pub base_state: BaseState,
    /// In force from.
    pub starts_at: Timestamp,
    /// May be used until; `None` = for ever.
    pub valid_until: Option<Timestamp>,
    /// Releases up to then may be had; `None` = for ever.
    pub updates_until: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// When it was issued.
    pub created_at: Timestamp,
}

/// A key as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = license_keys)]
pub struct LicenseKeyRow {
    /// Its id.
    pub id: LicenseKeyId,
    /// The license.
    pub license_id: LicenseId,
    /// Keyed digest it is found by.
    pub lookup: Vec<u8>,
    /// The key itself, sealed, for reveal.
    pub sealed_key: Vec<u8>,
    /// Last six characters.
    pub key_hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When another took its place.
    pub replaced_at: Option<Timestamp>,
}

/// A license with what its standing rests on.
#[derive(Debug, Clone)]
pub struct Holding {
    /// The license.
    pub license: License,
    /// Last six characters of the key it was found by, or of its present key.
    pub key_hint: String,
    /// When that key was replaced.
    pub key_replaced_at: Option<Timestamp>,
    /// At least one open hold.
    pub suspended: bool,
    /// At least one open revocation.
    pub revoked: bool,
}

impl Holding {
    /// Its standing towards a kit it covers or not.
    pub fn standing(&self, covers_kit: bool) -> Standing {
        Standing {
            covers_kit,
            key_replaced: self.key_replaced_at.is_some(),
            base_state: self.license.base_state,
            revoked: self.revoked,
            suspended: self.suspended,
            starts_at: self.license.starts_at,
            valid_until: self.license.valid_until,
            seat_kind: self.license.seat_kind,
        }
    }
}

type HoldingRow = (License, String, Option<Timestamp>, bool, bool);

fn holding((license, key_hint, key_replaced_at, suspended, revoked): HoldingRow) -> Holding {
    Holding {
        license,
        key_hint,
        key_replaced_at,
        suspended,
        revoked,
    }
}

/// The columns of a [`Holding`], for queries that start at `license_keys ⋈ licenses`.
macro_rules! holding_columns {
    () => {
        (
            License::as_select(),
            license_keys::key_hint,
            license_keys::replaced_at,
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
        )
    };
}

/// The license a key's digest stands for.
pub fn find_by_lookup(conn: &mut AnyConn, lookup: &[u8]) -> Result<Option<Holding>, DbError> {
    let row: Option<HoldingRow> = license_keys::table
        .inner_join(licenses::table)
        .filter(license_keys::lookup.eq(lookup))
        .select(holding_columns!())
        .get_result(conn)
        .optional()?;
    Ok(row.map(holding))
}

/// A license with its present key.
pub fn find(conn: &mut AnyConn, id: &LicenseId) -> Result<Option<Holding>, DbError> {
    let row: Option<HoldingRow> = license_keys::table
        .inner_join(licenses::table)
        .filter(licenses::id.eq(id))
        .filter(license_keys::replaced_at.is_null())
        .select(holding_columns!())
        .get_result(conn)
        .optional()?;
    Ok(row.map(holding))
}

/// All licenses of these customers, newest first.
pub fn of_customers(conn: &mut AnyConn, customers: &[CustomerId]) -> Result<Vec<Holding>, DbError> {
    let rows: Vec<HoldingRow> = license_keys::table
        .inner_join(licenses::table)
        .filter(licenses::customer_id.eq_any(customers.to_vec()))
        .filter(license_keys::replaced_at.is_null())
        .order(licenses::id.desc())
        .select(holding_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(holding).collect())
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
    let rows: Vec<HoldingRow> = license_keys::table
        .inner_join(licenses::table)
        .filter(licenses::order_item_id.eq_any(items))
        .filter(license_keys::replaced_at.is_null())
        .order(licenses::id)
        .select(holding_columns!())
        .load(conn)?;
    Ok(rows.into_iter().map(holding).collect())
}

/// Kits a license lists (none where its scope is `all`).
pub fn kits_of(conn: &mut AnyConn, id: &LicenseId) -> Result<Vec<KitId>, DbError> {
    Ok(license_kits::table
        .filter(license_kits::license_id.eq(id))
        .order(license_kits::kit_id)
        .select(license_kits::kit_id)
        .load(conn)?)
}

/// The same for several licenses, in pairs.
pub fn kits_of_all(
    conn: &mut AnyConn,
    ids: &[LicenseId],
) -> Result<Vec<(LicenseId, KitId)>, DbError> {
    Ok(license_kits::table
        .filter(license_kits::license_id.eq_any(ids.to_vec()))
        .order((license_kits::license_id, license_kits::kit_id))
        .select((license_kits::license_id, license_kits::kit_id))
        .load(conn)?)
}

/// Whether a license covers a kit.
pub fn covers(conn: &mut AnyConn, license: &License, kit: &KitId) -> Result<bool, DbError> {
    if license.scope == Scope::All {
        return Ok(true);
    }
    let listed = license_kits::table
        .find((&license.id, kit))
        .select(license_kits::kit_id);
    Ok(listed.get_result::<KitId>(conn).optional()?.is_some())
}

/// Adds a license, the kits it lists and its key.
pub fn insert(
    tx: &mut WriteTx<'_>,
    license: &License,
    kits: &[KitId],
    key: &LicenseKeyRow,
) -> Result<(), DbError> {
    diesel::insert_into(licenses::table)
        .values(license)
        .execute(tx.conn())?;
    for kit in kits {
        diesel::insert_into(license_kits::table)
            .values((
                license_kits::license_id.eq(&license.id),
                license_kits::kit_id.eq(kit),
            ))
            .execute(tx.conn())?;
    }
    diesel::insert_into(license_keys::table)
        .values(key)
        .execute(tx.conn())?;
    Ok(())
}

/// Locks a license for the rest of the unit of work: its root row is written first (rule 4).
pub fn lock(tx: &mut WriteTx<'_>, id: &LicenseId) -> Result<bool, DbError> {
    let locked = diesel::update(licenses::table.find(id))
        .set(licenses::version.eq(licenses::version + 1))
        .execute(tx.conn())?;
    Ok(locked == 1)
}

/// Takes a seat if one is left: the count and its limit in one statement.
pub fn claim_seat(tx: &mut WriteTx<'_>, id: &LicenseId) -> Result<bool, DbError> {
    let left = licenses::seat_cap
        .is_null()
        .or(licenses::seats_used.nullable().lt(licenses::seat_cap));
    let taken = diesel::update(licenses::table.find(id))
        .filter(left)
        .set(licenses::seats_used.eq(licenses::seats_used + 1))
        .execute(tx.conn())?;
    Ok(taken == 1)
}

/// Gives a seat back.
pub fn release_seat(tx: &mut WriteTx<'_>, id: &LicenseId) -> Result<(), DbError> {
    diesel::update(licenses::table.find(id))
        .filter(licenses::seats_used.gt(0))
        .set(licenses::seats_used.eq(licenses::seats_used - 1))
        .execute(tx.conn())?;
    Ok(())
}

/// The present key of a license, sealed.
pub fn present_key(conn: &mut AnyConn, id: &LicenseId) -> Result<Option<LicenseKeyRow>, DbError> {
    Ok(license_keys::table
        .filter(license_keys::license_id.eq(id))
        .filter(license_keys::replaced_at.is_null())
        .get_result(conn)
        .optional()?)
}
