//! How much of parts may be in memory at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory for parts, in MiB.
const ROOM: u32 = 16;
/// Files put together at once.
const AT_ONCE: usize = 2;
/// How long a part waits for room before it is refused.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a download waits for others whose file has to be looked into first.
const PATIENCE_OF_DOWNLOADS: Duration = Duration::from_secs(10);

/// What one process has for uploads.
#[derive(Debug)]
pub struct Room {
    parts: Arc<Semaphore>,
    completing: Arc<Semaphore>,
    examining: Arc<Semaphore>,
    looking_again: Arc<Semaphore>,
}

/// A share of it, given back when dropped.
#[derive(Debug)]
pub struct Share(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Default for Room {
    fn default() -> Self {
        Self {
            parts: Arc::new(Semaphore::new(ROOM as usize)),
            completing: Arc::new(Semaphore::new(AT_ONCE)),
            examining: Arc::new(Semaphore::new(AT_ONCE)),
            looking_again: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Room {
    /// Room for a part; `None` where there is none for long.
    pub async fn for_part(&self, bytes: u64) -> Option<Share> {
        self.for_part_within(bytes, PATIENCE).await
    }

    async fn for_part_within(&self, bytes: u64, patience: Duration) -> Option<Share> {
        // A part larger than all of it takes all of it.
        let share = bytes.div_ceil(1 << 20).clamp(1, u64::from(ROOM));
        let share = u32::try_from(share).unwrap_or(ROOM);
        let waiting = Arc::clone(&self.parts).acquire_many_owned(share);
        let got = tokio::time::timeout(patience, waiting).await.ok()?;
        got.ok().map(Share)
    }

    /// A turn at looking into an archive: each may take memory for what it unpacks. Who has a turn at
    /// putting a file together may wait for one of these, never the other way round.
    pub async fn examination(&self) -> Option<Share> {
        let waiting = Arc::clone(&self.examining).acquire_owned();
        waiting.await.ok().map(Share)
    }

    /// A turn at looking into a file of before; `None` where there is none for long. One at a time, and
    /// none of the turns of uploads: whoever may download must not be able to keep publishers waiting.
    pub async fn second_look(&self) -> Option<Share> {
        let waiting = Arc::clone(&self.looking_again).acquire_owned();
        let got = tokio::time::timeout(PATIENCE_OF_DOWNLOADS, waiting)
            .await
            .ok()?;
        got.ok().map(Share)
    }

    /// A turn at putting a file together.
    pub async fn turn(&self) -> Option<Share> {
        let waiting = Arc::clone(&self.completing).acquire_owned();
        waiting.await.ok().map(Share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn parts_wait_for_room_and_are_refused_when_there_is_none_for_long() {
        let room = Room::default();
        let at_once = |bytes| room.for_part_within(bytes, Duration::from_millis(20));
        let all = at_once(1 << 40).await.unwrap();
        assert!(at_once(1).await.is_none());
        drop(all);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(at_once(4 << 20).await.unwrap());
        }
        assert!(at_once(0).await.is_none());
        held.pop();
        assert!(at_once(4 << 20).await.is_some());
    }
}
