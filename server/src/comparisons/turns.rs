//! One computation for each caller and for each pair of archives at a time, and few at all; and how
//! much memory the patches may take that are on their way out.
//!
//! Whoever asks for much waits in a line of its own: in the line of all, each caller stands once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// How long somebody waits for others' computations.
const PATIENCE: Duration = Duration::from_secs(30);
/// Each holds contents and patch in memory.
const AT_ONCE: usize = 2;
/// How long somebody waits until others have read their patches.
const READ_PATIENCE: Duration = Duration::from_secs(5);
/// Bytes in which patches are weighed. What is no larger waits for nobody: a connection buffers as
/// much of any file.
const UNIT: u64 = 64 << 10;
/// Units of the largest patch, 18 MiB.
const LARGEST: u32 = 288;
/// Units that one caller may hold: two of the largest.
const SHARE: usize = 2 * 288;
/// Units that all may hold: eight of the largest. Readers may be as slow as they like.
const HELD_MAX: usize = 8 * 288;

type Lock = tokio::sync::Mutex<()>;

/// Who computes what in this process.
#[derive(Debug)]
pub struct Turns {
    callers: Lines<String, Lock>,
    pairs: Lines<(String, String), Lock>,
    room: Arc<Semaphore>,
    readers: Lines<String, Semaphore>,
    held: Arc<Semaphore>,
}

/// A caller's right to compute one pair.
#[derive(Debug)]
pub(super) struct Turn {
    _caller: OwnedMutexGuard<()>,
    _pair: OwnedMutexGuard<()>,
    room: Arc<Semaphore>,
    until: Instant,
}

/// A reader's right to so much memory.
#[derive(Debug)]
pub(super) struct Hold {
    _units: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

struct Held {
    bytes: Vec<u8>,
    _hold: Hold,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Others are not done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many comparisons are being computed or patches read")]
pub struct Busy;

impl Default for Turns {
    fn default() -> Self {
        Self {
            callers: Lines::default(),
            pairs: Lines::default(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            readers: Lines::default(),
            held: Arc::new(Semaphore::new(HELD_MAX)),
        }
    }
}

impl Turns {
    /// Waits until nothing else is computed for this caller, and this pair for nobody. The caller's
    /// line comes first: whoever stands in it holds up no pair.
    pub(super) async fn take(&self, caller: &str, old: &str, new: &str) -> Result<Turn, Busy> {
        let until = Instant::now() + PATIENCE;
        let caller = self.callers.place(caller.to_owned(), Lock::default);
        let caller = timeout_at(until, caller.lock_owned()).await;
        let caller = caller.map_err(|_elapsed| Busy)?;
        let pair = (old.to_owned(), new.to_owned());
        let pair = self.pairs.place(pair, Lock::default);
        let pair = timeout_at(until, pair.lock_owned()).await;
        Ok(Turn {
            _caller: caller,
            _pair: pair.map_err(|_elapsed| Busy)?,
            room: Arc::clone(&self.room),
            until,
        })
    }

    /// Waits until this caller and all readers together leave room for a patch of so many bytes.
    pub(super) async fn hold(&self, caller: &str, bytes: u64) -> Result<Hold, Busy> {
        if bytes <= UNIT {
            return Ok(Hold { _units: None });
        }
        let until = Instant::now() + READ_PATIENCE;
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(LARGEST);
        let units = units.min(LARGEST);
        let share = self
            .readers
            .place(caller.to_owned(), || Semaphore::new(SHARE));
        let share = permits(share, units, until).await?;
        let held = permits(Arc::clone(&self.held), units, until).await?;
        Ok(Hold {
            _units: Some((share, held)),
        })
    }
}

impl Hold {
    /// Bytes that are held until the last part of them is dropped.
    pub(super) fn around(self, bytes: Vec<u8>) -> Bytes {
        Bytes::from_owner(Held { bytes, _hold: self })
    }
}

impl Turn {
    /// Waits until there is room for a computation.
    pub(super) async fn room(&self) -> Result<OwnedSemaphorePermit, Busy> {
        permits(Arc::clone(&self.room), 1, self.until).await
    }
}

async fn permits(
    of: Arc<Semaphore>,
    count: u32,
    until: Instant,
) -> Result<OwnedSemaphorePermit, Busy> {
    match timeout_at(until, of.acquire_many_owned(count)).await {
        Ok(Ok(permits)) => Ok(permits),
        Ok(Err(_)) | Err(_) => Err(Busy),
    }
}

/// Lines in which whoever came first is first.
#[derive(Debug)]
struct Lines<K, L>(Mutex<HashMap<K, Arc<L>>>);

impl<K, L> Default for Lines<K, L> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, L> Lines<K, L> {
    fn place(&self, key: K, new: impl FnOnce() -> L) -> Arc<L> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, line| Arc::strong_count(line) > 1);
        Arc::clone(lines.entry(key).or_insert_with(|| Arc::new(new())))
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

    /// Whether there is room for a patch at once.
    async fn has_room(turns: &Turns, caller: &str, bytes: u64) -> bool {
        let moment = Duration::from_millis(20);
        let held = tokio::time::timeout(moment, turns.hold(caller, bytes)).await;
        held.is_ok_and(|held| held.is_ok())
    }

    #[tokio::test]
    async fn slow_readers_hold_no_more_memory_than_there_is_for_patches() {
        let (largest, small) = (18 << 20, 64 << 10);
        let turns = Turns::default();
        let mut held = Vec::new();
        for caller in ["a", "b", "c", "d"] {
            for _ in 0..2 {
                assert!(has_room(&turns, caller, largest).await);
                let room = turns.hold(caller, largest).await.unwrap();
                held.push(room.around(vec![0; 10]));
            }
            assert!(!has_room(&turns, caller, small + 1).await, "{caller}");
        }
        assert!(!has_room(&turns, "modest", small + 1).await);
        assert!(has_room(&turns, "modest", small).await);
        // Each part keeps all of it.
        let part = held.pop().unwrap().slice(3..5);
        assert!(!has_room(&turns, "modest", largest).await);
        drop(part);
        assert!(has_room(&turns, "modest", largest).await);
        drop(held);
        assert_eq!(turns.held.available_permits(), HELD_MAX);
    }
}
