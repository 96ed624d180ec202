//! Another duration of the policy's for a license.

use super::basis::counts_from;
use super::change::{self, Change, ChangeError, fault};
use super::model::{BaseState, LicenseId, fits_calendar, renewed};
use super::store::{self, Holding, License};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::WriteTx;
use crate::db::types::text_enum;
use crate::idempotency::{Claim, Once};
use crate::kits::store::Terms;

const DAY: i64 = 86_400;

text_enum! {
    /// From when a renewal counts.
    pub enum RenewFrom {
        /// From the present end: nothing is lost by renewing early.
        Expiry = "expiry",
        /// From the renewal.
        Now = "now",
    }
}

/// Adds the durations of its terms to a license's ends. One that had ended is active again, and no
/// payment of one that had lapsed is missed any more.
pub async fn renew(
    app: &App,
    of: Change,
    from: RenewFrom,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    change::run(app, claim, of, move |tx, of| renew_in(tx, of, from)).await
}

/// The same inside another unit of work.
pub fn renew_in(tx: &mut WriteTx<'_>, of: &Change, from: RenewFrom) -> Result<(), ChangeError> {
    let holding = change::open_in(tx, of)?;
    let license = after(&holding, from, of.now)?;
    store::update(tx, &license)?;
    let fields = &[
        "valid_until",
        "updates_until",
        "base_state",
        "past_due_since",
        "lapsed_at",
    ];
    tx.audit(of.entry("license.renewed", fields));
    Ok(())
}

fn after(holding: &Holding, from: RenewFrom, now: Timestamp) -> Result<License, ChangeError> {
    let mut license = License {
        past_due_since: None,
        lapsed_at: None,
        ..holding.license.clone()
    };
    let had_lapsed = license != holding.license;
    match lengthen(&mut license, &holding.terms, from, now) {
        // Nothing grows longer, but the lapse is over.
        Err(ChangeError::Refused(_)) if had_lapsed => {}
        lengthened => lengthened?,
    }
    if license.base_state == BaseState::Ended {
        license.base_state = BaseState::Active;
    }
    Ok(license)
}

fn lengthen(
    license: &mut License,
    terms: &Terms,
    from: RenewFrom,
    now: Timestamp,
) -> Result<(), ChangeError> {
    let ends = (terms.valid_months, terms.valid_days, terms.updates_months);
    if ends == (None, None, None) {
        let endless = "The terms of this license have no duration to renew.";
        return Err(ChangeError::Refused(endless));
    }
    let anchor = counts_from(license, terms).ok_or(ChangeError::Refused(
        "Its durations begin with its first activation, which has not been yet.",
    ))?;
    let clock = Clock { anchor, from, now };
    license.valid_until = clock.valid(terms, license.valid_until)?;
    license.updates_until = clock.updates(terms, license.updates_until)?;
    Ok(())
}

/// Where an end has gone.
type Moved = Result<Option<Timestamp>, ChangeError>;

struct Clock {
    anchor: Timestamp,
    from: RenewFrom,
    now: Timestamp,
}

impl Clock {
    fn months(&self, end: Option<Timestamp>, months: Option<i32>) -> Moved {
        let count = months.and_then(|months| u32::try_from(months).ok());
        // What was made to never end goes on never ending.
        let (Some(present), Some(count)) = (end, count) else {
            return Ok(end);
        };
        let after = match self.from {
            RenewFrom::Expiry => renewed(self.anchor, present, count),
            RenewFrom::Now => self.now.plus_months(count),
        };
        self.checked(present, after)
    }

    fn valid(&self, terms: &Terms, end: Option<Timestamp>) -> Moved {
        let Some(days) = terms.valid_days else {
            return self.months(end, terms.valid_months);
        };
        let Some(present) = end else { return Ok(None) };
        let start = match self.from {
            RenewFrom::Expiry => present,
            RenewFrom::Now => self.now,
        };
        self.checked(present, start.plus_seconds(i64::from(days) * DAY))
    }

    fn updates(&self, terms: &Terms, end: Option<Timestamp>) -> Moved {
        self.months(end, terms.updates_months)
    }

    /// Months that do not fit the calendar are left out by it: then the end has not moved, or it has
    /// gone back to the anchor.
    fn checked(&self, present: Timestamp, after: Timestamp) -> Moved {
        let is_later = self.from == RenewFrom::Now || after > present;
        if is_later && fits_calendar(after) {
            return Ok(Some(after));
        }
        Err(fault("from", "must not lead beyond the year 9998"))
    }
}
