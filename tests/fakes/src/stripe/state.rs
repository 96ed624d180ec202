//! What the stand-in knows, shared by its owner and its request handler.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::checkout::{Checkout, CheckoutIds};
use super::{objects, signature};

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// `GET`, `POST` …
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `Stripe-Version` header.
    pub stripe_version: Option<String>,
}

/// A Checkout Session and its positions.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) body: Value,
    pub(super) lines: Vec<Value>,
}

/// Everything that can be fetched, by id.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) others: BTreeMap<String, Value>,
}

/// How requests are to be spoilt.
#[derive(Debug, Default)]
struct Faults {
    delay: Duration,
    down: bool,
    failures: usize,
    status: u16,
}

/// The state of one stand-in.
#[derive(Debug, Default)]
pub(super) struct State {
    stored: Mutex<Stored>,
    faults: Mutex<Faults>,
    requests: Mutex<Vec<RecordedRequest>>,
    issued: AtomicU64,
    answered: AtomicU64,
    fixed_now: AtomicI64,
}

/// Locks also after a panic elsewhere: each change is complete when its guard is dropped.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn stored(&self) -> MutexGuard<'_, Stored> {
        lock(&self.stored)
    }

    pub(super) fn add_checkout(&self, checkout: &Checkout) -> CheckoutIds {
        let mode = if checkout.livemode {
            "cs_live_"
        } else {
            "cs_test_"
        };
        let ids = CheckoutIds {
            session: self.issue(mode, 58),
            payment_intent: if checkout.has_payment() {
                self.issue("pi_3", 23)
            } else {
                String::new()
            },
            line_items: checkout
                .lines
                .iter()
                .map(|_| self.issue("li_1", 23))
                .collect(),
        };
        let created = self.now();
        let lines = checkout
            .lines
            .iter()
            .zip(&ids.line_items)
            .map(|(line, id)| objects::line_item(checkout, line, id, created))
            .collect();
        let body = objects::session(checkout, &ids, created);
        self.stored()
            .sessions
            .insert(ids.session.clone(), Session { body, lines });
        ids
    }

    /// The object with this id, or one that has nothing but the id.
    pub(super) fn snapshot(&self, id: &str) -> Value {
        let stored = self.stored();
        let session = stored.sessions.get(id).map(|session| session.body.clone());
        session
            .or_else(|| stored.others.get(id).cloned())
            .unwrap_or_else(|| serde_json::json!({ "id": id }))
    }

    /// A new id; the n-th of each stand-in is always the same.
    pub(super) fn issue(&self, prefix: &str, length: usize) -> String {
        id(prefix, self.issued.fetch_add(1, Ordering::Relaxed), length)
    }

    /// Requests are counted apart, so that their number does not change other ids.
    pub(super) fn issue_request_id(&self) -> String {
        id("req_", self.answered.fetch_add(1, Ordering::Relaxed), 14)
    }

    pub(super) fn set_now(&self, unix_seconds: i64) {
        self.fixed_now.store(unix_seconds, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> i64 {
        match self.fixed_now.load(Ordering::Relaxed) {
            0 => system_now(),
            fixed => fixed,
        }
    }

    pub(super) fn record(&self, request: RecordedRequest) {
        lock(&self.requests).push(request);
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.requests).clone()
    }

    pub(super) fn forget_requests(&self) {
        lock(&self.requests).clear();
    }

    pub(super) fn fail_next(&self, failures: usize, status: u16) {
        let mut faults = lock(&self.faults);
        faults.failures = failures;
        faults.status = status;
    }

    pub(super) fn set_delay(&self, delay: Duration) {
        lock(&self.faults).delay = delay;
    }

    pub(super) fn set_down(&self, down: bool) {
        lock(&self.faults).down = down;
    }

    pub(super) fn delay(&self) -> Duration {
        lock(&self.faults).delay
    }

    /// The status with which the request at hand has to fail, counting it.
    pub(super) fn take_failure(&self) -> Option<u16> {
        let mut faults = lock(&self.faults);
        if faults.down {
            return Some(503);
        }
        faults.failures = faults.failures.checked_sub(1)?;
        Some(faults.status)
    }
}

fn id(prefix: &str, number: u64, length: usize) -> String {
    let digest = Sha256::digest(format!("{prefix}{number}"));
    prefix
        .chars()
        .chain(signature::hex(&digest).chars().take(length))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "Stripe has a clock of its own")]
fn system_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| {
            i64::try_from(passed.as_secs()).unwrap_or(i64::MAX)
        })
}
