//! Moments as both databases hold them.

use chrono::{DateTime, Datelike, Months, NaiveDateTime, SecondsFormat, TimeDelta, Timelike, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use serde::{Deserialize, Serialize};

/// A moment in UTC, cut to microseconds, so that it equals itself after a round trip through
/// either database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Timestamp)]
pub struct Timestamp(NaiveDateTime);

impl Timestamp {
    /// Cuts a moment to microseconds.
    pub fn new(moment: DateTime<Utc>) -> Self {
        Self::from_naive(moment.naive_utc())
    }

    /// A moment as the database holds it, in UTC.
    pub(crate) fn from_naive(moment: NaiveDateTime) -> Self {
        let excess = i64::from(moment.and_utc().timestamp_subsec_nanos() % 1_000);
        Self(moment - TimeDelta::nanoseconds(excess))
    }

    pub(crate) fn naive(&self) -> &NaiveDateTime {
        &self.0
    }

    /// Seconds since 1970, for signed documents and Stripe.
    pub fn from_unix(seconds: i64) -> Option<Self> {
        DateTime::from_timestamp(seconds, 0).map(Self::new)
    }

    /// Reads RFC 3339. What an offset moves out of the years 0 to 9999 could not be written again.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|moment| moment.to_utc())
            .filter(|moment| (0..=9999).contains(&moment.year()))
            .map(Self::new)
    }

    /// Seconds since 1970.
    pub fn unix(self) -> i64 {
        self.utc().timestamp()
    }

    /// Microseconds since 1970.
    pub fn unix_micros(self) -> i64 {
        self.utc().timestamp_micros()
    }

    /// Milliseconds since 1970, never negative: what a `UUIDv7` starts with.
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.utc().timestamp_millis()).unwrap_or(0)
    }

    /// For pages and mails.
    pub fn utc(self) -> DateTime<Utc> {
        self.0.and_utc()
    }

    /// Calendar months later; the day is clamped to the month's end (31 January + 1 = 28 February).
    /// Saturates at the end of time.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        let later = self.0.checked_add_months(Months::new(months));
        later
            .filter(|later| later.year() <= 9999)
            .map_or(self, Self)
    }

    /// Microseconds later (or earlier, when negative). Saturates at the end of time.
    #[must_use]
    pub fn plus_micros(self, micros: i64) -> Self {
        let later = self.0.checked_add_signed(TimeDelta::microseconds(micros));
        later
            .filter(|later| later.year() <= 9999)
            .map_or(self, Self)
    }

    /// Seconds later (or earlier, when negative). Saturates at the end of time.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let delta = TimeDelta::try_seconds(seconds);
        delta
            .and_then(|delta| self.0.checked_add_signed(delta))
            .filter(|later| later.year() <= 9999)
            .map_or(self, Self)
    }
}

/// `2027-01-31T10:00:00`, a fraction of three or six digits where there is one, `Z`; for years of
/// four digits. A general format takes longer than all the rest of an answer's numbers.
fn plain(moment: &NaiveDateTime) -> Option<String> {
    let year = u32::try_from(moment.year()).ok()?;
    let micros = moment.nanosecond() / 1_000;
    // A leap second is more than a second's fraction.
    if year > 9_999 || micros >= 1_000_000 || !moment.nanosecond().is_multiple_of(1_000) {
        return None;
    }
    let mut text = String::with_capacity(27);
    let mut put = |number: u32, digits: u32, end: Option<char>| {
        for place in (0..digits).rev() {
            let digit = number / 10_u32.pow(place) % 10;
            text.extend(char::from_digit(digit, 10));
        }
        text.extend(end);
    };
    put(year, 4, Some('-'));
    put(moment.month(), 2, Some('-'));
    put(moment.day(), 2, Some('T'));
    put(moment.hour(), 2, Some(':'));
    put(moment.minute(), 2, Some(':'));
    if micros == 0 {
        put(moment.second(), 2, Some('Z'));
        return Some(text);
    }
    put(moment.second(), 2, Some('.'));
    if micros.is_multiple_of(1_000) {
        put(micros / 1_000, 3, Some('Z'));
    } else {
        put(micros, 6, Some('Z'));
    }
    Some(text)
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let general = || self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
        f.write_str(&plain(&self.0).unwrap_or_else(general))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("expected an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_moment_is_written_as_rfc_3339_has_it(
            seconds in -62_200_000_000_i64..253_500_000_000, micros in 0_u32..1_000_000, step in 0_usize..3,
        ) {
            let micros = [micros, micros / 1_000 * 1_000, 0][step];
            let moment = DateTime::from_timestamp(seconds, micros * 1_000).unwrap();
            let general = moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
            prop_assert_eq!(Timestamp::new(moment).to_string(), general);
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn months_are_clamped_to_the_months_end() {
        assert_eq!(
            at("2027-01-31T10:00:00Z").plus_months(1),
            at("2027-02-28T10:00:00Z")
        );
        assert_eq!(
            at("2028-02-29T00:00:00Z").plus_months(12),
            at("2029-02-28T00:00:00Z")
        );
    }

    #[test]
    fn the_end_of_time_saturates() {
        let late = at("9999-06-01T00:00:00Z");
        assert_eq!(late.plus_months(12), late);
        assert_eq!(late.plus_seconds(i64::MAX), late);
        assert_eq!(late.plus_seconds(366 * 86_400), late);
    }

    #[test]
    fn no_offset_leads_out_of_the_calendar() {
        for out in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+00:01"] {
            assert_eq!(Timestamp::parse(out), None, "{out}");
        }
        for (text, written) in [
            ("9999-12-31T23:59:59+01:00", "9999-12-31T22:59:59Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(at(text).to_string(), written);
        }
    }

    #[test]
    fn moments_are_cut_to_microseconds() {
        let moment = at("2027-01-01T00:00:00.123456789Z");
        assert_eq!(moment.to_string(), "2027-01-01T00:00:00.123456Z");
    }
}
