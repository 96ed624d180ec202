//! To how many a release is offered, and to whom first.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use utoipa::ToSchema;

use crate::clock::Timestamp;

/// Most steps of a schedule.
pub const STEPS_MAX: usize = 50;

/// Of how many parts a share is: hundredths of a percent.
pub(super) const WHOLE: u32 = 10_000;

/// From when on a release is offered to how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From then on.
    pub at: Timestamp,
    /// Of a hundred.
    #[schema(maximum = 100)]
    pub percent: u8,
}

/// A schedule: nobody before its first step, a straight line between two steps, and after the last
/// what that one says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Rollout(Vec<Step>);

/// Why a schedule is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a schedule {}", self.reason())]
pub enum RolloutFault {
    /// No steps, or too many.
    Count,
    /// More than all.
    Percent,
    /// A step is not later than the one before it.
    Order,
}

impl RolloutFault {
    /// What it must be, as the end of a sentence.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Count => "must have 1 to 50 steps",
            Self::Percent => "must have percentages of 0 to 100",
            Self::Order => {
                "must have its steps in the order of their times, no two at the same time"
            }
        }
    }
}

impl Rollout {
    /// Checks the steps.
    pub fn new(steps: Vec<Step>) -> Result<Self, RolloutFault> {
        if steps.is_empty() || steps.len() > STEPS_MAX {
            return Err(RolloutFault::Count);
        }
        if steps.iter().any(|step| step.percent > 100) {
            return Err(RolloutFault::Percent);
        }
        let pairs = steps.iter().zip(steps.iter().skip(1));
        if pairs.into_iter().any(|(one, next)| one.at >= next.at) {
            return Err(RolloutFault::Order);
        }
        Ok(Self(steps))
    }

    /// Its steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Its share at a moment, in hundredths of a percent.
    pub fn share(&self, now: Timestamp) -> u32 {
        let next = self.0.iter().find(|step| step.at > now);
        let last = self.0.iter().rev().find(|step| step.at <= now);
        match (last, next) {
            (None, _) => 0,
            (Some(last), None) => hundredths(last),
            (Some(last), Some(next)) => between(last, next, now),
        }
    }

    /// The same schedule, its steps from `since` on so much later: what a halt held up.
    #[must_use]
    pub fn resumed(&self, since: Timestamp, now: Timestamp) -> Self {
        let held_up = now.unix_micros() - since.unix_micros();
        let share = self.share(since);
        let (begun, due): (Vec<Step>, Vec<Step>) = self.0.iter().partition(|step| step.at <= since);
        if due.is_empty() {
            return self.clone();
        }
        // Where the line had got to, in whole percents, as steps are; nobody loses what was offered.
        let percent = u8::try_from(share.div_ceil(100)).unwrap_or(100);
        let mut steps = Vec::with_capacity(due.len() + 1);
        if !begun.is_empty() {
            steps.push(Step { at: now, percent });
        }
        steps.extend(due.into_iter().map(|step| Step {
            at: step.at.plus_micros(held_up),
            ..step
        }));
        Self(steps)
    }
}

fn hundredths(step: &Step) -> u32 {
    u32::from(step.percent) * 100
}

fn between(last: &Step, next: &Step, now: Timestamp) -> u32 {
    let (from, to) = (i128::from(hundredths(last)), i128::from(hundredths(next)));
    let passed = i128::from(now.unix_micros()) - i128::from(last.at.unix_micros());
    let whole = i128::from(next.at.unix_micros()) - i128::from(last.at.unix_micros());
    let share = from + (to - from) * passed / whole.max(1);
    u32::try_from(share).unwrap_or(0).min(WHOLE)
}

/// Where a subject stands in the queue of a release: 0 is first of 10 000. The salt is the release's
/// own, so that it is not the same ones each time.
pub fn bucket(salt: &[u8], subject: &str) -> u32 {
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt) else {
        return WHOLE - 1;
    };
    mac.update(subject.as_bytes());
    let digest = mac.finalize().into_bytes();
    let first = digest.iter().take(8);
    let number = first.fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let scaled = (u128::from(number) * u128::from(WHOLE)) >> 64;
    u32::try_from(scaled).unwrap_or(WHOLE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn schedule(steps: &[(&str, u8)]) -> Result<Rollout, RolloutFault> {
        let step = |(time, percent): &(&str, u8)| Step {
            at: at(time),
            percent: *percent,
        };
        Rollout::new(steps.iter().map(step).collect())
    }

    const SALT: [u8; 16] = [7; 16];

    #[test]
    fn a_bucket_is_the_first_eight_bytes_of_the_mac_scaled() {
        // Python: int.from_bytes(hmac.digest(bytes([7]) * 16, b"lic_x", "sha256")[:8]) * 10000 >> 64
        assert_eq!(bucket(&SALT, "lic_x"), 1613);
    }

    #[test]
    fn buckets_are_even_and_a_larger_share_holds_the_smaller() {
        let subjects: Vec<u32> = (0..100_000)
            .map(|number| bucket(&SALT, &format!("install-{number}")))
            .collect();
        let within = |share: u32| subjects.iter().filter(|it| **it < share).count();
        assert!(within(WHOLE) == 100_000 && within(0) == 0);
        for (share, count) in [(100, 1_000), (2_500, 25_000), (9_000, 90_000)] {
            let found = i64::try_from(within(share)).unwrap();
            assert!((found - count).abs() < 600, "{share}: {found}");
        }
    }

    #[test]
    fn each_release_draws_its_own_first_ones() {
        let both = (0..100_000)
            .filter(|number| {
                let subject = format!("install-{number}");
                bucket(&SALT, &subject) < 1_000 && bucket(&[8; 16], &subject) < 1_000
            })
            .count();
        assert!((800..1_200).contains(&both), "{both} of 10 000");
    }

    #[test]
    fn a_share_follows_a_straight_line_from_step_to_step() {
        let rollout = schedule(&[
            ("2027-03-01T00:00:00Z", 10),
            ("2027-03-03T00:00:00Z", 50),
            ("2027-03-04T00:00:00Z", 100),
        ])
        .unwrap();
        for (time, share) in [
            ("2027-02-28T23:59:59Z", 0),
            ("2027-03-01T00:00:00Z", 1_000),
            ("2027-03-02T00:00:00Z", 3_000),
            ("2027-03-02T23:59:59.999999Z", 4_999),
            ("2027-03-03T00:00:00Z", 5_000),
            ("2027-03-03T12:00:00Z", 7_500),
            ("2027-03-04T00:00:00Z", 10_000),
            ("2031-01-01T00:00:00Z", 10_000),
        ] {
            assert_eq!(rollout.share(at(time)), share, "{time}");
        }
        let falling = schedule(&[("2027-03-01T00:00:00Z", 50), ("2027-03-02T00:00:00Z", 0)]);
        let falling = falling.unwrap();
        assert_eq!(falling.share(at("2027-03-01T12:00:00Z")), 2_500);
        assert_eq!(falling.share(at("2027-03-02T00:00:00Z")), 0);
    }

    #[test]
    fn a_schedule_is_in_order_and_within_bounds() {
        let first = ("2027-03-01T00:00:00Z", 10);
        assert_eq!(schedule(&[]), Err(RolloutFault::Count));
        assert_eq!(schedule(&[first, first]), Err(RolloutFault::Order));
        let back = [("2027-03-02T00:00:00Z", 10), ("2027-03-01T00:00:00Z", 20)];
        assert_eq!(schedule(&back), Err(RolloutFault::Order));
        let beyond = [("2027-03-02T00:00:00Z", 101)];
        assert_eq!(schedule(&beyond), Err(RolloutFault::Percent));
        let step = |number: i64| Step {
            at: at("2027-03-01T00:00:00Z").plus_seconds(number),
            percent: 1,
        };
        assert!(Rollout::new((0..50).map(step).collect()).is_ok());
        let many = Rollout::new((0..51).map(step).collect());
        assert_eq!(many, Err(RolloutFault::Count));
    }

    #[test]
    fn a_halt_holds_the_schedule_up() {
        let rollout = schedule(&[("2027-03-01T00:00:00Z", 0), ("2027-03-11T00:00:00Z", 100)]);
        let rollout = rollout.unwrap();
        let (halted, now) = (at("2027-03-03T00:00:00Z"), at("2027-03-13T00:00:00Z"));
        let resumed = rollout.resumed(halted, now);
        assert_eq!(resumed.share(now), 2_000);
        assert_eq!(resumed.share(at("2027-03-17T00:00:00Z")), 6_000);
        assert_eq!(resumed.share(at("2027-03-21T00:00:00Z")), 10_000);
        let before = rollout.resumed(at("2027-02-20T00:00:00Z"), at("2027-02-21T00:00:00Z"));
        assert_eq!(before.share(at("2027-03-02T00:00:00Z")), 0);
        assert_eq!(before.share(at("2027-03-07T00:00:00Z")), 5_000);
        let over = rollout.resumed(at("2027-04-01T00:00:00Z"), at("2027-05-01T00:00:00Z"));
        assert_eq!(over, rollout);
    }
}
