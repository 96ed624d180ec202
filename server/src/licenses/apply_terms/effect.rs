//! What other terms make of one license.

use crate::clock::Timestamp;
use crate::db::types::text_enum;
use crate::kits::model::SeatKind;
use crate::kits::store::{Terms, TermsVersion};
use crate::licenses::basis::{counts_from, keep_running};
use crate::licenses::store::License;

const DAY: i64 = 86_400;

/// What may change beside what the terms alone say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// Days for which seats beyond a lowered limit are kept.
    pub over_limit_days: Option<i32>,
    /// Whether a limit of the license's own gives way to that of the terms.
    pub seats: bool,
    /// Whether ends that would come earlier do.
    pub dates: bool,
}

text_enum! {
    /// Why a license stays as it is.
    pub enum Standstill {
        /// Its seats in use are of another kind; they must be freed first.
        SeatKindInUse = "seat_kind_in_use",
        /// More seats are in use than it would have, and nobody said for how long they may be.
        SeatsStranded = "seats_stranded",
    }
}

/// A license under other terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its row.
    pub license: License,
    /// Whether its limit stayed its own.
    pub own_limit: bool,
}

impl Changed {
    /// Whether more seats are in use than it may have.
    pub fn strands(&self) -> bool {
        let license = &self.license;
        let cap = license.seat_cap;
        cap.is_some_and(|cap| license.seats_used > cap)
    }
}

/// What becomes of a license.
pub type Outcome = Result<Changed, Standstill>;

/// A license under `new` terms instead of `old`.
pub fn outcome(
    license: &License,
    old: &Terms,
    new: &TermsVersion,
    choice: Choice,
    now: Timestamp,
) -> Outcome {
    let terms = &new.terms;
    if terms.seat_kind != old.seat_kind && license.seats_used > 0 {
        return Err(Standstill::SeatKindInUse);
    }
    let mut after = license.clone();
    after.terms_id = new.id.clone();
    let factor = factor(license.seat_limit, old.seat_limit);
    let has_seats = terms.seat_kind != SeatKind::None;
    let own_limit = has_seats && factor.is_none() && !choice.seats;
    if !own_limit {
        let times = |limit: i32| limit.saturating_mul(factor.unwrap_or(1));
        after.seat_limit = terms.seat_limit.map(times);
    }
    after.seat_cap = terms.cap(after.seat_limit);
    put_ends(&mut after, (old, terms), choice.dates, now);
    let mut changed = Changed {
        license: after,
        own_limit,
    };
    changed.license.over_limit_until = if changed.strands() {
        let days = i64::from(choice.over_limit_days.unwrap_or(0));
        let until = now.plus_seconds(days.saturating_mul(DAY));
        Some(running_time(license).unwrap_or(until))
    } else {
        None
    };
    Ok(changed)
}

/// The time for choosing that runs already. That of a limit somebody has come down to since is over.
fn running_time(license: &License) -> Option<Timestamp> {
    let cap = license.seat_cap;
    let beyond = cap.is_some_and(|cap| license.seats_used > cap);
    license.over_limit_until.filter(|_| beyond)
}

/// How many times the policy's seats a license has; `None` for a limit of its own.
fn factor(limit: Option<i32>, of_terms: Option<i32>) -> Option<i32> {
    match (limit, of_terms) {
        (None, None) => Some(1),
        (Some(limit), Some(of_terms)) => {
            let whole = limit.checked_rem(of_terms) == Some(0);
            limit.checked_div(of_terms).filter(|_| whole)
        }
        (Some(_), None) | (None, Some(_)) => None,
    }
}

/// Counted anew from where the license's durations count; later ends stay unless they may not.
fn put_ends(license: &mut License, (old, new): (&Terms, &Terms), exactly: bool, now: Timestamp) {
    let waited = counts_from(license, old).is_none();
    let start = license.starts_at;
    keep_running(license, old, new, start);
    // The clock that nothing started starts now, unless the terms are to count exactly.
    let starts_now = waited && !exactly;
    let from = counts_from(license, new);
    let from = from.map(|from| if starts_now { from.max(now) } else { from });
    let valid = from.and_then(|from| new.valid_from(from));
    let updates = from.and_then(|from| new.updates_from(from));
    let put = |present: Option<Timestamp>, anew: Option<Timestamp>| {
        if exactly {
            anew
        } else if waited {
            // It had no end yet but one set by hand.
            present.or(anew)
        } else {
            present.zip(anew).map(|(present, anew)| present.max(anew))
        }
    };
    license.valid_until = put(license.valid_until, valid);
    license.updates_until = put(license.updates_until, updates);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_follows_the_policy_where_it_is_a_multiple_of_it() {
        assert_eq!(factor(Some(15), Some(5)), Some(3));
        assert_eq!(factor(None, None), Some(1));
        for own in [
            (Some(7), Some(5)),
            (Some(3), Some(5)),
            (None, Some(5)),
            (Some(5), None),
        ] {
            assert_eq!(factor(own.0, own.1), None, "{own:?}");
        }
    }
}
