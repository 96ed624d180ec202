//! Reading: threads that own their connection, and the workers' own connections to SQLite.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use diesel::connection::SimpleConnection;
use diesel::result::Error as DieselError;

use super::connect::Access;
use super::error::find;
use super::{AnyConn, DatabaseUrl, DbError};

/// Returns whether the connection may be lost.
pub(super) type ReadJob = Box<dyn FnOnce(Result<&mut AnyConn, DbError>) -> bool + Send>;

/// A connection of PostgreSQL that was idle for longer is tried before use.
const IDLE: Duration = Duration::from_secs(5);

/// A worker's own connection.
struct LocalReader {
    db: u64,
    alive: Weak<()>,
    conn: AnyConn,
}

thread_local! {
    // Keyed by database: two Apps may share a thread in tests.
    static LOCAL: RefCell<Vec<LocalReader>> = const { RefCell::new(Vec::new()) };
}

/// Runs `f` on this thread's own connection to the database `id`, opening it at first use.
pub(super) fn inline<T, E: From<DbError>>(
    id: u64,
    url: &DatabaseUrl,
    alive: &Arc<()>,
    f: impl FnOnce(&mut AnyConn) -> Result<T, E>,
) -> Result<T, E> {
    LOCAL.with_borrow_mut(|readers| {
        if !readers.iter().any(|reader| reader.db == id) {
            readers.retain(|reader| reader.alive.strong_count() > 0);
            let conn = url.connect(Access::Read).map_err(DbError::Unavailable)?;
            readers.push(LocalReader {
                db: id,
                alive: Arc::downgrade(alive),
                conn,
            });
        }
        match readers.iter_mut().find(|reader| reader.db == id) {
            Some(reader) => f(&mut reader.conn),
            None => Err(DbError::Closed.into()),
        }
    })
}

/// Closes this thread's own connection to the database `id`.
pub(super) fn forget(id: u64) {
    LOCAL.with_borrow_mut(|readers| readers.retain(|reader| reader.db != id));
}

pub(super) fn probe(conn: &mut AnyConn) -> diesel::QueryResult<()> {
    conn.batch_execute("SELECT 1")
}

/// Whether a failed read leaves doubts about its connection.
pub(super) fn may_be_lost(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(
        find(error),
        Some(DbError::Query(
            DieselError::DatabaseError(_, _) | DieselError::BrokenTransactionManager
        ))
    )
}

/// A reading thread; `None` in the queue ends it.
pub(super) fn spawn(
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
