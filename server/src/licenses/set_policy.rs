//! Putting a license under other terms: the same row, the same keys.

use super::basis::{counts_from, keep_running};
use super::change::{self, Change, ChangeError, fault};
use super::edit::{check_limit, over_limit_end, resize};
use super::model::{Given, LicenseId};
use super::store::{self, Holding, License};
use crate::activations::clear::{clear_in, lease_in};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::WriteTx;
use crate::db::types::text_enum;
use crate::idempotency::{Claim, Once};
use crate::kits::model::SeatKind;
use crate::kits::store::{Terms, TermsVersion, find_policy_named};

text_enum! {
    /// What becomes of the ends.
    pub enum Dates {
        /// They stay.
        Keep = "keep",
        /// The durations of the new terms count from now.
        Restart = "restart",
    }
}

/// The terms that a license shall have.
#[derive(Debug, Clone)]
pub struct SetPolicy {
    /// Id or name; its present terms are taken.
    pub policy: String,
    /// Seats instead of the policy's; `None` = unlimited.
    pub seats: Given<i32>,
    /// What becomes of the ends.
    pub dates: Dates,
    /// Days for which seats beyond the new limit are kept.
    pub over_limit_days: i32,
}

/// Puts a license under the present terms of a policy.
pub async fn set_policy(
    app: &App,
    of: Change,
    input: SetPolicy,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    change::run(app, claim, of, move |tx, of| set_policy_in(tx, of, &input)).await
}

/// The same inside another unit of work.
pub fn set_policy_in(
    tx: &mut WriteTx<'_>,
    of: &Change,
    input: &SetPolicy,
) -> Result<(), ChangeError> {
    let holding = change::open_in(tx, of)?;
    let policy = find_policy_named(tx.conn(), &input.policy)?;
    let unknown = || fault("policy", "must be the id or name of a policy");
    let version = policy.ok_or_else(unknown)?.version;
    let until = over_limit_end(of.now, input.over_limit_days)?;
    let limit = input.seats.or(bought(&holding, &version.terms));
    check_limit(&version.terms, limit)?;
    let mut license = under(&holding, &version, input.dates, of.now);
    move_seats(tx, of, &holding, &mut license, &version.terms)?;
    resize(&mut license, &version.terms, limit, until);
    store::update(tx, &license)?;
    let fields = &[
        "policy_id",
        "terms_id",
        "seat_limit",
        "first_activated_at",
        "valid_until",
        "updates_until",
    ];
    tx.audit(of.entry("license.policy_set", fields));
    Ok(())
}

/// The new terms' seats, as many times as the old ones' were bought.
fn bought(holding: &Holding, new: &Terms) -> Option<i32> {
    let limit = new.seat_limit?;
    let (had, each) = (holding.license.seat_limit, holding.terms.seat_limit);
    let times = match (had, each) {
        (Some(had), Some(each)) if each > 0 && had >= each && had % each == 0 => had / each,
        _ => 1,
    };
    Some(limit.saturating_mul(times).min(1_000_000))
}

fn under(holding: &Holding, version: &TermsVersion, dates: Dates, now: Timestamp) -> License {
    let mut license = holding.license.clone();
    license.policy_id = version.policy_id.clone();
    license.terms_id = version.id.clone();
    let (old, new) = (&holding.terms, &version.terms);
    let waited = counts_from(&license, old).is_none();
    let anew = now.max(license.starts_at);
    let start = match dates {
        Dates::Keep => license.starts_at,
        Dates::Restart => anew,
    };
    keep_running(&mut license, old, new, start);
    let from = counts_from(&license, new).map(|_running| anew);
    let valid = from.and_then(|from| new.valid_from(from));
    let updates = from.and_then(|from| new.updates_from(from));
    match dates {
        Dates::Restart => {
            license.valid_until = valid;
            license.updates_until = updates;
        }
        // It had no ends yet but those set by hand.
        Dates::Keep if waited => {
            license.valid_until = license.valid_until.or(valid);
            license.updates_until = license.updates_until.or(updates);
        }
        Dates::Keep => {}
    }
    license
}

/// Seats of another kind cannot be told from each other any more: they are freed. Seats of the same
/// kind stay, with a lease where the new terms have one.
fn move_seats(
    tx: &mut WriteTx<'_>,
    of: &Change,
    holding: &Holding,
    license: &mut License,
    new: &Terms,
) -> Result<(), ChangeError> {
    if new.seat_kind != holding.terms.seat_kind {
        clear_in(tx, &of.license, &of.hand())?;
        license.seats_used = 0;
    } else if new.seat_kind != SeatKind::None {
        let lease = new.lease_seconds.map(i64::from);
        let until = lease.map(|seconds| of.now.plus_seconds(seconds));
        license.seats_used -= lease_in(tx, &of.license, until, &of.hand())?;
    }
    Ok(())
}
