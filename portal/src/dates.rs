//! Dates as people read them: "3 days ago" and "17 November 2026", beside the exact instant.

use chrono::{DateTime, TimeDelta, Utc};

/// One instant, ready for a `<time>` element.
#[derive(Debug)]
pub(crate) struct Moment {
    /// For the `datetime` attribute: `2026-11-17T09:30:00Z`.
    pub(crate) machine: String,
    /// The day: `17 Nov 2026`.
    pub(crate) day: String,
    /// Day and time, for the tooltip: `17 November 2026, 09:30 UTC`.
    pub(crate) exact: String,
    /// From now: `3 days ago`, `in 5 months`.
    pub(crate) relative: String,
}

impl Moment {
    pub(crate) fn new(at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            machine: at.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            day: at.format("%-d %b %Y").to_string(),
            exact: at.format("%-d %B %Y, %H:%M UTC").to_string(),
            relative: relative(at - now),
        }
    }
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;

/// The same steps and words as `static/portal.js`, which refreshes them while a page stays open.
fn relative(ahead: TimeDelta) -> String {
    let seconds = ahead.num_seconds();
    let size = seconds.saturating_abs();
    let (unit, length) = match size {
        ..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => ("minute", MINUTE),
        HOUR..DAY => ("hour", HOUR),
        DAY..MONTH => ("day", DAY),
        MONTH..YEAR => ("month", MONTH),
        YEAR.. => ("year", YEAR),
    };
    let count = size / length;
    let plural = if count == 1 { "" } else { "s" };
    if seconds < 0 {
        format!("{count} {unit}{plural} ago")
    } else {
        format!("in {count} {unit}{plural}")
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone, Utc};

    use super::{Moment, relative};

    #[test]
    fn distances_are_said_in_the_largest_whole_unit() {
        let cases = [
            (0, "just now"),
            (59, "just now"),
            (-59, "just now"),
            (-60, "1 minute ago"),
            (7200, "in 2 hours"),
            (-86_399, "23 hours ago"),
            (-3 * 86_400, "3 days ago"),
            (29 * 86_400, "in 29 days"),
            (162 * 86_400, "in 5 months"),
            (-364 * 86_400, "12 months ago"),
            (-365 * 86_400, "1 year ago"),
            (800 * 86_400, "in 2 years"),
        ];
        for (seconds, words) in cases {
            assert_eq!(relative(TimeDelta::seconds(seconds)), words);
        }
    }

    #[test]
    fn a_moment_holds_the_day_the_instant_and_the_distance() {
        let now = Utc.with_ymd_and_hms(2026, 11, 20, 12, 0, 0).unwrap();
        let at = Utc.with_ymd_and_hms(2027, 5, 1, 8, 5, 0).unwrap();
        let moment = Moment::new(at, now);
        assert_eq!(moment.machine, "2027-05-01T08:05:00Z");
        assert_eq!(moment.day, "1 May 2027");
        assert_eq!(moment.exact, "1 May 2027, 08:05 UTC");
        assert_eq!(moment.relative, "in 5 months");
    }
}
