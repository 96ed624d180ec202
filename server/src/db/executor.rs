//! Queues and threads behind [`Db`].

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use tokio::sync::oneshot;

use super::connect::migrate;
use super::group::{Group, LookUp};
use super::job::Typed;
use super::reader::{self, After, ReadJob};
use super::writer::{Job, Message, Writer};
use super::{AnyConn, DatabaseUrl, DbError, OpenError, WriteTx, snapshot};

/// Jobs that may wait in one queue; more are refused with [`DbError::Busy`].
const QUEUE: usize = 1024;

/// Which aggregate a unit of work touches: equal shards never run concurrently in this process.
/// A hint for speed; correctness rests on the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shard {
    /// One aggregate.
    One(u64),
    /// Several: alone in its transaction, locking rows in ascending order of their ids.
    Wide,
}

impl Shard {
    /// The shard of an aggregate's id.
    pub fn of(id: &(impl Hash + ?Sized)) -> Self {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        Self::One(hasher.finish())
    }
}

/// The database of one installation; clones share it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    id: u64,
    url: DatabaseUrl,
    readers: Sender<Option<ReadJob>>,
    writers: Vec<Sender<Message>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    reader_count: usize,
    closed: AtomicBool,
    /// Dropped with this value: tells workers' own connections that they are no longer needed.
    alive: Arc<()>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("id", &self.0.id)
            .finish_non_exhaustive()
    }
}

impl Db {
    /// Migrates and opens the database, as a new configuration has it.
    pub fn open(url: DatabaseUrl) -> Result<Self, OpenError> {
        let usual = crate::config::DatabaseConfig::default();
        Self::open_with(url, usual.write_batch)
    }

    /// The same with at most `write_batch` units of work in one COMMIT.
    pub fn open_with(url: DatabaseUrl, write_batch: usize) -> Result<Self, OpenError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        migrate(&url)?;
        let (readers, writers) = if url.is_sqlite() { (2, 1) } else { (8, 4) };
        let (read_queue, read_jobs) = bounded(QUEUE);
        let mut threads = Vec::new();
        for number in 0..readers {
            threads.push(reader::spawn(number, url.clone(), read_jobs.clone())?);
        }
        let mut write_queues = Vec::new();
        for number in 0..writers {
            let (queue, jobs) = bounded(QUEUE);
            write_queues.push(queue);
            threads.push(spawn_writer(
                number,
                Writer::new(url.clone(), write_batch),
                jobs,
            )?);
        }
        Ok(Self(Arc::new(Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            url,
            readers: read_queue,
            writers: write_queues,
            threads: Mutex::new(threads),
            reader_count: readers,
            closed: AtomicBool::new(false),
            alive: Arc::new(()),
        })))
    }

    /// Whether this is the embedded database.
    pub fn is_sqlite(&self) -> bool {
        self.0.url.is_sqlite()
    }

    /// Jobs waiting to be written, over all queues.
    pub fn waiting_writes(&self) -> usize {
        self.0.writers.iter().map(Sender::len).sum()
    }

    /// A short look-up by index: one statement.
    pub async fn read<T, E>(
        &self,
        f: impl FnOnce(&mut AnyConn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: std::error::Error + From<DbError> + Send + 'static,
    {
        if self.is_sqlite() {
            if self.0.closed.load(Ordering::Acquire) {
                return Err(DbError::Closed.into());
            }
            return reader::inline(self.0.id, &self.0.url, &self.0.alive, f);
        }
        self.read_on_thread(f).await
    }

    /// A short look-up that many callers make at once: PostgreSQL answers those that wait together
    /// by one statement.
    pub async fn read_grouped<Q: LookUp>(
        &self,
        group: &Group<Q>,
        question: Q,
    ) -> Result<Q::Found, DbError> {
        if self.is_sqlite() {
            return self.read(|conn| question.answer_one(conn)).await;
        }
        if self.0.closed.load(Ordering::Acquire) {
            return Err(DbError::Closed);
        }
        let (reply, answer) = oneshot::channel();
        if let Some(turn) = group.add(question, reply)? {
            self.submit(turn)?;
        }
        answer.await.unwrap_or_else(|_| Err(self.unanswered()))
    }

    /// Several short look-ups that must see the same moment.
    pub async fn read_snapshot<T, E>(
        &self,
        f: impl FnOnce(&mut AnyConn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: std::error::Error + From<DbError> + Send + 'static,
    {
        self.read(|conn| snapshot::read(conn, f)).await
    }

    /// Lists, searches, exports: in one snapshot, never on a worker.
    pub async fn read_slow<T, E>(
        &self,
        f: impl FnOnce(&mut AnyConn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: std::error::Error + From<DbError> + Send + 'static,
    {
        self.read_on_thread(|conn| snapshot::read(conn, f)).await
    }

    /// The unit of work of an operation: all of it after the COMMIT, or nothing of it.
    ///
    /// `f` may run more than once, so it must not consume what it captured.
    pub async fn write<T, E>(
        &self,
        shard: Shard,
        f: impl Fn(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: std::error::Error + From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Typed {
            shard,
            f,
            outcome: None,
            reply,
        });
        self.send(shard, job)?;
        answer.await.unwrap_or_else(|_| Err(DbError::Closed.into()))
    }

    fn send(&self, shard: Shard, job: Box<dyn Job>) -> Result<(), DbError> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(DbError::Closed);
        }
        let number = match shard {
            Shard::One(hash) => hash,
            Shard::Wide => 0,
        };
        let count = self.0.writers.len().max(1) as u64;
        let at = usize::try_from(number % count).unwrap_or(0);
        let queue = self.0.writers.get(at).ok_or(DbError::Closed)?;
        queue
            .try_send(Message::Job(job))
            .map_err(|error| match error {
                TrySendError::Full(_) => DbError::Busy,
                TrySendError::Disconnected(_) => DbError::Closed,
            })
    }

    async fn read_on_thread<T, E>(
        &self,
        f: impl FnOnce(&mut AnyConn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: std::error::Error + From<DbError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: ReadJob = Box::new(move |conn| {
            let outcome = conn.map_err(E::from).and_then(f);
            let suspect = outcome
                .as_ref()
                .err()
                .is_some_and(|error| reader::may_be_lost(error));
            // The caller may have gone away; then nobody needs the answer.
            let _ = reply.send(outcome);
            After {
                suspect,
                next: None,
            }
        });
        self.submit(job)?;
        answer
            .await
            .unwrap_or_else(|_| Err(self.unanswered().into()))
    }

    /// Puts a job into the readers' queue.
    fn submit(&self, job: ReadJob) -> Result<(), DbError> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(DbError::Closed);
        }
        let sent = self.0.readers.try_send(Some(job));
        sent.map_err(|error| match error {
            TrySendError::Full(_) => DbError::Busy,
            TrySendError::Disconnected(_) => DbError::Closed,
        })
    }

    /// Why a reader dropped its job: the job panicked, or the reader ended first.
    fn unanswered(&self) -> DbError {
        if self.0.closed.load(Ordering::Acquire) {
            DbError::Closed
        } else {
            DbError::Panicked
        }
    }

    /// Refuses new work, finishes what is queued, ends the threads. Blocks meanwhile.
    pub fn close(&self) {
        if self.0.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        for _ in 0..self.0.reader_count {
            let _ = self.0.readers.send(None);
        }
        for writer in &self.0.writers {
            let _ = writer.send(Message::Stop);
        }
        let mut threads = self
            .0
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            let _ = thread.join();
        }
        reader::forget(self.0.id);
    }
}

fn spawn_writer(
    number: usize,
    writer: Writer,
    jobs: Receiver<Message>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("db-write-{number}"))
        .spawn(move || writer.run(&jobs))
}
