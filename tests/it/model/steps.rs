//! What may happen to a license, and under which policies.

use proptest::prelude::*;
use serde_json::{Value, json};

/// One step of a life. `key` counts back from the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Activate { key: usize, device: u8 },
    Validate { key: usize, device: u8 },
    Heartbeat { key: usize, device: u8 },
    Deactivate { key: usize, device: u8 },
    Advance(i64),
    Suspend,
    Reinstate,
    Renew,
    Rotate { grace: i64 },
    Transfer,
    Limit(i32),
    Sweep,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    // The newest key mostly; now and then the one before.
    let call = || (prop_oneof![4 => Just(0_usize), 1 => Just(1)], 0..4_u8);
    prop_oneof![
        8 => call().prop_map(|(key, device)| Step::Activate { key, device }),
        4 => call().prop_map(|(key, device)| Step::Validate { key, device }),
        3 => call().prop_map(|(key, device)| Step::Heartbeat { key, device }),
        4 => call().prop_map(|(key, device)| Step::Deactivate { key, device }),
        5 => prop_oneof![
            Just(30_i64), Just(700), Just(90_000), Just(12 * 86_400), Just(31 * 86_400)
        ].prop_map(Step::Advance),
        1 => Just(Step::Suspend),
        2 => Just(Step::Reinstate),
        1 => Just(Step::Renew),
        1 => prop_oneof![Just(0_i64), Just(1_000)].prop_map(|grace| Step::Rotate { grace }),
        1 => Just(Step::Transfer),
        2 => (1..4_i32).prop_map(Step::Limit),
        1 => Just(Step::Sweep),
    ]
}

/// Terms of a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// Two devices, for good.
    Node,
    /// Two floating seats.
    Floating,
    /// Thirty days from the first activation, five of grace, one seat beyond the limit.
    Trial,
    /// One seat may be freed in ten days.
    Churn,
    /// No seats at all.
    Seatless,
}

pub(super) fn policy() -> impl Strategy<Value = Policy> {
    proptest::sample::select(Policy::ALL.to_vec())
}

impl Policy {
    pub(super) const ALL: [Self; 5] = [
        Self::Node,
        Self::Floating,
        Self::Trial,
        Self::Churn,
        Self::Seatless,
    ];

    pub(super) fn name(self) -> String {
        format!("model-{self:?}").to_lowercase()
    }

    pub(super) fn lease(self) -> Option<i64> {
        (self == Self::Floating).then_some(600)
    }

    pub(super) fn overage(self) -> i32 {
        i32::from(self == Self::Trial)
    }

    pub(super) fn valid_seconds(self) -> Option<i64> {
        (self == Self::Trial).then_some(30 * 86_400)
    }

    pub(super) fn grace_seconds(self) -> i64 {
        if self == Self::Trial { 5 * 86_400 } else { 0 }
    }

    /// Seats freed, in seconds.
    pub(super) fn churn(self) -> Option<(usize, i64)> {
        (self == Self::Churn).then_some((1, 10 * 86_400))
    }

    pub(super) fn request(self) -> Value {
        let mut body = json!({
            "name": self.name(), "edition": "Model", "scope": "kits", "kits": [super::KIT],
            "seat_kind": "device", "seat_limit": 2,
        });
        let more = match self {
            Self::Node => json!({}),
            Self::Floating => json!({ "lease_seconds": 600 }),
            Self::Trial => json!({
                "valid_days": 30, "grace_days": 5, "basis": "first_activation", "on_lapse": "stop",
                "overage_seats": 1,
            }),
            Self::Churn => json!({ "churn_seats": 1, "churn_days": 10 }),
            Self::Seatless => json!({ "seat_kind": "none", "seat_limit": null }),
        };
        let (body_members, more) = (body.as_object_mut().expect("members"), more);
        for (name, value) in more.as_object().expect("members") {
            body_members.insert(name.clone(), value.clone());
        }
        body
    }
}
