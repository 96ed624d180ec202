//! One caller's unit of work on its way through a writer's queue.

use std::time::Duration;

use tokio::sync::oneshot;

use super::error::find;
use super::writer::{Job, Ran, verdict};
use super::{DbError, Shard, WriteTx};

/// A unit of work with the types of its caller.
pub(super) struct Typed<F, T, E> {
    pub(super) shard: Shard,
    pub(super) f: F,
    pub(super) outcome: Option<Result<T, E>>,
    pub(super) reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Typed<F, T, E>
where
    F: Fn(&mut WriteTx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: std::error::Error + From<DbError> + Send + 'static,
{
    fn shard(&self) -> Option<u64> {
        match self.shard {
            Shard::One(hash) => Some(hash),
            Shard::Wide => None,
        }
    }

    fn run(&mut self, tx: &mut WriteTx<'_>) -> Ran {
        let outcome = (self.f)(tx);
        let ran = match &outcome {
            Ok(_) => Ran::Done,
            Err(error) => verdict(error),
        };
        self.outcome = Some(outcome);
        ran
    }

    fn panicked(&mut self) {
        self.outcome = Some(Err(DbError::Panicked.into()));
    }

    fn patience(&self) -> Duration {
        let error = match &self.outcome {
            Some(Err(error)) => find(error),
            Some(Ok(_)) | None => None,
        };
        error.map_or(DbError::PATIENCE, DbError::patience)
    }

    fn finish(self: Box<Self>, committed: Result<(), DbError>) {
        let outcome = match (committed, self.outcome) {
            (Ok(()), Some(Err(refusal))) => Err(refusal),
            // What the job found may rest on a neighbor's row that is gone now; a failure of its
            // own statements does not.
            (Err(_), Some(Err(own))) if find(&own).is_some() => Err(own),
            (Ok(()), Some(value)) => value,
            (Ok(()), None) => Err(DbError::Aborted(None).into()),
            (Err(error), _) => Err(error.into()),
        };
        // The caller may have gone away; the work is done all the same.
        let _ = self.reply.send(outcome);
    }
}
