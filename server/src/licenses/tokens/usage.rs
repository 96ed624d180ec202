//! How often derived tokens are used, in the memory of this process.
//!
//! A token has so many calls a minute. A CI token is flagged when calls with it name the same
//! device, site or user in eight different hours of one day (UTC): builds come and go, workstations
//! stay. A flag refuses nothing; it is for the vendor to see.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::model::{DerivedKind, LicenseTokenId};
use super::store;
use crate::activations::model::Identity;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::kits::model::SeatKind;
use crate::licenses::store::Holding;
use crate::limits::Standing;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Hours of a day after which an identity is a workstation.
const HOURS: u32 = 8;
/// Most entries of either map; beyond them nothing more is counted until the next minute or day.
const ENTRIES_MAX: usize = 50_000;

/// More calls in this minute than a token may make, and how it stands until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many calls with one token")]
pub struct TooOften(pub Standing);

/// Counts of this minute and this day.
#[derive(Debug, Default)]
pub struct TokenUse(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    minute: i64,
    calls: HashMap<Vec<u8>, u32>,
    day: i64,
    /// One bit for each hour.
    hours: HashMap<(LicenseTokenId, u64), u32>,
}

impl TokenUse {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counts are right after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call with the token of this digest; refused beyond `most` in one minute.
    pub fn admit(&self, digest: &[u8], now: Timestamp, most: u32) -> Result<(), TooOften> {
        let (minute, into) = (now.unix().div_euclid(MINUTE), now.unix().rem_euclid(MINUTE));
        let mut counts = self.counts();
        if counts.minute != minute {
            counts.minute = minute;
            counts.calls.clear();
        }
        if counts.calls.len() >= ENTRIES_MAX && !counts.calls.contains_key(digest) {
            return Ok(());
        }
        let calls = counts.calls.entry(digest.to_vec()).or_default();
        if *calls >= most {
            let until_next = MINUTE - into;
            return Err(TooOften(Standing {
                allowed: false,
                limit: most.into(),
                remaining: 0,
                reset_seconds: until_next,
                retry_seconds: until_next,
            }));
        }
        *calls += 1;
        Ok(())
    }

    /// Notes who called with a token; `true` in the call that makes it a workstation.
    pub fn saw(&self, token: &LicenseTokenId, identity: &Identity, now: Timestamp) -> bool {
        if matches!(identity.kind, SeatKind::Project | SeatKind::None) {
            return false;
        }
        let mut hasher = DefaultHasher::new();
        (identity.kind, &identity.text).hash(&mut hasher);
        let (day, hour) = (
            now.unix().div_euclid(DAY),
            now.unix().rem_euclid(DAY) / HOUR,
        );
        let mut counts = self.counts();
        if counts.day != day {
            counts.day = day;
            counts.hours.clear();
        }
        let entry = (token.clone(), hasher.finish());
        if counts.hours.len() >= ENTRIES_MAX && !counts.hours.contains_key(&entry) {
            return false;
        }
        let seen = counts.hours.entry(entry).or_default();
        let before = *seen;
        *seen |= 1 << hour;
        before.count_ones() < HOURS && seen.count_ones() == HOURS
    }
}

/// Notes a call of a kit, and flags the token where it runs like a workstation.
pub async fn watch(
    app: &App,
    holding: &Holding,
    identity: Option<&Identity>,
) -> Result<(), DbError> {
    let (Some(via), Some(identity)) = (&holding.via, identity) else {
        return Ok(());
    };
    let now = app.clock.now();
    if via.kind != DerivedKind::Ci || !app.token_use.saw(&via.token, identity, now) {
        return Ok(());
    }
    tracing::warn!(token = %via.token, "a CI token runs like a workstation");
    let token = via.token.clone();
    app.db
        .write(Shard::of(holding.license.id.as_str()), move |tx| {
            store::flag(tx, &token, now)
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_token_has_so_many_calls_a_minute() {
        let (counts, now) = (TokenUse::default(), at("2027-01-01T00:00:40Z"));
        assert!((0..3).all(|_| counts.admit(b"a", now, 3).is_ok()));
        let TooOften(refused) = counts.admit(b"a", now, 3).unwrap_err();
        assert_eq!((refused.limit, refused.remaining), (3, 0));
        assert_eq!((refused.retry_seconds, refused.reset_seconds), (20, 20));
        assert!(counts.admit(b"b", now, 3).is_ok());
        assert!(counts.admit(b"a", now.plus_seconds(20), 3).is_ok());
    }

    #[test]
    fn one_device_in_eight_hours_of_a_day_is_a_workstation() {
        let (counts, start) = (TokenUse::default(), at("2027-01-01T00:10:00Z"));
        let token = LicenseTokenId::new(start, &SeededEntropy::new(1));
        let saw = |kind, text: &str, hour: i64| {
            let identity = Identity::new(kind, text).unwrap();
            counts.saw(&token, &identity, start.plus_seconds(hour * HOUR))
        };
        let device = SeatKind::Device;
        // Many builds, each on a machine of its own, and one project in all of them.
        assert!((0..24).all(|hour| !saw(device, &format!("runner-{hour}"), hour)));
        assert!((0..24).all(|hour| !saw(SeatKind::Project, "shop", hour)));
        assert!((0..7).all(|hour| !saw(device, "desk", hour) && !saw(device, "desk", hour)));
        assert!(saw(device, "desk", 9));
        assert!(!saw(device, "desk", 10));
        // Another day counts anew.
        assert!((24..31).all(|hour| !saw(device, "desk", hour)));
    }
}
