//! Counters for operators (OpenMetrics). Labels are closed sets: patterns, never paths.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::releases::sweep::Swept;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    lane: &'static str,
    outcome: &'static str,
}

/// What one installation counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    outbox: Family<OutcomeLabels, Counter>,
    waiting_writes: Gauge<i64, AtomicI64>,
    key_misses: Counter,
    key_misses_limited: Counter,
    storage_strays: Counter,
    storage_removed: Counter,
}

fn duration_buckets() -> Histogram {
    Histogram::new(exponential_buckets(0.000_1, 4.0, 9))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("kitward");
        let requests = Family::default();
        let durations: Family<_, _, fn() -> Histogram> =
            Family::new_with_constructor(duration_buckets as fn() -> Histogram);
        let outbox = Family::default();
        let waiting_writes = Gauge::default();
        let (key_misses, key_misses_limited) = (Counter::default(), Counter::default());
        registry.register("http_requests", "Requests served", requests.clone());
        registry.register("http_request_seconds", "Time to answer", durations.clone());
        registry.register("outbox_attempts", "Outbox rows tried", outbox.clone());
        registry.register(
            "db_waiting_writes",
            "Units of work in queues",
            waiting_writes.clone(),
        );
        registry.register(
            "key_misses",
            "Keys and tokens presented that nobody has",
            key_misses.clone(),
        );
        registry.register(
            "key_misses_limited",
            "Those of them that were turned away for being too many",
            key_misses_limited.clone(),
        );
        let (storage_strays, storage_removed) = (Counter::default(), Counter::default());
        registry.register(
            "storage_strays",
            "Files and parts in the kit storage that nobody owned",
            storage_strays.clone(),
        );
        registry.register(
            "storage_removed",
            "Stored files removed because nothing referred to them for a day",
            storage_removed.clone(),
        );
        Self {
            registry,
            requests,
            durations,
            outbox,
            waiting_writes,
            key_misses,
            key_misses_limited,
            storage_strays,
            storage_removed,
        }
    }
}

/// Methods that get a label of their own; anything may be sent as a method.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Metrics {
    /// One request was answered.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let method = if METHODS.contains(&method) {
            method
        } else {
            "other"
        };
        let labels = RequestLabels {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&labels).inc();
        let route = RouteLabels {
            route: route.to_owned(),
        };
        self.durations
            .get_or_create(&route)
            .observe(took.as_secs_f64());
    }

    /// One outbox row was tried: `sent`, `retry` or `dead`.
    pub fn outbox(&self, lane: &'static str, outcome: &'static str) {
        self.outbox
            .get_or_create(&OutcomeLabels { lane, outcome })
            .inc();
    }

    /// A key or token that nobody has was presented.
    pub fn key_miss(&self, is_limited: bool) {
        self.key_misses.inc();
        if is_limited {
            self.key_misses_limited.inc();
        }
    }

    /// The storage was swept.
    pub fn swept(&self, swept: &Swept) {
        self.storage_strays
            .inc_by(swept.stray_parts.saturating_add(swept.orphans));
        self.storage_removed.inc_by(swept.removed);
    }

    /// The page.
    pub fn render(&self, waiting_writes: usize) -> String {
        self.waiting_writes
            .set(i64::try_from(waiting_writes).unwrap_or(i64::MAX));
        let mut page = String::new();
        if let Err(error) = encode(&mut page, &self.registry) {
            tracing::error!(%error, "metrics could not be written");
        }
        page
    }
}
