//! Issuing a license: the key is made and sealed before the write, the license inside it.

use kitward_keys::{LicenseKey, SignError};
use secrecy::SecretString;

use super::keys::key_prefix;
use super::model::{BaseState, Given, KeySource, LicenseId, LicenseKeyId, Metadata};
use super::store::{self, License, LicenseKeyRow};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::customers::model::{CustomerId, OrderItemId};
use crate::db::types::WordList;
use crate::db::{DbError, WriteTx};
use crate::entropy::bytes;
use crate::kits::model::Basis;
use crate::kits::store::TermsVersion;
use crate::secrets::{Cell, SealError};

/// Why no key could be made.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// There is no MAC key.
    #[error("the installation has no MAC key for license keys")]
    NoMacKey,
    /// The signing key refused.
    #[error("a license key could not be signed")]
    Sign(#[from] SignError),
    /// It could not be sealed.
    #[error("a license key could not be sealed")]
    Seal(#[from] SealError),
}

/// A key that was made and sealed; nothing in it can be read.
#[derive(Debug, Clone)]
pub struct PreparedKey {
    /// Its id.
    pub id: LicenseKeyId,
    lookup: Vec<u8>,
    sealed: Vec<u8>,
    hint: String,
    now: Timestamp,
}

/// A new license's id and key.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The license.
    pub license: LicenseId,
    key: PreparedKey,
}

/// What to issue.
#[derive(Debug, Clone)]
pub struct IssueLicense {
    /// Who owns it.
    pub customer: CustomerId,
    /// The order line it comes from.
    pub order_item: Option<OrderItemId>,
    /// Position among the licenses of the same line and policy.
    pub ordinal: i32,
    /// What it grants.
    pub terms: TermsVersion,
    /// How many times the policy's seats.
    pub seats_times: i64,
    /// From when its durations count.
    pub purchased_at: Timestamp,
    /// Who issues it.
    pub actor: Actor,
}

/// Where the text of a key is kept.
pub fn key_cell(id: &LicenseKeyId) -> Cell<'_> {
    Cell {
        table: "license_keys",
        column: "sealed_key",
        row: id.as_str(),
    }
}

/// Makes keys for as many licenses, in the order of their ids.
pub fn prepare(app: &App, count: usize) -> Result<Vec<Prepared>, PrepareError> {
    let mut prepared: Vec<_> = (0..count)
        .map(|_number| prepare_one(app))
        .collect::<Result<_, _>>()?;
    // Lists go by id: what was issued first stands first.
    prepared.sort_by(|a, b| a.license.cmp(&b.license));
    Ok(prepared)
}

fn prepare_one(app: &App) -> Result<Prepared, PrepareError> {
    let (key, _text) = prepare_key(app)?;
    let license = LicenseId::new(key.now, app.entropy.as_ref());
    Ok(Prepared { license, key })
}

/// Makes a key, and shows it once.
pub fn prepare_key(app: &App) -> Result<(PreparedKey, SecretString), PrepareError> {
    let now = app.clock.now();
    let entropy = app.entropy.as_ref();
    let mac = app.vault.license_mac().ok_or(PrepareError::NoMacKey)?;
    let ring = app.keys.load();
    let key = LicenseKey::issue(&key_prefix(app), &ring.license_key, mac, bytes(entropy))?;
    let id = LicenseKeyId::new(now, entropy);
    let text = key.reveal();
    let prepared = PreparedKey {
        lookup: app.vault.license_lookup(&key.lookup_input()),
        sealed: app.vault.seal(key_cell(&id), text.as_bytes())?,
        hint: key.hint(),
        id,
        now,
    };
    Ok((prepared, SecretString::from(text.as_str())))
}

impl PreparedKey {
    /// The row of a license's primary key.
    pub fn row(&self, license: &LicenseId) -> LicenseKeyRow {
        LicenseKeyRow {
            id: self.id.clone(),
            license_id: license.clone(),
            lookup: self.lookup.clone(),
            sealed_key: self.sealed.clone(),
            key_hint: self.hint.clone(),
            created_at: self.now,
            replaced_at: None,
            source: KeySource::Own,
            is_primary: true,
            honored_until: None,
        }
    }
}

/// Makes one license's key, and shows it once.
pub fn prepare_shown(app: &App) -> Result<(Prepared, SecretString), PrepareError> {
    let (key, text) = prepare_key(app)?;
    let license = LicenseId::new(key.now, app.entropy.as_ref());
    Ok((Prepared { license, key }, text))
}

/// What staff may give beside the terms.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// Seats instead of the policy's; `None` = unlimited.
    pub seats: Given<i32>,
    /// Names of features beside those of the terms.
    pub entitlements: WordList,
    /// The vendor's own words.
    pub metadata: Metadata,
}

/// Issues a license under a snapshot of its policy's terms.
pub fn issue_in(
    tx: &mut WriteTx<'_>,
    prepared: &Prepared,
    input: IssueLicense,
) -> Result<LicenseId, DbError> {
    issue_with_in(tx, prepared, input, &Extras::default())
}

/// The same with what staff gave.
pub fn issue_with_in(
    tx: &mut WriteTx<'_>,
    prepared: &Prepared,
    input: IssueLicense,
    extras: &Extras,
) -> Result<LicenseId, DbError> {
    let Prepared { license, key } = prepared;
    let actor = input.actor.clone();
    let policy = input.terms.terms.clone();
    let mut row = terms(license.clone(), key.now, input);
    if let Given::As(limit) = extras.seats {
        row.seat_limit = limit;
        row.seat_cap = policy.cap(limit);
    }
    row.extra_entitlements = extras.entitlements.clone();
    row.metadata = extras.metadata.to_text();
    store::insert(tx, &row, &key.row(license))?;
    let fields = &["customer_id", "policy_id", "order_item_id"];
    tx.audit(Entry::new(
        key.now,
        actor,
        "license.issued",
        license,
        fields,
    ));
    Ok(license.clone())
}

fn terms(id: LicenseId, now: Timestamp, input: IssueLicense) -> License {
    let TermsVersion {
        id: terms_id,
        policy_id,
        terms,
        ..
    } = input.terms;
    let seat_limit = terms
        .seat_limit
        .map(|limit| times(limit, input.seats_times));
    // Where the clock starts with the first activation, nothing ends before it.
    let from = (terms.basis == Basis::Issue).then_some(input.purchased_at);
    License {
        id,
        customer_id: input.customer,
        policy_id,
        terms_id,
        order_item_id: input.order_item,
        ordinal: input.ordinal,
        seat_limit,
        seat_cap: terms.cap(seat_limit),
        seats_used: 0,
        base_state: BaseState::Active,
        starts_at: input.purchased_at,
        first_activated_at: None,
        valid_until: from.and_then(|from| terms.valid_from(from)),
        updates_until: from.and_then(|from| terms.updates_from(from)),
        past_due_since: None,
        lapsed_at: None,
        paid_months: 0,
        over_limit_until: None,
        merged_into: None,
        extra_entitlements: WordList::default(),
        metadata: "{}".to_owned(),
        version: 1,
        created_at: now,
        owned_since: None,
        revision: 1,
    }
}

/// Seats never shrink by multiplying, and stop at what the column holds.
fn times(limit: i32, factor: i64) -> i32 {
    let seats = i64::from(limit).saturating_mul(factor.max(1));
    i32::try_from(seats).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::kits::model::{PolicyId, SeatKind, TermsId};
    use crate::kits::store::Terms;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn input(seats_times: i64) -> IssueLicense {
        let (now, entropy) = (at("2027-01-31T00:00:00Z"), SeededEntropy::new(1));
        IssueLicense {
            customer: CustomerId::new(now, &entropy),
            order_item: None,
            ordinal: 0,
            terms: TermsVersion {
                id: TermsId::new(now, &entropy),
                policy_id: PolicyId::new(now, &entropy),
                number: 1,
                terms: Terms {
                    edition: "Team".to_owned(),
                    seat_kind: SeatKind::Device,
                    seat_limit: Some(5),
                    updates_months: Some(1),
                    ..Terms::default()
                },
                created_at: now,
            },
            seats_times,
            purchased_at: now,
            actor: Actor::System,
        }
    }

    #[test]
    fn terms_count_from_the_purchase_not_from_the_issue() {
        let issued = at("2027-03-05T00:00:00Z");
        let id = LicenseId::new(issued, &SeededEntropy::new(2));
        let license = terms(id, issued, input(1));
        assert_eq!(license.starts_at, at("2027-01-31T00:00:00Z"));
        assert_eq!(license.updates_until, Some(at("2027-02-28T00:00:00Z")));
        assert_eq!(license.valid_until, None);
        assert_eq!(license.created_at, issued);
    }

    #[test]
    fn a_quantity_of_seats_multiplies_the_limit() {
        let now = at("2027-01-31T00:00:00Z");
        let id = LicenseId::new(now, &SeededEntropy::new(2));
        let license = terms(id, now, input(3));
        assert_eq!((license.seat_limit, license.seat_cap), (Some(15), Some(15)));
        assert_eq!(times(5, 0), 5);
        assert_eq!(times(1_000_000, i64::MAX), i32::MAX);
    }
}
