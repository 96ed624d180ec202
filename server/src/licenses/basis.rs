//! From when the durations of a license count.
//!
//! A null end is "for ever", but until the clock starts it is none yet. Terms with another basis must
//! not make one of the other.

use super::store::License;
use crate::clock::Timestamp;
use crate::kits::model::Basis;
use crate::kits::store::Terms;

/// From when they count under these terms; `None`: from its first activation, which has not been yet.
pub(super) fn counts_from(license: &License, terms: &Terms) -> Option<Timestamp> {
    match terms.basis {
        Basis::Issue => Some(license.starts_at),
        Basis::FirstActivation => license.first_activated_at,
    }
}

/// A clock that runs goes on under other terms: where they count from the first activation and the
/// old ones did not, `start` stands for it.
pub(super) fn keep_running(license: &mut License, old: &Terms, new: &Terms, start: Timestamp) {
    if (old.basis, new.basis) == (Basis::Issue, Basis::FirstActivation) {
        license.first_activated_at = license.first_activated_at.or(Some(start));
    }
}
