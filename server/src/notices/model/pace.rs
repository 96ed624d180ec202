//! How many mails of a lane may leave now, so that in the long run no more leave than a rate allows,
//! whatever piled up meanwhile.

const MINUTE: i64 = 60_000_000;

/// What a lane that was quiet may send at once: so many seconds of its rate.
pub const BURST_SECONDS: i64 = 10;

/// How many of `wanted` may leave at `now`, and when the next one may; times in microseconds. The
/// mail after the burst waits for its turn, which comes at even distances.
pub fn grant(next: i64, now: i64, per_minute: u32, wanted: usize) -> (usize, i64) {
    let distance = (MINUTE / i64::from(per_minute.max(1))).max(1);
    // The last place of the burst lies at now; a quiet lane has one place at least.
    let burst = (BURST_SECONDS * 1_000_000 / distance - 1).max(0);
    let next = next.max(now - burst * distance);
    let places = if next > now {
        0
    } else {
        (now - next) / distance + 1
    };
    let wanted = i64::try_from(wanted).unwrap_or(i64::MAX);
    let granted = places.min(wanted);
    let next = next + granted * distance;
    (usize::try_from(granted).unwrap_or(0), next)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quiet_lane_sends_a_burst_and_then_waits_for_places() {
        let now = 1_000 * MINUTE;
        let (first, next) = grant(0, now, 60, 100);
        assert_eq!(first, 10);
        assert_eq!(grant(next, now, 60, 100).0, 0);
        assert_eq!(grant(next, now + 2_500_000, 60, 100).0, 2);
        let (few, next) = grant(0, now, 60, 3);
        assert_eq!(few, 3);
        assert_eq!(grant(next, now, 60, 100).0, 7);
    }

    #[test]
    fn a_slow_rate_has_one_place_at_a_time() {
        let now = 1_000 * MINUTE;
        let (first, next) = grant(0, now, 1, 5);
        assert_eq!(first, 1);
        assert_eq!(grant(next, now + MINUTE - 1, 1, 5).0, 0);
        assert_eq!(grant(next, now + MINUTE, 1, 5).0, 1);
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_the_rate_and_a_burst(
            rate in 1_u32..2_000,
            steps in proptest::collection::vec((0_i64..20_000_000, 0_usize..200), 1..60),
        ) {
            let mut now = 1_000 * MINUTE;
            let mut next = 0;
            let mut left: Vec<(i64, usize)> = Vec::new();
            for (pause, wanted) in steps {
                now += pause;
                let (granted, then) = grant(next, now, rate, wanted);
                next = then;
                left.push((now, granted));
                let minute = left.iter().filter(|(at, _)| *at > now - MINUTE);
                let sum: usize = minute.map(|(_, count)| count).sum();
                let most = i64::from(rate) + i64::from(rate) * BURST_SECONDS / 60 + 2;
                prop_assert!(i64::try_from(sum).unwrap() <= most, "{sum} of {most}");
            }
        }
    }
}
