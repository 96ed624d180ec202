//! Editing what a license has beside its terms: seats, features, the vendor's own words.

use super::change::{self, Change, ChangeError, fault};
use super::model::{Given, LicenseId, Metadata};
use super::store::{self, License};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::WriteTx;
use crate::idempotency::{Claim, Once};
use crate::kits::model::{SeatKind, check_entitlements};
use crate::kits::store::Terms;

/// Days for which seats beyond a lowered limit are kept, where nothing is said.
pub const OVER_LIMIT_DAYS: i32 = 14;

/// What shall change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Seats; `None` = unlimited.
    pub seat_limit: Given<i32>,
    /// Days for which seats beyond a lowered limit are kept.
    pub over_limit_days: i32,
    /// All features beside those of the terms.
    pub entitlements: Option<Vec<String>>,
    /// Features to add to them.
    pub add: Vec<String>,
    /// Features to take from them.
    pub remove: Vec<String>,
    /// All of the vendor's own words.
    pub metadata: Option<Metadata>,
}

/// Edits a license.
pub async fn edit(
    app: &App,
    of: Change,
    edit: Edit,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    change::run(app, claim, of, move |tx, of| edit_in(tx, of, &edit)).await
}

/// The same inside another unit of work.
pub fn edit_in(tx: &mut WriteTx<'_>, of: &Change, edit: &Edit) -> Result<(), ChangeError> {
    let holding = change::open_in(tx, of)?;
    let mut license = holding.license;
    if let Given::As(limit) = edit.seat_limit {
        check_limit(&holding.terms, limit)?;
        let until = over_limit_end(of.now, edit.over_limit_days)?;
        resize(&mut license, &holding.terms, limit, until);
    }
    if let Some(metadata) = &edit.metadata {
        metadata.check()?;
        license.metadata = metadata.to_text();
    }
    let words = entitlements(&license, edit);
    check_entitlements(&words).map_err(|reason| fault("extra_entitlements", reason))?;
    license.extra_entitlements = words.into();
    store::update(tx, &license)?;
    tx.audit(of.entry("license.changed", fields(edit)));
    Ok(())
}

/// Adding what is there and taking what is not change nothing.
fn entitlements(license: &License, edit: &Edit) -> Vec<String> {
    let mut words = match &edit.entitlements {
        Some(words) => words.clone(),
        None => license.extra_entitlements.words().to_vec(),
    };
    for word in &edit.add {
        if !words.contains(word) {
            words.push(word.clone());
        }
    }
    words.retain(|word| !edit.remove.contains(word));
    words
}

fn fields(edit: &Edit) -> &'static [&'static str] {
    let words = edit.entitlements.is_some() || !edit.add.is_empty() || !edit.remove.is_empty();
    match (edit.seat_limit.is_given(), words, edit.metadata.is_some()) {
        (true, true, true) => &["seat_limit", "extra_entitlements", "metadata"],
        (true, true, false) => &["seat_limit", "extra_entitlements"],
        (true, false, true) => &["seat_limit", "metadata"],
        (true, false, false) => &["seat_limit"],
        (false, true, true) => &["extra_entitlements", "metadata"],
        (false, true, false) => &["extra_entitlements"],
        (false, false, true) => &["metadata"],
        (false, false, false) => &[],
    }
}

/// A limit fits where there are seats.
pub(super) fn check_limit(terms: &Terms, limit: Option<i32>) -> Result<(), ChangeError> {
    if limit.is_some() && terms.seat_kind == SeatKind::None {
        return Err(fault(
            "seat_limit",
            "has no meaning: the license has no seats",
        ));
    }
    if limit.is_none_or(|limit| (1..=1_000_000).contains(&limit)) {
        return Ok(());
    }
    let reason = "must be 1 to 1000000, or null for unlimited";
    Err(fault("seat_limit", reason))
}

/// Until when seats beyond a lowered limit are kept.
pub(super) fn over_limit_end(now: Timestamp, days: i32) -> Result<Timestamp, ChangeError> {
    if !(0..=366).contains(&days) {
        return Err(fault("over_limit_days", "must be 0 to 366"));
    }
    Ok(now.plus_seconds(i64::from(days) * 86_400))
}

/// Gives a license another limit. Nobody is thrown off: seats beyond it are kept until then.
pub(super) fn resize(license: &mut License, terms: &Terms, limit: Option<i32>, until: Timestamp) {
    license.seat_limit = limit;
    license.seat_cap = terms.cap(limit);
    let beyond = license.seat_cap.is_some_and(|cap| license.seats_used > cap);
    license.over_limit_until = beyond.then_some(until);
}
