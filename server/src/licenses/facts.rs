//! Everything a verdict rests on, read at one moment.

mod gather;

use std::borrow::Cow;
use std::sync::Arc;

use crate::activations::model::Identity;
use crate::activations::store::Activation;
use crate::clock::Timestamp;
use crate::kits::known_terms::TermsSeen;
use crate::licenses::keys::Lookup;
use crate::licenses::model::{Look, SeatState, VerdictCode};
use crate::licenses::store::{Holding, License};
use crate::licenses::words::day;

pub use gather::{Glimpse, gather, read};

const DAY: i64 = 86_400;
/// Seconds that a license file got by a token lives.
const TOKEN_FILE_SECONDS: i64 = 3_600;

/// What is asked about a license.
#[derive(Debug)]
pub struct Question {
    /// How the key or token is looked up.
    pub lookup: Lookup,
    /// Slug as sent.
    pub kit: String,
    /// Who asks.
    pub identity: Option<Identity>,
    /// Features the kit needs.
    pub entitlements: Vec<String>,
    /// Version of the kit.
    pub version: Option<String>,
    /// The moment of the call.
    pub now: Timestamp,
    /// Terms that need not be read.
    pub terms: Arc<TermsSeen>,
}

/// Why no seat was to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// All are taken.
    Limit,
    /// The subscription lapsed: seats move, none is added.
    Lapse,
    /// The customer has freed as many as the terms allow; the next from then on.
    Churn(Timestamp),
}

/// The answer's material.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The license with its standing. Seats whose lease has ended do not count as used.
    pub holding: Holding,
    /// Present slug of the kit that was named, where there is one.
    pub kit_slug: Option<String>,
    /// Whether the license covers it.
    pub covers_kit: bool,
    /// Slugs the license lists; empty where its scope is `all`.
    pub scope: Vec<String>,
    /// The row of the identity, freed or not.
    pub activation: Option<Activation>,
    /// Where its seat stands.
    pub seat: SeatState,
    /// Features the kit needs and the license lacks.
    pub missing: Vec<String>,
    /// Whether the kit's version came out after the license's updates.
    pub version_not_covered: bool,
    /// Why a claim got no seat.
    pub exhausted: Option<Exhausted>,
    /// The moment all of this is about.
    pub now: Timestamp,
}

impl Facts {
    /// The license.
    pub fn license(&self) -> &License {
        &self.holding.license
    }

    /// The verdict of a look that takes no seat.
    pub fn verdict(&self) -> VerdictCode {
        let look = Look {
            seat: self.seat,
            entitlement_missing: !self.missing.is_empty(),
            version_not_covered: self.version_not_covered,
            over_limit: self.over_limit(),
        };
        let standing = self.holding.standing(self.covers_kit);
        standing.verdict(self.now, look)
    }

    /// The sentence beside a verdict.
    pub fn detail(&self, code: VerdictCode) -> Cow<'static, str> {
        match (code, self.exhausted) {
            (VerdictCode::EntitlementMissing, _) => {
                format!("This license does not include: {}.", self.missing.join(", ")).into()
            }
            (VerdictCode::SeatsExhausted, Some(Exhausted::Lapse)) => {
                "The subscription of this license has lapsed: no seat is added. Free one in the portal \
                 to use it here."
                    .into()
            }
            (VerdictCode::SeatsExhausted, Some(Exhausted::Churn(next))) => churn_detail(next).into(),
            (VerdictCode::Grace, _) => self.grace_detail(),
            _ => code.detail().into(),
        }
    }

    /// A license that is past its own end says so, with its dates; otherwise it is a payment that is
    /// overdue.
    fn grace_detail(&self) -> Cow<'static, str> {
        let ended = self.license().valid_until.filter(|end| *end <= self.now);
        let usable = self.holding.standing(self.covers_kit).usable_until();
        match ended.zip(usable) {
            Some((ended, usable)) => {
                let (ended, usable) = (day(ended), day(usable));
                format!("This license ended on {ended}. It can be used until {usable}.").into()
            }
            None => VerdictCode::Grace.detail().into(),
        }
    }

    /// Whether more seats are in use than the license has.
    pub fn over_limit(&self) -> bool {
        let license = self.license();
        license
            .seat_limit
            .is_some_and(|limit| license.seats_used > limit)
    }

    /// The activation, if its seat is held and the key that was shown still speaks for it: who has
    /// a replaced one may have sold the license.
    pub fn held(&self) -> Option<&Activation> {
        let is_held = self.speaks_for_held_seat();
        self.activation.as_ref().filter(|_| is_held)
    }

    /// The same, to be changed.
    pub fn held_mut(&mut self) -> Option<&mut Activation> {
        let is_held = self.speaks_for_held_seat();
        self.activation.as_mut().filter(|_| is_held)
    }

    fn speaks_for_held_seat(&self) -> bool {
        let holding = &self.holding;
        let counts = holding.key_ends_at.is_none_or(|end| self.now < end);
        self.seat == SeatState::Held && counts && !holding.is_shown_by_former_owner()
    }

    /// Whether the identity is one that takes a seat.
    pub fn has_seat(&self) -> bool {
        match self.seat {
            SeatState::NoIdentity | SeatState::Unneeded => false,
            SeatState::Never | SeatState::Freed | SeatState::LeaseEnded | SeatState::Held => true,
        }
    }

    /// Where a lease that is extended now ends; `None` where seats do not float. Not before a file
    /// of a machine that is never online, if one speaks for the seat.
    pub fn next_lease_end(&self) -> Option<Timestamp> {
        let seconds = self.holding.terms.lease_seconds?;
        let end = self.now.plus_seconds(seconds.into());
        Some(self.held().map_or(end, |row| row.lease_end(end)))
    }

    /// The end of an ordinary license file.
    pub fn file_end(&self) -> Timestamp {
        let days = i64::from(self.holding.terms.license_file_days);
        let seconds = match self.holding.via {
            // What a build takes along ends soon after it.
            Some(_) => TOKEN_FILE_SECONDS,
            None => days * DAY,
        };
        self.never_beyond(self.now.plus_seconds(seconds))
    }

    /// What says that a license may be used outlives neither the license with its grace nor the lease
    /// of its seat.
    pub fn never_beyond(&self, end: Timestamp) -> Timestamp {
        let usable = self.holding.standing(self.covers_kit).usable_until();
        let lease = self.held().and_then(|row| row.lease_ends_at);
        let ends = [usable, lease].into_iter().flatten();
        ends.fold(end, Timestamp::min)
    }
}

/// Why no further seat can be freed.
pub fn churn_detail(next: Timestamp) -> String {
    format!(
        "As many seats were freed as this license allows for now. The next can be freed on {}; before that, \
         ask the vendor.",
        day(next)
    )
}

/// Why the customer cannot free a seat for which a file of a machine that is never online speaks.
pub fn offline_file_detail(until: Timestamp) -> String {
    format!(
        "This machine holds an offline license file until {}; the vendor's support can free the seat.",
        day(until)
    )
}
