//! Reading: threads that own their connection, and the workers' own connections to SQLite.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::result::Error as DieselError;

use super::connect::Access;
use super::error::find;
use super::{AnyConn, DatabaseUrl, DbError, on_backend};

pub(super) type ReadJob = Box<dyn FnOnce(Result<&mut AnyConn, DbError>) -> After + Send>;

/// What a job leaves behind.
#[derive(Default)]
pub(super) struct After {
    /// Whether its connection may be lost.
    pub(super) suspect: bool,
    /// What this reader does before it looks into the queue again.
    pub(super) next: Option<ReadJob>,
}

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
///
/// The connection is put back only when it is as it was: after a panic, or with a transaction left
/// open, later reads would go on seeing this moment.
pub(super) fn inline<T, E: From<DbError>>(
    id: u64,
    url: &DatabaseUrl,
    alive: &Arc<()>,
    f: impl FnOnce(&mut AnyConn) -> Result<T, E>,
) -> Result<T, E> {
    let known = LOCAL.with_borrow_mut(|readers| {
        let at = readers.iter().position(|reader| reader.db == id)?;
        Some(readers.swap_remove(at).conn)
    });
    let mut conn = match known {
        Some(conn) => conn,
        None => url.connect(Access::Read).map_err(DbError::Unavailable)?,
    };
    let outcome = f(&mut conn);
    if is_at_rest(&mut conn) {
        LOCAL.with_borrow_mut(|readers| {
            readers.retain(|reader| reader.alive.strong_count() > 0);
            let alive = Arc::downgrade(alive);
            readers.push(LocalReader {
                db: id,
                alive,
                conn,
            });
        });
    }
    outcome
}

/// Whether no transaction is open or broken on it.
fn is_at_rest(conn: &mut AnyConn) -> bool {
    let depth = on_backend!(conn, conn => AnsiTransactionManager::transaction_manager_status_mut(conn)
        .transaction_depth());
    matches!(depth, Ok(None))
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
                let mut next = Some(job);
                while let Some(job) = next {
                    next = reader.run(job);
                }
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
    fn run(&mut self, job: ReadJob) -> Option<ReadJob> {
        let (usable, mut next) = (self.usable(), None);
        let conn = usable.map_err(DbError::Unavailable);
        match catch_unwind(AssertUnwindSafe(|| job(conn))) {
            Ok(after) => (self.suspect, next) = (after.suspect, after.next),
            Err(_) => self.conn = None,
        }
        self.used = Instant::now();
        next
    }

    /// PostgreSQL may have been restarted while this connection was idle, or during the last job.
    fn usable(&mut self) -> Result<&mut AnyConn, diesel::ConnectionError> {
        let doubtful = self.suspect || (!self.url.is_sqlite() && self.used.elapsed() > IDLE);
        self.suspect = false;
        let lost = |conn: &mut AnyConn| !is_at_rest(conn) || (doubtful && probe(conn).is_err());
        if self.conn.as_mut().is_some_and(lost) {
            self.conn = None;
        }
        if let Some(conn) = self.conn.take() {
            return Ok(self.conn.insert(conn));
        }
        let fresh = self.url.connect(Access::Read)?;
        Ok(self.conn.insert(fresh))
    }
}
