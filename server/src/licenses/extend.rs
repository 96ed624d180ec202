//! Moving the ends of a license by hand.

use super::basis::counts_from;
use super::change::{self, Change, ChangeError, fault};
use super::model::{Given, LicenseId, fits_calendar, renewed};
use super::store::{self, Holding, License};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::WriteTx;
use crate::idempotency::{Claim, Once};

const DAY: i64 = 86_400;
/// Why an end is not for ever while the clock has not started.
const NOT_YET: &str = "must be a date until the first activation, with which its duration begins";

/// Where the ends go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extension {
    /// To these moments. An absent end stays as it is, `None` is for ever.
    To {
        /// End of use.
        valid_until: Given<Timestamp>,
        /// End of updates.
        updates_until: Given<Timestamp>,
    },
    /// So much later, both where they are; what never ends goes on never ending.
    By {
        /// Months by the calendar, 0 to 1200.
        months: i32,
        /// Days after them, 0 to 36500.
        days: i32,
    },
}

/// Moves the ends of a license.
pub async fn extend(
    app: &App,
    of: Change,
    to: Extension,
    claim: Claim,
) -> Result<Once<LicenseId>, ChangeError> {
    change::run(app, claim, of, move |tx, of| extend_in(tx, of, &to)).await
}

/// The same inside another unit of work.
pub fn extend_in(tx: &mut WriteTx<'_>, of: &Change, to: &Extension) -> Result<(), ChangeError> {
    let holding = change::open_in(tx, of)?;
    let license = match to {
        Extension::To {
            valid_until,
            updates_until,
        } => moved_to(holding, *valid_until, *updates_until)?,
        Extension::By { months, days } => moved_by(holding.license, *months, *days)?,
    };
    store::update(tx, &license)?;
    tx.audit(of.entry("license.extended", &["valid_until", "updates_until"]));
    Ok(())
}

fn moved_to(
    holding: Holding,
    valid_until: Given<Timestamp>,
    updates_until: Given<Timestamp>,
) -> Result<License, ChangeError> {
    let Holding {
        mut license, terms, ..
    } = holding;
    if !valid_until.is_given() && !updates_until.is_given() {
        return Err(fault("valid_until", "or another end must be given"));
    }
    let starts = license.starts_at;
    let fits = |end: Given<Timestamp>| {
        let end = end.or(None);
        end.is_none_or(|end| fits_calendar(end) && end >= starts)
    };
    let reason = "must lie between the start of the license and the year 9998";
    let waits = counts_from(&license, &terms).is_none();
    for (field, end, begins) in [
        ("valid_until", valid_until, terms.valid_from(starts)),
        ("updates_until", updates_until, terms.updates_from(starts)),
    ] {
        if !fits(end) {
            return Err(fault(field, reason));
        }
        // Its null would be taken for an end that has not begun to count.
        if waits && begins.is_some() && end == Given::As(None) {
            return Err(fault(field, NOT_YET));
        }
    }
    license.valid_until = valid_until.or(license.valid_until);
    license.updates_until = updates_until.or(license.updates_until);
    Ok(license)
}

fn moved_by(mut license: License, months: i32, days: i32) -> Result<License, ChangeError> {
    let later = Later::new(license.starts_at, months, days)?;
    if license.valid_until.is_none() && license.updates_until.is_none() {
        let endless = "This license has no end to move. Give the ends it shall have.";
        return Err(ChangeError::Refused(endless));
    }
    license.valid_until = later.than(license.valid_until)?;
    license.updates_until = later.than(license.updates_until)?;
    Ok(license)
}

struct Later {
    anchor: Timestamp,
    months: u32,
    days: i32,
}

impl Later {
    fn new(anchor: Timestamp, months: i32, days: i32) -> Result<Self, ChangeError> {
        let fits = |count: i32, most: i32| (0..=most).contains(&count);
        if !fits(days, 36_500) {
            return Err(fault("days", "must be 1 to 36500"));
        }
        let whole = u32::try_from(months).ok();
        match whole.filter(|_| fits(months, 1_200)) {
            None => Err(fault("months", "must be 1 to 1200")),
            Some(0) if days == 0 => Err(fault("days", "or months must be given")),
            Some(months) => Ok(Self {
                anchor,
                months,
                days,
            }),
        }
    }

    fn than(&self, end: Option<Timestamp>) -> Result<Option<Timestamp>, ChangeError> {
        let Some(end) = end else { return Ok(None) };
        let months = match self.months {
            0 => end,
            months => renewed(self.anchor, end, months),
        };
        let later = months.plus_seconds(i64::from(self.days) * DAY);
        if later > end && fits_calendar(later) {
            return Ok(Some(later));
        }
        Err(fault("days", "must not lead beyond the year 9998"))
    }
}
