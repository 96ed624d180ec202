//! One computation for each caller and for each pair of archives at a time, and few at all.
//!
//! Whoever asks for much waits in a line of its own: in the line of all, each caller stands once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How long somebody waits for others' computations.
const PATIENCE: Duration = Duration::from_secs(30);
/// Each holds contents and patch in memory.
const AT_ONCE: usize = 2;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Who computes what in this process.
#[derive(Debug)]
pub struct Turns {
    callers: Lines<String>,
    pairs: Lines<(String, String)>,
    room: Arc<Semaphore>,
}

/// A caller's right to compute one pair.
#[derive(Debug)]
pub(super) struct Turn {
    _caller: OwnedMutexGuard<()>,
    _pair: OwnedMutexGuard<()>,
    room: Arc<Semaphore>,
    until: Instant,
}

/// Others are not done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many comparisons are being computed")]
pub struct Busy;

impl Default for Turns {
    fn default() -> Self {
        Self {
            callers: Lines::default(),
            pairs: Lines::default(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Turns {
    /// Waits until nothing else is computed for this caller, and this pair for nobody. The caller's
    /// line comes first: whoever stands in it holds up no pair.
    pub(super) async fn take(&self, caller: &str, old: &str, new: &str) -> Result<Turn, Busy> {
        let until = Instant::now() + PATIENCE;
        let caller = self.callers.place(caller.to_owned());
        let caller = timeout_at(until, caller.lock_owned()).await;
        let caller = caller.map_err(|_elapsed| Busy)?;
        let pair = self.pairs.place((old.to_owned(), new.to_owned()));
        let pair = timeout_at(until, pair.lock_owned()).await;
        Ok(Turn {
            _caller: caller,
            _pair: pair.map_err(|_elapsed| Busy)?,
            room: Arc::clone(&self.room),
            until,
        })
    }
}

impl Turn {
    /// Waits until there is room for a computation.
    pub(super) async fn room(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let room = Arc::clone(&self.room);
        match timeout_at(self.until, room.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }
}

/// Lines in which whoever came first is first.
#[derive(Debug)]
struct Lines<K>(Mutex<HashMap<K, Lock>>);

impl<K> Default for Lines<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Lines<K> {
    fn place(&self, key: K) -> Lock {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(lines.entry(key).or_default())
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    /// In which order those who ask while there is no room are served.
    async fn order(asked: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
        let turns = Arc::new(Turns::default());
        let all = u32::try_from(AT_ONCE).unwrap();
        let no_room = Arc::clone(&turns.room).acquire_many_owned(all);
        let no_room = no_room.await.unwrap();
        let (tell, mut told) = mpsc::unbounded_channel();
        for (caller, pair) in asked.iter().copied() {
            let (turns, tell) = (Arc::clone(&turns), tell.clone());
            tokio::spawn(async move {
                let turn = turns.take(caller, pair, pair).await.unwrap();
                let _room = turn.room().await.unwrap();
                tell.send((caller, pair)).unwrap();
            });
            // Each takes its place before the next one comes.
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
        drop((no_room, tell));
        let mut order = Vec::new();
        while let Some(served) = told.recv().await {
            order.push(served);
        }
        assert_eq!(turns.room.available_permits(), AT_ONCE);
        order
    }

    #[tokio::test]
    async fn whoever_asks_for_much_stands_once_in_the_line_of_all() {
        let served = order(&[
            ("greedy", "a"),
            ("greedy", "b"),
            ("greedy", "c"),
            ("greedy", "d"),
            ("modest", "e"),
            ("other", "f"),
        ])
        .await;
        let place = |who: &str| {
            served
                .iter()
                .position(|(caller, _)| *caller == who)
                .unwrap()
        };
        assert_eq!(served.len(), 6);
        assert!(place("modest") < 2 && place("other") < 3, "{served:?}");
    }

    #[tokio::test]
    async fn a_pair_that_a_caller_only_waits_for_is_held_up_for_nobody() {
        let asked = [("greedy", "a"), ("greedy", "b"), ("modest", "b")];
        let served = order(&asked).await;
        assert_eq!(served[..2], [("greedy", "a"), ("modest", "b")]);
        assert_eq!(served[2], ("greedy", "b"));
    }

    #[tokio::test]
    async fn lines_that_nobody_stands_in_are_forgotten() {
        let turns = Turns::default();
        for number in 0..100 {
            let caller = number.to_string();
            drop(turns.take(&caller, "a", "b").await.unwrap());
        }
        let held = turns.take("x", "a", "b").await.unwrap();
        assert_eq!(turns.callers.0.lock().unwrap().len(), 1);
        assert_eq!(turns.pairs.0.lock().unwrap().len(), 1);
        drop(held);
    }
}
