//! When seats were last seen: kept in memory, written once a minute and at shutdown. A hint for
//! people and for freeing what nobody uses; it never decides the end of a lease.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::model::ActivationId;
use super::store;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::licenses::facts::Facts;

/// Most seats kept between two writes; the next ones are seen again soon.
const MOST: usize = 200_000;
/// Rows of one unit of work.
const SLICE: usize = 200;

/// Seats seen since the last write.
#[derive(Debug, Default)]
pub struct Seen {
    marks: Mutex<HashMap<ActivationId, Timestamp>>,
    /// Rung when there is no more room, and at shutdown.
    pub(super) bell: Notify,
}

impl Seen {
    /// Marks the seat of a call as seen, in the answer too.
    pub fn mark(&self, facts: &mut Facts) {
        let now = facts.now;
        let Some(row) = facts.held_mut() else { return };
        row.last_seen_at = row.last_seen_at.max(now);
        let id = row.id.clone();
        self.put(id, now);
    }

    fn put(&self, id: ActivationId, at: Timestamp) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = marks.get_mut(&id) {
            *known = at.max(*known);
        } else if marks.len() < MOST {
            marks.insert(id, at);
        } else {
            self.bell.notify_one();
        }
    }

    /// Wakes who writes.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    fn take(&self) -> Vec<(ActivationId, Timestamp)> {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<_> = marks.drain().collect();
        drop(marks);
        taken.sort_unstable();
        taken
    }
}

/// Writes what was seen, sorted, in slices. What could not be written is kept for the next time.
pub async fn flush(app: &App) -> Result<(), DbError> {
    let marks = app.seen.take();
    let mut slices = marks.chunks(SLICE);
    while let Some(slice) = slices.next() {
        if let Err(error) = write(app, slice.to_vec()).await {
            for (id, at) in slice.iter().chain(slices.flatten()) {
                app.seen.put(id.clone(), *at);
            }
            return Err(error);
        }
    }
    Ok(())
}

async fn write(app: &App, slice: Vec<(ActivationId, Timestamp)>) -> Result<(), DbError> {
    app.db
        .write(Shard::Wide, move |tx| {
            for (id, at) in &slice {
                store::set_seen(tx, id, *at)?;
            }
            Ok(())
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_later_mark_wins_and_marks_leave_in_the_order_of_ids() {
        let entropy = SeededEntropy::new(1);
        let now = Timestamp::parse("2027-06-01T00:00:00Z").unwrap();
        let (first, second) = (
            ActivationId::new(now, &entropy),
            ActivationId::new(now.plus_seconds(1), &entropy),
        );
        let seen = Seen::default();
        seen.put(second.clone(), now);
        seen.put(first.clone(), now.plus_seconds(9));
        seen.put(first.clone(), now);
        assert_eq!(seen.take(), [(first, now.plus_seconds(9)), (second, now)]);
        assert_eq!(seen.take(), []);
    }

    #[test]
    fn the_memory_of_what_was_seen_is_bounded() {
        let entropy = SeededEntropy::new(1);
        let now = Timestamp::parse("2027-06-01T00:00:00Z").unwrap();
        let seen = Seen::default();
        for _ in 0..MOST + 10 {
            seen.put(ActivationId::new(now, &entropy), now);
        }
        assert_eq!(seen.take().len(), MOST);
    }
}
