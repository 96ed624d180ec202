//! Queues and threads behind [`Db`].

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use diesel::connection::SimpleConnection;
use diesel::result::Error as DieselError;
use tokio::sync::oneshot;

use super::connect::{Access, migrate};
use super::error::find;
use super::writer::{Job, Message, Ran, Writer, verdict};
use super::{AnyConn, DatabaseUrl, DbError, OpenError, WriteTx, snapshot};

/// Jobs that may wait in one queue; more are refused with [`DbError::Busy`].
const QUEUE: usize = 1024;

/// Returns whether the connection may be lost.
type ReadJob = Box<dyn FnOnce(Result<&mut AnyConn, DbError>) -> bool + Send>;

/// A connection of PostgreSQL that was idle for longer is tried before use.
const IDLE: std::time::Duration = std::time::Duration::from_secs(5);

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

struct LocalReader {
    db: u64,
    alive: Weak<()>,
    conn: AnyConn,
}

thread_local! {
    // Keyed by database: two Apps may share a thread in tests.
    static LOCAL: RefCell<Vec<LocalReader>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn probe(conn: &mut AnyConn) -> diesel::QueryResult<()> {
    conn.batch_execute("SELECT 1")
}

impl Db {
    /// Migrates and opens the database.
    pub fn open(url: DatabaseUrl) -> Result<Self, OpenError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        migrate(&url)?;
        let (readers, writers) = if url.is_sqlite() { (2, 1) } else { (8, 4) };
        let (read_queue, read_jobs) = bounded(QUEUE);
        let mut threads = Vec::new();
        for number in 0..readers {
            threads.push(spawn_reader(number, url.clone(), read_jobs.clone())?);
        }
        let mut write_queues = Vec::new();
        for number in 0..writers {
            let (queue, jobs) = bounded(QUEUE);
            write_queues.push(queue);
            threads.push(spawn_writer(number, url.clone(), jobs)?);
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
            return self.read_inline(f);
        }
        self.read_on_thread(f).await
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

    fn read_inline<T, E: From<DbError>>(
        &self,
        f: impl FnOnce(&mut AnyConn) -> Result<T, E>,
    ) -> Result<T, E> {
        LOCAL.with_borrow_mut(|readers| {
            if !readers.iter().any(|reader| reader.db == self.0.id) {
                readers.retain(|reader| reader.alive.strong_count() > 0);
                let conn = self
                    .0
                    .url
                    .connect(Access::Read)
                    .map_err(DbError::Unavailable)?;
                let alive = Arc::downgrade(&self.0.alive);
                readers.push(LocalReader {
                    db: self.0.id,
                    alive,
                    conn,
                });
            }
            match readers.iter_mut().find(|reader| reader.db == self.0.id) {
                Some(reader) => f(&mut reader.conn),
                None => Err(DbError::Closed.into()),
            }
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
        if self.0.closed.load(Ordering::Acquire) {
            return Err(DbError::Closed.into());
        }
        let (reply, answer) = oneshot::channel();
        let job: ReadJob = Box::new(move |conn| {
            let outcome = conn.map_err(E::from).and_then(f);
            let suspect = outcome
                .as_ref()
                .err()
                .is_some_and(|error| may_be_lost(error));
            // The caller may have gone away; then nobody needs the answer.
            let _ = reply.send(outcome);
            suspect
        });
        self.0
            .readers
            .try_send(Some(job))
            .map_err(|error| match error {
                TrySendError::Full(_) => DbError::Busy,
                TrySendError::Disconnected(_) => DbError::Closed,
            })?;
        answer
            .await
            .unwrap_or_else(|_| Err(DbError::Panicked.into()))
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
        LOCAL.with_borrow_mut(|readers| readers.retain(|reader| reader.db != self.0.id));
    }
}

fn may_be_lost(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(
        find(error),
        Some(DbError::Query(
            DieselError::DatabaseError(_, _) | DieselError::BrokenTransactionManager
        ))
    )
}

fn spawn_reader(
    number: usize,
    url: DatabaseUrl,
    jobs: Receiver<Option<ReadJob>>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("db-read-{number}"))
        .spawn(move || {
            let mut reader = Reader {
                url,
                conn: None,
                used: Instant::now(),
                suspect: false,
            };
            while let Ok(Some(job)) = jobs.recv() {
                reader.run(job);
            }
        })
}

struct Reader {
    url: DatabaseUrl,
    conn: Option<AnyConn>,
    used: Instant,
    suspect: bool,
}

impl Reader {
    fn run(&mut self, job: ReadJob) {
        match self.usable() {
            Err(error) => {
                job(Err(DbError::Unavailable(error)));
            }
            Ok(conn) => match catch_unwind(AssertUnwindSafe(|| job(Ok(conn)))) {
                Ok(suspect) => self.suspect = suspect,
                Err(_) => self.conn = None,
            },
        }
        self.used = Instant::now();
    }

    /// PostgreSQL may have been restarted while this connection was idle, or during the last job.
    fn usable(&mut self) -> Result<&mut AnyConn, diesel::ConnectionError> {
        let doubtful = self.suspect || (!self.url.is_sqlite() && self.used.elapsed() > IDLE);
        self.suspect = false;
        if doubtful && self.conn.as_mut().is_some_and(|conn| probe(conn).is_err()) {
            self.conn = None;
        }
        if let Some(conn) = self.conn.take() {
            return Ok(self.conn.insert(conn));
        }
        let fresh = self.url.connect(Access::Read)?;
        Ok(self.conn.insert(fresh))
    }
}

fn spawn_writer(
    number: usize,
    url: DatabaseUrl,
    jobs: Receiver<Message>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(format!("db-write-{number}"))
        .spawn(move || Writer::new(url).run(&jobs))
}

struct Typed<F, T, E> {
    shard: Shard,
    f: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
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

    fn finish(self: Box<Self>, committed: Result<(), DbError>) {
        let outcome = match (committed, self.outcome) {
            // A refusal changed nothing, so it stands whatever became of the batch.
            (_, Some(Err(refusal))) => Err(refusal),
            (Ok(()), Some(value)) => value,
            (Ok(()), None) => Err(DbError::Aborted(None).into()),
            (Err(error), _) => Err(error.into()),
        };
        // The caller may have gone away; the work is done all the same.
        let _ = self.reply.send(outcome);
    }
}
