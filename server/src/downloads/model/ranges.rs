//! Which bytes of a file a request wants (RFC 9110 §14).

use std::ops::Range;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// All of it.
    Whole,
    /// One part of it, not empty.
    Part(Range<u64>),
    /// Nothing: the range lies beyond the end.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range`. What is malformed, in other units, or names several parts counts
/// as if it had not been sent.
pub fn plan(range: Option<&str>, if_range: Option<&str>, etag: &str, size: u64) -> Delivery {
    // A date never matches: files have no modification time, their bytes never change.
    if if_range.is_some_and(|tag| tag.trim() != etag) {
        return Delivery::Whole;
    }
    range
        .and_then(|range| one_range(range, size))
        .unwrap_or(Delivery::Whole)
}

fn one_range(header: &str, size: u64) -> Option<Delivery> {
    let (unit, set) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    if first.is_empty() {
        return suffix(number(last)?, size);
    }
    let first = number(first)?;
    let last = if last.is_empty() {
        u64::MAX
    } else {
        number(last)?
    };
    if last < first {
        return None;
    }
    if first >= size {
        return Some(Delivery::Unsatisfiable);
    }
    Some(Delivery::Part(first..last.saturating_add(1).min(size)))
}

/// The last `length` bytes.
fn suffix(length: u64, size: u64) -> Option<Delivery> {
    match (length, size) {
        (0, _) => Some(Delivery::Unsatisfiable),
        (_, 0) => None,
        _ => Some(Delivery::Part(size.saturating_sub(length)..size)),
    }
}

/// Digits only; more than fit mean the largest number.
fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"abc\"";

    fn of(range: &str) -> Delivery {
        plan(Some(range), None, TAG, 1000)
    }

    #[test]
    fn one_range_is_cut_to_the_file() {
        assert_eq!(of("bytes=0-499"), Delivery::Part(0..500));
        assert_eq!(of("bytes=0-"), Delivery::Part(0..1000));
        assert_eq!(of("bytes=999-999"), Delivery::Part(999..1000));
        assert_eq!(of("Bytes=10-99999"), Delivery::Part(10..1000));
        assert_eq!(
            of("bytes=5-99999999999999999999999"),
            Delivery::Part(5..1000)
        );
        assert_eq!(of("bytes=-1"), Delivery::Part(999..1000));
        assert_eq!(of("bytes=-5000"), Delivery::Part(0..1000));
    }

    #[test]
    fn a_range_beyond_the_end_cannot_be_satisfied() {
        assert_eq!(of("bytes=1000-"), Delivery::Unsatisfiable);
        assert_eq!(of("bytes=-0"), Delivery::Unsatisfiable);
        assert_eq!(
            plan(Some("bytes=0-"), None, TAG, 0),
            Delivery::Unsatisfiable
        );
        assert_eq!(plan(Some("bytes=-5"), None, TAG, 0), Delivery::Whole);
    }

    #[test]
    fn what_is_not_one_range_is_ignored() {
        for bad in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "lines=0-1",
            "bytes=0-1,5-6",
            "bytes=+1-2",
            "bytes=1",
            "bytes=--1",
        ] {
            assert_eq!(of(bad), Delivery::Whole, "{bad}");
        }
        assert_eq!(plan(None, None, TAG, 1000), Delivery::Whole);
    }

    #[test]
    fn a_part_of_another_file_is_never_sent() {
        let part = Delivery::Part(5..1000);
        assert_eq!(plan(Some("bytes=5-"), Some(TAG), TAG, 1000), part);
        for other in ["\"other\"", "W/\"abc\"", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(
                plan(Some("bytes=5-"), Some(other), TAG, 1000),
                Delivery::Whole,
                "{other}"
            );
        }
    }
}
