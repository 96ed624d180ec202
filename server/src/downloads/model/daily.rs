//! What a license may fetch on one day, and from where.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::clock::Timestamp;

/// Seconds of a day.
pub const DAY_SECONDS: i64 = 24 * 60 * 60;

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(i32);

impl Day {
    /// The day of a moment.
    pub fn of(moment: Timestamp) -> Self {
        let number = moment.unix().div_euclid(DAY_SECONDS);
        Self(i32::try_from(number).unwrap_or(i32::MAX))
    }

    /// The day before.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// Days since 1970.
    pub fn number(self) -> i32 {
        self.0
    }
}

/// When the day of a moment started.
pub fn day_start(moment: Timestamp) -> Timestamp {
    let gone = moment.unix_micros().rem_euclid(DAY_SECONDS * 1_000_000);
    moment.plus_micros(-gone)
}

/// Seconds until the next day starts.
pub fn seconds_left(moment: Timestamp) -> u64 {
    let gone = moment.unix().rem_euclid(DAY_SECONDS);
    DAY_SECONDS.abs_diff(gone)
}

/// What the terms of a license allow on one day; `None` = any number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayLimits {
    /// Downloads.
    pub downloads: Option<i32>,
    /// Networks.
    pub networks: Option<i32>,
}

/// Which of them was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitReached {
    /// So many downloads.
    Downloads(i32),
    /// So many networks.
    Networks(i32),
}

/// The network of a client: the /24 of an IPv4 address, the /56 of an IPv6 one. One office or one
/// line at home stays within it when its address changes, a line at home is usually given a whole
/// /56; and it names no single machine, so that it can be kept.
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::from([a, b, c, 0]))
        }
        IpAddr::V6(address) => {
            let kept = u128::from(address) & (u128::MAX << (128 - 56));
            format!("{}/56", Ipv6Addr::from(kept))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_a_24_or_a_56() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("192.0.2.200"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2ff:3::4"), "2001:db8:1:200::/56");
        assert_ne!(of("2001:db8:1:1ff::1"), of("2001:db8:1:2ff::1"));
    }

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let at = |seconds| Timestamp::from_unix(seconds).unwrap();
        let midnight = 20_000 * DAY_SECONDS;
        assert_eq!(Day::of(at(midnight)).number(), 20_000);
        assert_eq!(Day::of(at(midnight - 1)), Day::of(at(midnight)).before());
        assert_eq!(seconds_left(at(midnight)), 86_400);
        assert_eq!(seconds_left(at(midnight - 1)), 1);
        let late = at(midnight + DAY_SECONDS - 1).plus_micros(999_999);
        assert_eq!(day_start(late), at(midnight));
        assert_eq!(day_start(at(midnight)), at(midnight));
    }
}
