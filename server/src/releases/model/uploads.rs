//! How a file that comes in parts is cut.

use crate::db::types::typed_id;

typed_id!(
    /// A file that is coming in parts.
    UploadId, "upl"
);

/// Most parts of one file.
pub const PARTS_MAX: u64 = 10_000;
/// Uploads of one release that may be under way: some for each file it may have.
pub const OPEN_UPLOADS_MAX: i64 = 64;
/// Seconds after which an upload that nobody goes on with is over.
pub const UPLOAD_KEPT_SECONDS: i64 = 24 * 60 * 60;

/// Bytes of a part: each is held in memory once, and sent again at most once after a cut.
const PART_LEAST: u64 = 4 << 20;

/// How a file is cut: parts of one size, the last of what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    size: u64,
    part_size: u64,
}

impl Cut {
    /// For a file of this size: the smallest parts of which there are not too many.
    pub fn of(size: u64) -> Self {
        let mut part_size = PART_LEAST;
        while size.div_ceil(part_size) > PARTS_MAX {
            part_size = part_size.saturating_mul(2);
        }
        Self { size, part_size }
    }

    /// As it was chosen before.
    pub fn kept(size: i64, part_size: i64) -> Self {
        Self {
            size: u64::try_from(size).unwrap_or(0),
            part_size: u64::try_from(part_size).unwrap_or(0).max(1),
        }
    }

    /// Bytes of every part but the last.
    pub fn part_size(self) -> u64 {
        self.part_size
    }

    /// How many parts there are; none of an empty file.
    pub fn count(self) -> u64 {
        self.size.div_ceil(self.part_size)
    }

    /// Bytes of a part; `None` where there is no such part. They are numbered from 1.
    pub fn length(self, number: u64) -> Option<u64> {
        let before = number.checked_sub(1)?.checked_mul(self.part_size)?;
        let rest = self.size.checked_sub(before)?;
        (rest > 0).then(|| rest.min(self.part_size))
    }

    /// Parts that are not among those `held`, which are in order.
    pub fn missing(self, held: &[i32]) -> Vec<u64> {
        let is_held = |number: u64| {
            i32::try_from(number).is_ok_and(|number| held.binary_search(&number).is_ok())
        };
        (1..=self.count())
            .filter(|number| !is_held(*number))
            .collect()
    }
}

/// Whether a text is a SHA-256 in lower-case hexadecimal digits.
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_file_has_no_part() {
        let cut = Cut::of(0);
        assert_eq!((cut.count(), cut.length(0), cut.length(1)), (0, None, None));
        assert!(cut.missing(&[]).is_empty());
    }

    #[test]
    fn a_file_that_ends_with_a_part_has_no_empty_one_after_it() {
        let cut = Cut::of(8 << 20);
        assert_eq!(cut.count(), 2);
        assert_eq!(cut.length(2), Some(4 << 20));
        assert_eq!(cut.length(3), None);
        assert_eq!(cut.length(u64::MAX), None);
    }

    #[test]
    fn there_are_never_too_many_parts() {
        for size in [
            1,
            4 << 20,
            (4 << 20) * PARTS_MAX,
            (4 << 20) * PARTS_MAX + 1,
            u64::MAX,
        ] {
            assert!(Cut::of(size).count() <= PARTS_MAX, "{size}");
        }
        assert_eq!(Cut::of((4 << 20) * PARTS_MAX + 1).part_size(), 8 << 20);
    }

    proptest! {
        #[test]
        fn the_parts_are_the_file(size in 0_u64..(400 << 20)) {
            let cut = Cut::of(size);
            let lengths = (1..=cut.count()).map(|number| cut.length(number));
            let sum: Option<u64> = lengths.sum();
            prop_assert_eq!(sum, Some(size));
        }

        #[test]
        fn held_and_missing_are_all(held in prop::collection::btree_set(1_i32..=25, 0..25)) {
            let cut = Cut::of(100 << 20);
            let held: Vec<i32> = held.into_iter().collect();
            let missing = cut.missing(&held);
            prop_assert_eq!(held.len() + missing.len(), 25);
            prop_assert!(missing.iter().all(|number| !held.contains(&i32::try_from(*number).unwrap())));
        }
    }
}
