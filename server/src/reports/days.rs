//! Days of a report, in UTC.

use crate::clock::Timestamp;

/// Days that one report may cover.
pub const DAYS_MAX: i64 = 400;
/// Days of a report where nobody says.
pub const DAYS: i64 = 30;

const DAY: i64 = 86_400;

/// From the first day to the last, both whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    /// Where the first begins.
    pub from: Timestamp,
    /// Where the one after the last begins.
    pub until: Timestamp,
}

/// Why days are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DaysFault {
    /// No day.
    #[error("must be a day, such as 2027-01-31")]
    NoDay,
    /// The last is before the first, or too long after it.
    #[error("must be 0 to 399 days after the first day")]
    Length,
}

impl Days {
    /// From the words of a question; today and the 29 days before where nothing is said.
    pub fn new(
        from: Option<&str>,
        to: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, (&'static str, DaysFault)> {
        let read = |name, text: Option<&str>| match text {
            None => Ok(None),
            Some(text) => day(text).map(Some).ok_or((name, DaysFault::NoDay)),
        };
        let (from, to) = (read("from", from)?, read("to", to)?);
        let today = start_of(now);
        let last = to.unwrap_or_else(|| from.map_or(today, |from| from.max(today)));
        let first = from.unwrap_or_else(|| last.plus_seconds(-(DAYS - 1) * DAY));
        let until = last.plus_seconds(DAY);
        let length = (until.unix() - first.unix()) / DAY;
        if !(1..=DAYS_MAX).contains(&length) {
            return Err(("to", DaysFault::Length));
        }
        Ok(Self { from: first, until })
    }

    /// The last day, as text.
    pub fn last(&self) -> String {
        name(self.until.plus_seconds(-DAY))
    }

    /// The first day, as text.
    pub fn first(&self) -> String {
        name(self.from)
    }
}

/// The day of a moment, as text that sorts.
pub fn name(moment: Timestamp) -> String {
    moment.utc().format("%Y-%m-%d").to_string()
}

fn start_of(moment: Timestamp) -> Timestamp {
    let seconds = moment.unix();
    Timestamp::from_unix(seconds - seconds.rem_euclid(DAY)).unwrap_or(moment)
}

fn day(text: &str) -> Option<Timestamp> {
    let shape = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let moment = Timestamp::parse(&format!("{text}T00:00:00Z")).filter(|_| shape)?;
    (1970..=9000)
        .contains(&chrono::Datelike::year(&moment.utc()))
        .then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(from: Option<&str>, to: Option<&str>) -> Result<(String, String), &'static str> {
        let now = Timestamp::parse("2027-03-31T23:59:59Z").unwrap();
        let days = Days::new(from, to, now).map_err(|(field, _)| field)?;
        Ok((days.first(), days.last()))
    }

    #[test]
    fn a_report_covers_whole_days() {
        let span = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(days(None, None), span("2027-03-02", "2027-03-31"));
        let one = Some("2027-02-28");
        assert_eq!(days(one, one), span("2027-02-28", "2027-02-28"));
        assert_eq!(days(one, None), span("2027-02-28", "2027-03-31"));
        assert_eq!(days(None, one), span("2027-01-30", "2027-02-28"));
    }

    #[test]
    fn what_is_no_day_and_too_many_days_are_refused() {
        for bad in [
            "",
            "2027-02-30",
            "2027-2-3",
            "yesterday",
            "9999-12-31",
            "-262143-1",
            "2027-01-01T0",
        ] {
            assert_eq!(days(Some(bad), None), Err("from"), "{bad}");
        }
        assert_eq!(days(Some("2027-03-02"), Some("2027-03-01")), Err("to"));
        assert_eq!(days(Some("2020-01-01"), None), Err("to"));
    }
}
