//! Update checks of the day, counted in memory and written once a minute and at shutdown.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::{days, store};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::kits::model::KitId;

/// How often counts are written.
const EVERY: Duration = Duration::from_mins(1);
/// Rows of one unit of work.
const SLICE: usize = 200;
/// Subjects of a day that are told apart; further ones count as checks only.
const MOST: usize = 200_000;

/// Day, kit, and version; the version is one of the kit's releases, or empty.
pub(super) type Place = (String, KitId, String);

/// How often somebody asked, and how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) checks: i64,
    pub(super) subjects: i64,
}

/// Checks since they were last written.
#[derive(Debug, Default)]
pub struct Checks {
    state: Mutex<State>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct State {
    counts: BTreeMap<Place, Count>,
    day: String,
    /// Who asked today, about what, by a hash: two that share one count once.
    seen: HashSet<u64>,
}

impl Checks {
    /// Counts a check of a kit by a license or an installation. `version` is the one in use, if the
    /// kit has such a release, so that nobody makes rows by inventing versions.
    pub fn count(&self, kit: &KitId, version: Option<&str>, subject: &str, now: Timestamp) {
        let version = version.unwrap_or_default();
        let today = days::name(now);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.day != today {
            state.seen.clear();
            state.day.clone_from(&today);
        }
        let mut hash = DefaultHasher::new();
        (kit, version, subject).hash(&mut hash);
        let is_new = state.seen.len() < MOST && state.seen.insert(hash.finish());
        let place = (today, kit.clone(), version.to_owned());
        let count = state.counts.entry(place).or_default();
        count.checks += 1;
        count.subjects += i64::from(is_new);
    }

    /// Wakes who writes.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    fn take(&self) -> Vec<(Place, Count)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.counts).into_iter().collect()
    }

    fn put_back(&self, rest: impl Iterator<Item = (Place, Count)>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, count) in rest {
            let kept = state.counts.entry(place).or_default();
            kept.checks += count.checks;
            kept.subjects += count.subjects;
        }
    }
}

/// Writes what was counted, each minute until the app stops.
pub async fn run(app: Arc<App>) {
    while !app.is_stopping() {
        // Either is a reason to write.
        let _ = tokio::time::timeout(EVERY, app.checks.bell.notified()).await;
        if let Err(error) = flush(&app).await {
            tracing::warn!(%error, "update checks were not counted");
        }
    }
}

/// Writes what was counted, sorted, in slices. What could not be written is kept for the next time;
/// where a COMMIT was lost it may count twice.
pub async fn flush(app: &App) -> Result<(), DbError> {
    let counts = app.checks.take();
    let mut slices = counts.chunks(SLICE);
    while let Some(slice) = slices.next() {
        let own = slice.to_vec();
        let written = app.db.write(Shard::Wide, move |tx| {
            for (place, count) in &own {
                store::add_checks(tx, place, *count)?;
            }
            Ok(())
        });
        if let Err(error) = written.await {
            let rest = slice.iter().chain(slices.flatten()).cloned();
            app.checks.put_back(rest);
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_subject_counts_once_a_day_and_each_check_counts() {
        let now = Timestamp::parse("2027-06-01T23:59:00Z").unwrap();
        let kit = KitId::new(now, &SeededEntropy::new(1));
        let checks = Checks::default();
        for subject in ["lic_a", "lic_a", "lic_b"] {
            checks.count(&kit, Some("1.0.0"), subject, now);
        }
        checks.count(&kit, None, "lic_a", now);
        checks.count(&kit, Some("1.0.0"), "lic_a", now.plus_seconds(120));
        let place = |day: &str, version: &str| (day.to_owned(), kit.clone(), version.to_owned());
        let count = |checks, subjects| Count { checks, subjects };
        let expected = [
            (place("2027-06-01", ""), count(1, 1)),
            (place("2027-06-01", "1.0.0"), count(3, 2)),
            (place("2027-06-02", "1.0.0"), count(1, 1)),
        ];
        assert_eq!(checks.take(), expected);
        checks.put_back(expected.into_iter());
        assert_eq!(checks.take().len(), 3);
    }
}
