//! Batches that ended without COMMIT, and what each of their jobs may conclude.

use diesel::result::Error as DieselError;

use super::DbError;
use super::error::is_disconnect;

/// Why a batch ended without COMMIT.
pub(super) enum Failed {
    Connect(diesel::ConnectionError),
    Statement(DieselError),
    OutOfStep,
    Commit(DieselError),
}

impl Failed {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => "no connection",
            Self::Statement(_) => "a statement failed",
            Self::OutOfStep => "a job left its transaction open",
            Self::Commit(_) => "commit failed",
        }
    }
}

/// What every job of a failed batch may conclude.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    RolledBack,
    Unknown,
}

impl Kind {
    pub(super) fn reason(self) -> DbError {
        match self {
            Self::RolledBack => DbError::Aborted(None),
            Self::Unknown => DbError::Unknown(DieselError::BrokenTransactionManager),
        }
    }
}

/// Errors of diesel cannot be cloned: the first job of the batch gets the cause, the others its
/// kind.
impl Failed {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Commit(error) if is_disconnect(error) => Kind::Unknown,
            _ => Kind::RolledBack,
        }
    }

    pub(super) fn reason(self) -> DbError {
        match self {
            Self::OutOfStep => DbError::Aborted(None),
            Self::Connect(error) => DbError::Unavailable(error),
            Self::Commit(error) if is_disconnect(&error) => DbError::Unknown(error),
            Self::Statement(error) | Self::Commit(error) => DbError::Aborted(Some(error)),
        }
    }
}
