//! The end of a license after one more duration.

use chrono::Datelike;

use crate::clock::Timestamp;

/// `end` and so many months. Where `end` itself is whole months after `anchor`, the months count
/// from there: what began on a 31st ends on the last of a short month and on the 31st of a long one.
pub fn renewed(anchor: Timestamp, end: Timestamp, months: u32) -> Timestamp {
    let since = months_between(anchor, end);
    let whole = since.filter(|since| anchor.plus_months(*since) == end);
    match whole.and_then(|since| since.checked_add(months)) {
        Some(total) => anchor.plus_months(total),
        None => end.plus_months(months),
    }
}

/// By the calendar alone, days apart; nothing where `end` lies in a month before.
fn months_between(anchor: Timestamp, end: Timestamp) -> Option<u32> {
    let months = |moment: Timestamp| {
        let date = moment.utc();
        i64::from(date.year()) * 12 + i64::from(date.month0())
    };
    u32::try_from(months(end) - months(anchor)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn the_day_of_the_anchor_comes_back_after_a_short_month() {
        let anchor = at("2027-01-31T10:00:00Z");
        let february = renewed(anchor, anchor, 1);
        assert_eq!(february, at("2027-02-28T10:00:00Z"));
        assert_eq!(renewed(anchor, february, 1), at("2027-03-31T10:00:00Z"));
        assert_eq!(
            renewed(at("2028-02-29T00:00:00Z"), at("2031-02-28T00:00:00Z"), 12),
            at("2032-02-29T00:00:00Z")
        );
    }

    #[test]
    fn an_end_that_was_set_by_hand_counts_from_itself() {
        let anchor = at("2027-01-31T10:00:00Z");
        let end = at("2027-02-27T10:00:00Z");
        assert_eq!(renewed(anchor, end, 1), at("2027-03-27T10:00:00Z"));
        let before = at("2026-12-31T10:00:00Z");
        assert_eq!(renewed(anchor, before, 2), at("2027-02-28T10:00:00Z"));
    }
}
