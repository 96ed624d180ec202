//! The model: what a license must say, in as few lines as it takes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::steps::{Policy, Step};

/// What is compared after each step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The answer to a kit.
    Verdict {
        code: String,
        reason: Option<String>,
        used: Option<i64>,
    },
    /// The answer to a seat that is given back.
    GivenBack(String),
    /// Whether staff got what they wanted.
    Acted(bool),
}

impl Said {
    pub(super) fn read(answer: &Value) -> Self {
        let code = answer["code"].as_str().expect("a code").to_owned();
        if answer.get("deactivated").is_some() {
            return Self::GivenBack(code);
        }
        assert_eq!(
            answer["valid"],
            ["VALID", "GRACE", "OVER_LIMIT"].contains(&code.as_str()),
            "{answer}"
        );
        Self::Verdict {
            code,
            reason: answer["reason"].as_str().map(str::to_owned),
            used: answer["license"]["seats"]["used"].as_i64(),
        }
    }
}

/// One occupied seat, and until when it is held.
#[derive(Debug, Clone, Copy)]
struct Seat {
    lease_ends: Option<i64>,
}

/// A license as it should be.
pub(super) struct Life {
    policy: Policy,
    limit: i32,
    valid_until: Option<i64>,
    started: bool,
    suspended: bool,
    /// From when each key no longer counts; the newest last.
    keys: Vec<Option<i64>>,
    /// When it went to its present owner, if it was another's before.
    owned_since: Option<i64>,
    seats: BTreeMap<u8, Seat>,
    /// Devices that had a seat, and why they have it no longer.
    former: BTreeMap<u8, &'static str>,
    /// When the customer freed seats.
    freed: Vec<i64>,
}

impl Life {
    pub(super) fn new(policy: Policy, _now: i64) -> Self {
        Self {
            policy,
            limit: 2,
            valid_until: None,
            started: false,
            suspended: false,
            keys: vec![None],
            owned_since: None,
            seats: BTreeMap::new(),
            former: BTreeMap::new(),
            freed: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, step: Step, now: i64) -> Said {
        self.end_leases(now);
        match step {
            Step::Activate { key, device } => self.activate(key, device, now),
            Step::Validate { key, device } => self.verdict(key, device, now),
            Step::Heartbeat { key, device } => {
                let said = self.verdict(key, device, now);
                if self.refusal(key, now).is_none() {
                    self.extend(device, now);
                }
                said
            }
            Step::Deactivate { key, device } => self.deactivate(key, device, now),
            Step::Advance(_) | Step::Sweep => Said::Acted(true),
            Step::Suspend => {
                self.suspended = true;
                Said::Acted(true)
            }
            Step::Reinstate => Said::Acted(std::mem::take(&mut self.suspended)),
            Step::Renew => self.renew(now),
            Step::Rotate { grace } => {
                self.replace_keys(now + grace);
                Said::Acted(true)
            }
            Step::Transfer => {
                self.replace_keys(now);
                self.owned_since = Some(now);
                for device in std::mem::take(&mut self.seats).into_keys() {
                    self.former.insert(device, "freed");
                }
                self.freed.clear();
                Said::Acted(true)
            }
            Step::Limit(limit) => self.set_limit(limit),
        }
    }

    fn seatless(&self) -> bool {
        self.policy == Policy::Seatless
    }

    fn end_leases(&mut self, now: i64) {
        let over: Vec<u8> = self
            .seats
            .iter()
            .filter(|(_, seat)| seat.lease_ends.is_some_and(|end| end <= now))
            .map(|(device, _)| *device)
            .collect();
        for device in over {
            self.seats.remove(&device);
            self.former.insert(device, "lease_ended");
        }
    }

    fn refusal(&self, key: usize, now: i64) -> Option<&'static str> {
        let key = self.keys[self.keys.len().saturating_sub(1 + key)];
        if key.is_some_and(|end| end <= now) {
            return Some("KEY_REPLACED");
        }
        if self.suspended {
            return Some("SUSPENDED");
        }
        let end = self
            .valid_until
            .map(|end| end + self.policy.grace_seconds());
        end.is_some_and(|end| end <= now).then_some("EXPIRED")
    }

    fn used(&self) -> i64 {
        i64::try_from(self.seats.len()).expect("few")
    }

    fn said(&self, code: &str, reason: Option<&str>) -> Said {
        Said::Verdict {
            code: code.to_owned(),
            reason: reason.map(str::to_owned),
            used: Some(self.used()),
        }
    }

    /// Whoever had the license before is told nothing of it.
    fn refused(&self, key: usize, code: &str) -> Said {
        let end = self.keys[self.keys.len().saturating_sub(1 + key)];
        let is_former = end
            .zip(self.owned_since)
            .is_some_and(|(end, since)| end <= since);
        Said::Verdict {
            code: code.to_owned(),
            reason: None,
            used: (!is_former).then(|| self.used()),
        }
    }

    fn sound(&self, now: i64) -> Said {
        let over = !self.seatless() && self.used() > i64::from(self.limit);
        let code = match self.valid_until {
            _ if over => "OVER_LIMIT",
            Some(end) if end <= now => "GRACE",
            _ => "VALID",
        };
        self.said(code, None)
    }

    fn verdict(&self, key: usize, device: u8, now: i64) -> Said {
        if let Some(refusal) = self.refusal(key, now) {
            return self.refused(key, refusal);
        }
        if self.seatless() || self.seats.contains_key(&device) {
            return self.sound(now);
        }
        let reason = self.former.get(&device).copied().unwrap_or("never");
        self.said("NOT_ACTIVATED", Some(reason))
    }

    fn activate(&mut self, key: usize, device: u8, now: i64) -> Said {
        if let Some(refusal) = self.refusal(key, now) {
            return self.refused(key, refusal);
        }
        if !self.seatless() && !self.seats.contains_key(&device) {
            if self.used() >= i64::from(self.limit + self.policy.overage()) {
                return self.said("SEATS_EXHAUSTED", None);
            }
            self.seats.insert(device, Seat { lease_ends: None });
            self.former.remove(&device);
        }
        self.extend(device, now);
        if !self.started {
            self.started = true;
            let seconds = self.policy.valid_seconds();
            self.valid_until = self.valid_until.or(seconds.map(|seconds| now + seconds));
        }
        self.sound(now)
    }

    fn extend(&mut self, device: u8, now: i64) {
        let end = self.policy.lease().map(|seconds| now + seconds);
        if let Some(seat) = self.seats.get_mut(&device) {
            seat.lease_ends = end;
        }
    }

    fn deactivate(&mut self, key: usize, device: u8, now: i64) -> Said {
        let given = |code: &str| Said::GivenBack(code.to_owned());
        if self.refusal(key, now) == Some("KEY_REPLACED") {
            return given("KEY_REPLACED");
        }
        if !self.seats.contains_key(&device) {
            return given("NOT_ACTIVATED");
        }
        if let Some((seats, seconds)) = self.policy.churn() {
            let recent = self.freed.iter().filter(|at| **at > now - seconds);
            if recent.count() >= seats {
                return given("CHURN_LIMIT");
            }
        }
        self.seats.remove(&device);
        self.former.insert(device, "freed");
        self.freed.push(now);
        given("FREED")
    }

    fn replace_keys(&mut self, end: i64) {
        for key in &mut self.keys {
            *key = Some(key.map_or(end, |known| known.min(end)));
        }
        self.keys.push(None);
    }

    /// From now on as long as the policy says; nothing to renew where nothing ends.
    fn renew(&mut self, now: i64) -> Said {
        let Some(seconds) = self.policy.valid_seconds() else {
            return Said::Acted(false);
        };
        if !self.started {
            return Said::Acted(false);
        }
        self.valid_until = Some(now + seconds);
        Said::Acted(true)
    }

    fn set_limit(&mut self, limit: i32) -> Said {
        if self.seatless() {
            return Said::Acted(false);
        }
        self.limit = limit;
        Said::Acted(true)
    }
}
