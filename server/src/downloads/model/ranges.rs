//! Which bytes of a file a request wants (RFC 9110 §14).

use std::ops::Range;

/// Most parts one request may name; more count as if none had been named.
pub const RANGES_MAX: usize = 64;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// All of it.
    Whole,
    /// Parts of it: none is empty, none touches another, in ascending order.
    Parts(Vec<Range<u64>>),
    /// Nothing: all ranges lie beyond the end.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range`. What is malformed, in other units, or names too many parts counts
/// as if it had not been sent.
pub fn plan(range: Option<&str>, if_range: Option<&str>, etag: &str, size: u64) -> Delivery {
    // A date never matches: files have no modification time, their bytes never change.
    if if_range.is_some_and(|tag| tag.trim() != etag) {
        return Delivery::Whole;
    }
    range
        .and_then(|range| ranges(range, size))
        .unwrap_or(Delivery::Whole)
}

fn ranges(header: &str, size: u64) -> Option<Delivery> {
    let (unit, set) = header.split_once('=')?;
    // Empty elements of a list mean nothing (RFC 9110 §5.6.1).
    let specs = set
        .split(',')
        .map(str::trim)
        .filter(|spec| !spec.is_empty());
    if !unit.trim().eq_ignore_ascii_case("bytes") || specs.clone().count() > RANGES_MAX {
        return None;
    }
    let asked: Vec<Spec> = specs
        .map(|spec| one_range(spec, size))
        .collect::<Option<_>>()?;
    if asked.is_empty() || asked.contains(&Spec::Whole) {
        return None;
    }
    let mut parts: Vec<Range<u64>> = asked
        .into_iter()
        .filter_map(|spec| match spec {
            Spec::Part(part) => Some(part),
            Spec::Beyond | Spec::Whole => None,
        })
        .collect();
    parts.sort_by_key(|part| part.start);
    let parts = coalesced(parts);
    Some(if parts.is_empty() {
        Delivery::Unsatisfiable
    } else {
        Delivery::Parts(parts)
    })
}

/// Parts that overlap or touch become one: no byte is sent twice.
fn coalesced(sorted: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut parts: Vec<Range<u64>> = Vec::with_capacity(sorted.len());
    for part in sorted {
        match parts.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => parts.push(part),
        }
    }
    parts
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Spec {
    Part(Range<u64>),
    Beyond,
    /// The end of a file that has no bytes.
    Whole,
}

fn one_range(spec: &str, size: u64) -> Option<Spec> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        return Some(suffix(number(last)?, size));
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
        return Some(Spec::Beyond);
    }
    Some(Spec::Part(first..last.saturating_add(1).min(size)))
}

/// The last `length` bytes.
fn suffix(length: u64, size: u64) -> Spec {
    match (length, size) {
        (0, _) => Spec::Beyond,
        (_, 0) => Spec::Whole,
        _ => Spec::Part(size.saturating_sub(length)..size),
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

    fn parts(parts: &[Range<u64>]) -> Delivery {
        Delivery::Parts(parts.to_vec())
    }

    fn part(part: Range<u64>) -> Delivery {
        Delivery::Parts(vec![part])
    }

    fn of(range: &str) -> Delivery {
        plan(Some(range), None, TAG, 1000)
    }

    #[test]
    fn one_range_is_cut_to_the_file() {
        assert_eq!(of("bytes=0-499"), part(0..500));
        assert_eq!(of("bytes=0-"), part(0..1000));
        assert_eq!(of("bytes=999-999"), part(999..1000));
        assert_eq!(of("Bytes=10-99999"), part(10..1000));
        assert_eq!(of("bytes=5-99999999999999999999999"), part(5..1000));
        assert_eq!(of("bytes=-1"), part(999..1000));
        assert_eq!(of("bytes=-5000"), part(0..1000));
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
    fn several_ranges_are_sorted_and_no_byte_is_sent_twice() {
        assert_eq!(of("bytes=0-1,5-6"), parts(&[0..2, 5..7]));
        assert_eq!(of("bytes=5-6, 0-1"), parts(&[0..2, 5..7]));
        assert_eq!(of("bytes=0-9,5-14,15-19"), part(0..20));
        assert_eq!(of("bytes=0-9,,-10"), parts(&[0..10, 990..1000]));
        assert_eq!(of("bytes=0-9,2000-"), part(0..10));
        assert_eq!(of("bytes=1000-,2000-3000,-0"), Delivery::Unsatisfiable);
    }

    #[test]
    fn too_many_ranges_count_as_none() {
        let many = |count: u64| -> String {
            let each: Vec<String> = (0..count).map(|n| format!("{}-{}", n * 2, n * 2)).collect();
            format!("bytes={}", each.join(","))
        };
        let Delivery::Parts(most) = of(&many(64)) else {
            panic!("64 are served")
        };
        assert_eq!(most.len(), RANGES_MAX);
        assert_eq!(of(&many(65)), Delivery::Whole);
        assert_eq!(of(&many(100_000)), Delivery::Whole);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_asked_parts_lie_inside_in_order_and_apart(
            asked in proptest::collection::vec((0_u64..1200, 0_u64..1200), 1..70),
            size in 0_u64..1100,
        ) {
            let specs: Vec<String> = asked.iter().map(|(from, to)| format!("{from}-{to}")).collect();
            let header = format!("bytes={}", specs.join(","));
            if let Delivery::Parts(parts) = plan(Some(&header), None, TAG, size) {
                let mut end = None;
                for part in parts {
                    assert!(part.start < part.end && part.end <= size);
                    assert!(end.is_none_or(|end| end < part.start));
                    end = Some(part.end);
                }
            }
        }
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for bad in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "lines=0-1",
            "bytes=0-1,x",
            "bytes=,",
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
        let rest = part(5..1000);
        assert_eq!(plan(Some("bytes=5-"), Some(TAG), TAG, 1000), rest);
        for other in ["\"other\"", "W/\"abc\"", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(
                plan(Some("bytes=5-"), Some(other), TAG, 1000),
                Delivery::Whole,
                "{other}"
            );
        }
    }
}
