//! Buckets that fill again at a steady pace, one for each key, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use crate::clock::Timestamp;

const MINUTE: i64 = 60_000_000;
const SECOND: i64 = 1_000_000;
/// Most keys that are remembered at once.
const KEYS_MAX: usize = 16_384;

/// Buckets of one size. For each key only the moment is kept at which its bucket is full again.
#[derive(Debug)]
pub struct Buckets<K> {
    /// Microseconds in which a bucket gains one; 0 = no limit.
    interval: i64,
    burst: i64,
    full_at: Mutex<HashMap<K, i64>>,
}

/// How a key stands after it was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it was within its limit.
    pub allowed: bool,
    /// Most at once.
    pub limit: i64,
    /// How many more are allowed now.
    pub remaining: i64,
    /// Seconds until the whole limit is there again.
    pub reset_seconds: i64,
    /// Seconds until one more is allowed; 0 where it is now.
    pub retry_seconds: i64,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// `per_minute` in the long run, `burst` at once; 0 a minute = no limit.
    pub fn new(per_minute: u32, burst: u32) -> Self {
        Self {
            interval: MINUTE.checked_div(per_minute.into()).unwrap_or(0),
            burst: i64::from(burst).max(1),
            full_at: Mutex::default(),
        }
    }

    /// Counts one; `None` where there is no limit. What is over the limit is not counted.
    pub fn take(&self, key: &K, now: Timestamp) -> Option<Standing> {
        if self.interval == 0 {
            return None;
        }
        let now = now.unix_micros();
        let mut map = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= KEYS_MAX && !map.contains_key(key) {
            make_room(&mut map, now);
        }
        // A clock that was set back must not keep a bucket empty for longer than it takes to fill.
        let full = now + self.interval * self.burst;
        let before = map.get(key).copied().unwrap_or(now).clamp(now, full);
        let after = before + self.interval;
        let allowed = after <= full;
        let full_at = if allowed { after } else { before };
        map.insert(key.clone(), full_at);
        Some(self.standing(full_at - now, allowed))
    }

    fn standing(&self, missing: i64, allowed: bool) -> Standing {
        let room = self.interval * self.burst - missing;
        let wait = (self.interval - room).max(0);
        Standing {
            allowed,
            limit: self.burst,
            remaining: room / self.interval,
            reset_seconds: rounded_up(missing),
            retry_seconds: rounded_up(wait),
        }
    }
}

fn rounded_up(micros: i64) -> i64 {
    (micros + SECOND - 1) / SECOND
}

/// Forgets full buckets; where that is not enough, those that would be full first. Whoever
/// drew most is forgotten last.
fn make_room<K: Hash + Eq>(full_at: &mut HashMap<K, i64>, now: i64) {
    full_at.retain(|_, moment| *moment > now);
    if full_at.len() < KEYS_MAX - KEYS_MAX / 8 {
        return;
    }
    let mut moments: Vec<i64> = full_at.values().copied().collect();
    let (_, median, _) = moments.select_nth_unstable(KEYS_MAX / 8);
    let median = *median;
    full_at.retain(|_, moment| *moment > median);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_burst_is_allowed_then_the_steady_pace() {
        let buckets = Buckets::new(30, 60);
        for left in (0..60).rev() {
            let standing = buckets.take(&"a", at(0)).unwrap();
            assert!(standing.allowed);
            assert_eq!((standing.limit, standing.remaining), (60, left));
        }
        let refused = buckets.take(&"a", at(0)).unwrap();
        assert!(!refused.allowed);
        assert_eq!((refused.remaining, refused.retry_seconds), (0, 2));
        assert_eq!(refused.reset_seconds, 120);
        // Others are not touched, and refusals do not prolong anything.
        assert!(buckets.take(&"b", at(0)).unwrap().allowed);
        assert!(!buckets.take(&"a", at(1)).unwrap().allowed);
        assert!(buckets.take(&"a", at(2)).unwrap().allowed);
        assert!(!buckets.take(&"a", at(2)).unwrap().allowed);
        let rested = buckets.take(&"a", at(1_000)).unwrap();
        assert_eq!(rested.remaining, 59);
    }

    #[test]
    fn zero_a_minute_is_no_limit() {
        let buckets = Buckets::new(0, 1);
        assert!((0..1_000).all(|_| buckets.take(&"a", at(0)).is_none()));
    }

    #[test]
    fn a_clock_that_was_set_back_empties_no_bucket_for_long() {
        let buckets = Buckets::new(60, 1);
        assert!(buckets.take(&"a", at(100_000)).unwrap().allowed);
        assert_eq!(buckets.take(&"a", at(0)).unwrap().retry_seconds, 1);
        assert!(buckets.take(&"a", at(1)).unwrap().allowed);
    }

    #[test]
    fn memory_is_bounded_and_the_worst_is_forgotten_last() {
        let buckets = Buckets::new(1, 2);
        let worst = usize::MAX;
        for _ in 0..3 {
            buckets.take(&worst, at(0));
        }
        for key in 0..3 * KEYS_MAX {
            buckets.take(&key, at(0));
            assert!(buckets.full_at.lock().unwrap().len() <= KEYS_MAX);
        }
        assert!(!buckets.take(&worst, at(0)).unwrap().allowed);
    }
}
