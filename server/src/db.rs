//! The door to the database: the only way in, for SQLite and PostgreSQL alike.
//!
//! - [`Db::read`]: short indexed look-ups. SQLite answers on the calling worker's own connection
//!   (microseconds), PostgreSQL on reader threads that own theirs.
//! - [`Db::read_grouped`]: the same for what many ask at once; PostgreSQL answers those that wait
//!   together by one statement.
//! - [`Db::read_slow`]: lists, searches, exports; always on reader threads, in one snapshot.
//! - [`Db::write`]: the one unit of work of an operation. Jobs that queued up during a COMMIT share
//!   the next one, each in a savepoint of its own; replies leave after the COMMIT.
//!
//! Store functions that change rows take `&mut` [`WriteTx`], which only the writer can make: a write
//! outside a unit of work does not compile. Reading connections are read-only in the database too.

mod connect;
mod error;
mod executor;
mod failed;
mod group;
mod job;
mod moment;
mod reader;
pub mod schema;
mod slices;
mod snapshot;
mod timestamp;
pub mod types;
mod write_tx;
mod writer;

pub use connect::{DatabaseUrl, UrlError, migrate, pending, ping};
pub use error::{DbError, OpenError, is_unique_violation};
pub use executor::{Db, Shard};
pub use group::{Group, LookUp, in_order};
pub use slices::in_slices;
pub use timestamp::Timestamp;
pub use types::Page;
pub use write_tx::WriteTx;

/// A connection to whichever database the installation uses.
#[derive(diesel::MultiConnection)]
pub enum AnyConn {
    /// PostgreSQL, through libpq.
    Pg(diesel::PgConnection),
    /// SQLite, compiled in.
    Sqlite(diesel::SqliteConnection),
}

/// Type-checks one diesel text for both databases, for what the derive above cannot express.
macro_rules! on_backend {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::db::AnyConn::Pg($c) => $body,
            $crate::db::AnyConn::Sqlite($c) => $body,
        }
    };
}
pub(crate) use on_backend;
