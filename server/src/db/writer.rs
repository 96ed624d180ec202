//! One writing thread: drains its queue into batches, one durable COMMIT for each.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use diesel::Connection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::result::Error as DieselError;

use super::connect::Access;
use super::error::{find, is_retryable};
use super::failed::Failed;
use super::{AnyConn, DatabaseUrl, DbError, WriteTx, on_backend};
use crate::audit::Entry;

/// How often a job that lost against a concurrent transaction is run again, alone.
const RETRIES: u32 = 8;

/// What a job wants of the writer after it ran.
pub(super) enum Ran {
    Done,
    /// Roll this job back, keep its neighbors.
    RollBack,
    /// Roll this job back and run it again alone.
    Again,
}

/// A unit of work waiting for its turn. Jobs may run more than once.
pub(super) trait Job: Send {
    /// Order within a batch; `None` = alone in its transaction.
    fn shard(&self) -> Option<u64>;
    fn run(&mut self, tx: &mut WriteTx<'_>) -> Ran;
    fn panicked(&mut self);
    /// No further retry after this long, by what the job lost against.
    fn patience(&self) -> Duration;
    /// Sends the reply. `Err` replaces whatever the job itself found.
    fn finish(self: Box<Self>, committed: Result<(), DbError>);
}

pub(super) enum Message {
    Job(Box<dyn Job>),
    Stop,
}

pub(super) struct Writer {
    url: DatabaseUrl,
    /// Most jobs that share one COMMIT.
    batch: usize,
    conn: Option<AnyConn>,
}

/// What a savepoint ended with; `transaction` wants an error type of its own.
struct Undo(Option<DieselError>);
impl From<DieselError> for Undo {
    fn from(error: DieselError) -> Self {
        Self(Some(error))
    }
}

impl Writer {
    pub(super) fn new(url: DatabaseUrl, batch: usize) -> Self {
        Self {
            url,
            batch,
            conn: None,
        }
    }

    /// Runs until told to stop and the queue before that is drained.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        let mut open = true;
        while open {
            let Ok(Message::Job(first)) = queue.recv() else {
                break;
            };
            let mut jobs = vec![first];
            while jobs.len() < self.batch {
                match queue.try_recv() {
                    Ok(Message::Job(job)) => jobs.push(job),
                    Ok(Message::Stop) => {
                        open = false;
                        break;
                    }
                    Err(_) => break,
                }
            }
            // Jobs are caught one by one; this is for what stands around them. Their callers see
            // their reply dropped, and the thread lives on.
            let run = AssertUnwindSafe(|| self.run_jobs(jobs));
            if catch_unwind(run).is_err() {
                self.conn = None;
            }
        }
    }

    fn run_jobs(&mut self, jobs: Vec<Box<dyn Job>>) {
        let (mut shared, wide): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| job.shard().is_some());
        shared.sort_by_key(|job| job.shard());
        let mut alone = wide;
        if !shared.is_empty() {
            alone.extend(self.run_batch(shared));
        }
        for job in alone {
            self.run_alone(job);
        }
    }

    fn run_alone(&mut self, job: Box<dyn Job>) {
        let mut waiting = vec![job];
        let started = Instant::now();
        for attempt in 0..RETRIES {
            waiting = self.run_batch(waiting);
            if waiting.is_empty() {
                return;
            }
            let patience = waiting.iter().map(|job| job.patience()).min();
            if patience.is_some_and(|patience| started.elapsed() >= patience) {
                break;
            }
            std::thread::sleep(Duration::from_millis((1 << attempt) + jitter()));
        }
        for job in waiting {
            job.finish(Err(DbError::Aborted(None)));
        }
    }

    /// Runs jobs in one transaction, replies to them, and returns those that must run again alone.
    fn run_batch(&mut self, mut jobs: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        match self.attempt(&mut jobs) {
            Ok(again) => {
                let (mut retry, mut index) = (Vec::new(), 0usize..);
                for job in jobs {
                    if index.next().is_some_and(|at| again.contains(&at)) {
                        retry.push(job);
                    } else {
                        job.finish(Ok(()));
                    }
                }
                retry
            }
            Err(failed) => {
                let others = failed.kind();
                let mut cause = Some(failed);
                for job in jobs {
                    let reason = cause.take().map_or_else(|| others.reason(), Failed::reason);
                    job.finish(Err(reason));
                }
                Vec::new()
            }
        }
    }

    fn attempt(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<Vec<usize>, Failed> {
        let outcome = self.begin().and_then(|conn| run_all(conn, jobs));
        if let Err(failed) = &outcome {
            tracing::warn!(
                reason = failed.name(),
                jobs = jobs.len(),
                "a write batch was rolled back"
            );
            // Whatever state the connection is in, a fresh one has none.
            self.conn = None;
        }
        outcome
    }

    /// Begins on the open connection, or on a fresh one where that was lost meanwhile.
    fn begin(&mut self) -> Result<&mut AnyConn, Failed> {
        let usable = self.conn.as_mut().is_some_and(|conn| begin(conn).is_ok());
        if !usable {
            self.conn = None;
            let mut fresh = self.url.connect(Access::Write).map_err(Failed::Connect)?;
            begin(&mut fresh).map_err(Failed::Statement)?;
            self.conn = Some(fresh);
        }
        self.conn.as_mut().ok_or(Failed::OutOfStep)
    }
}

/// 0 to 7 ms, so that two losers do not meet again. Nothing secret rests on it.
fn jitter() -> u64 {
    RandomState::new().build_hasher().finish() % 8
}

fn begin(conn: &mut AnyConn) -> diesel::QueryResult<()> {
    match conn {
        AnyConn::Pg(conn) => AnsiTransactionManager::begin_transaction(conn),
        AnyConn::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        }
    }
}

fn depth(conn: &mut AnyConn) -> Option<u32> {
    let status = on_backend!(conn, conn => AnsiTransactionManager::transaction_manager_status_mut(conn)
        .transaction_depth());
    status.ok().flatten().map(std::num::NonZero::get)
}

fn run_all(conn: &mut AnyConn, jobs: &mut [Box<dyn Job>]) -> Result<Vec<usize>, Failed> {
    let mut audit = Vec::new();
    let mut again = Vec::new();
    for (index, job) in jobs.iter_mut().enumerate() {
        match run_one(conn, job.as_mut(), &mut audit) {
            Ok(true) => {}
            Ok(false) => again.push(index),
            Err(error) => return Err(Failed::Statement(error)),
        }
        // A panic inside a nested transaction, or a database that rolled back by itself on a full
        // disk, leaves the depth wrong; committing now would acknowledge work that is lost.
        if depth(conn) != Some(1) {
            return Err(Failed::OutOfStep);
        }
    }
    if !audit.is_empty() {
        crate::audit::append(conn, &audit).map_err(Failed::Statement)?;
    }
    on_backend!(conn, conn => AnsiTransactionManager::commit_transaction(conn))
        .map_err(|error| commit_failed(conn, error))?;
    Ok(again)
}

/// Whether the COMMIT is known to have failed, or its answer was lost.
fn commit_failed(conn: &mut AnyConn, error: DieselError) -> Failed {
    let lost = match conn {
        AnyConn::Pg(_) => super::reader::probe(conn).is_err(),
        AnyConn::Sqlite(_) => false,
    };
    Failed::Commit(if lost {
        DieselError::BrokenTransactionManager
    } else {
        error
    })
}

/// `Ok(false)`: run it again alone. `Err`: the savepoint itself failed.
fn run_one(
    conn: &mut AnyConn,
    job: &mut dyn Job,
    audit: &mut Vec<Entry>,
) -> diesel::QueryResult<bool> {
    let mut again = false;
    #[expect(clippy::disallowed_methods, reason = "the savepoint of a job")]
    let outcome = conn.transaction::<(), Undo, _>(|conn| {
        let mut tx = WriteTx::new(conn);
        match catch_unwind(AssertUnwindSafe(|| job.run(&mut tx))) {
            Ok(Ran::Done) => {
                audit.append(&mut tx.into_audit());
                Ok(())
            }
            Ok(Ran::RollBack) => Err(Undo(None)),
            Ok(Ran::Again) => {
                again = true;
                Err(Undo(None))
            }
            Err(_) => {
                job.panicked();
                Err(Undo(None))
            }
        }
    });
    match outcome {
        Ok(()) | Err(Undo(None)) => Ok(!again),
        Err(Undo(Some(error))) => Err(error),
    }
}

/// What a job's own error asks of the writer.
pub(super) fn verdict(error: &(dyn std::error::Error + 'static)) -> Ran {
    match find(error) {
        Some(DbError::Query(error)) if is_retryable(error) => Ran::Again,
        _ => Ran::RollBack,
    }
}
