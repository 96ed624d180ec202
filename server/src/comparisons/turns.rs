//! One computation for each pair of archives at a time, and few at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long somebody waits for others' computations.
const PATIENCE: Duration = Duration::from_secs(30);
/// Each holds contents and patch in memory.
const AT_ONCE: usize = 1;

type Key = (String, String);
type Lock = Arc<tokio::sync::Mutex<()>>;

/// Who computes what in this process.
#[derive(Debug)]
pub struct Turns {
    pairs: Mutex<HashMap<Key, Lock>>,
    room: Arc<Semaphore>,
}

/// The right to compute one pair.
#[derive(Debug)]
pub(super) struct Turn {
    _pair: OwnedMutexGuard<()>,
}

/// Others are not done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many comparisons are being computed")]
pub struct Busy;

impl Default for Turns {
    fn default() -> Self {
        Self {
            pairs: Mutex::default(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Turns {
    /// Waits until nobody else computes this pair.
    pub(super) async fn take(&self, old: &str, new: &str) -> Result<Turn, Busy> {
        let lock = self.lock(old, new);
        let waited = timeout(PATIENCE, lock.lock_owned()).await;
        match waited {
            Ok(guard) => Ok(Turn { _pair: guard }),
            Err(_elapsed) => Err(Busy),
        }
    }

    /// Waits until there is room for a computation.
    pub(super) async fn room(&self) -> Result<OwnedSemaphorePermit, Busy> {
        let room = Arc::clone(&self.room);
        match timeout(PATIENCE, room.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }

    fn lock(&self, old: &str, new: &str) -> Lock {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.retain(|_, lock| Arc::strong_count(lock) > 1);
        let lock = pairs.entry((old.to_owned(), new.to_owned())).or_default();
        Arc::clone(lock)
    }
}
