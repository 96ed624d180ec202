//! What can go wrong at the door, and what the caller may conclude from it.

use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failed read or unit of work.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The queue is full: nothing was done, try again a little later.
    #[error("the database queue is full")]
    Busy,
    /// The server is shutting down: nothing was done.
    #[error("the database is closed")]
    Closed,
    /// No connection could be had: nothing was done.
    #[error("the database cannot be reached")]
    Unavailable(#[source] diesel::ConnectionError),
    /// The whole batch was rolled back, possibly by a neighbor's fault: nothing was done.
    #[error("the batch was rolled back")]
    Aborted(#[source] Option<DieselError>),
    /// The connection was lost during COMMIT: done or not, safe to repeat.
    #[error("the connection was lost during commit")]
    Unknown(#[source] DieselError),
    /// The unit of work panicked and was rolled back.
    #[error("the unit of work panicked")]
    Panicked,
    /// A statement failed.
    #[error("a query failed")]
    Query(#[from] DieselError),
    /// A row holds what the program never writes.
    #[error("inconsistent row {row} in {table}: {what}")]
    Inconsistent {
        /// Table of the row.
        table: &'static str,
        /// Its key.
        row: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl DbError {
    /// Whether the same call may work a little later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy
            | Self::Closed
            | Self::Unavailable(_)
            | Self::Aborted(_)
            | Self::Unknown(_) => true,
            Self::Query(error) => is_contention(error) || is_disconnect(error),
            Self::Panicked | Self::Inconsistent { .. } => false,
        }
    }
}

impl DbError {
    /// How long a lost unit of work is tried again: of two that wait for each other one always gets on.
    pub(super) const PATIENCE: Duration = Duration::from_secs(15);
    /// The same where another process holds a row and says not for how long: the jobs behind wait.
    const SHORT_PATIENCE: Duration = Duration::from_secs(3);

    /// How long a unit of work that failed like this is tried again.
    pub(super) fn patience(&self) -> Duration {
        match self {
            Self::Query(DieselError::DatabaseError(_, about))
                if about.message().contains("lock timeout") =>
            {
                Self::SHORT_PATIENCE
            }
            _ => Self::PATIENCE,
        }
    }
}

/// Whether running the unit of work again, alone, may help.
///
/// Diesel names serialization failures (40001); a deadlock (40P01) arrives as `Unknown` with a text
/// in the server's language, so every `Unknown` of PostgreSQL gets its second chance.
pub(super) fn is_retryable(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(
            DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::Unknown,
            _
        )
    )
}

/// Whether the statement lost against a concurrent transaction, so that trying later may help.
/// Other `Unknown` errors are defects, and telling callers to try again would hide them.
fn is_contention(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, about) => {
            let message = about.message();
            [
                "deadlock",
                "lock timeout",
                "statement timeout",
                "locked",
                "disk is full",
            ]
            .iter()
            .any(|word| message.contains(word))
        }
        _ => false,
    }
}

/// Whether the statement failed because its connection is gone.
pub(super) fn is_disconnect(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
            | DieselError::BrokenTransactionManager
    )
}

/// Whether a statement met a row that is already there. Names of constraints are not looked at:
/// SQLite does not tell them.
pub fn is_unique_violation(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}

/// The `DbError` at the bottom of an operation's error, if there is one.
pub(super) fn find<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e DbError> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<DbError>() {
            return Some(found);
        }
        current = error.source();
    }
    None
}

/// Why the database could not be opened at start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address of the database is not usable.
    #[error("the database address is refused")]
    Url(#[from] super::UrlError),
    /// No connection.
    #[error("cannot connect to the database")]
    Connect(#[from] diesel::ConnectionError),
    /// The compiled-in SQLite has a known corruption bug or lacks a needed switch.
    #[error("unsuitable SQLite: {0}")]
    UnsuitableSqlite(String),
    /// A start-up statement failed.
    #[error("the database refused a start-up statement")]
    Query(#[from] DieselError),
    /// The schema could not be brought up to date.
    #[error("migration failed")]
    Migrate(#[from] kitward_migrations::MigrateError),
    /// The schema needs a newer program.
    #[error("the schema needs kitward {needed} or newer, this is {ours}")]
    BinaryTooOld {
        /// Oldest version that fits.
        needed: String,
        /// Version of this program.
        ours: &'static str,
    },
    /// A thread could not be started.
    #[error("cannot start a database thread")]
    Thread(#[from] std::io::Error),
}
