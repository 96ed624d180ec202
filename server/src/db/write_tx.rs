//! The right to change rows, which exists only inside a unit of work.

use diesel::Connection;

use super::{AnyConn, DbError, error};
use crate::audit::Entry;

/// One unit of work. Store functions that change rows take it by `&mut`.
pub struct WriteTx<'conn> {
    conn: &'conn mut AnyConn,
    audit: Vec<Entry>,
}

impl std::fmt::Debug for WriteTx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteTx")
            .field("audit", &self.audit.len())
            .finish_non_exhaustive()
    }
}

impl<'conn> WriteTx<'conn> {
    pub(super) fn new(conn: &'conn mut AnyConn) -> Self {
        Self {
            conn,
            audit: Vec::new(),
        }
    }

    pub(super) fn into_audit(self) -> Vec<Entry> {
        self.audit
    }

    /// The connection, for queries of store files.
    pub fn conn(&mut self) -> &mut AnyConn {
        self.conn
    }

    /// Records who changed what. Entries are numbered and chained by the executor just before
    /// COMMIT; those of a failed job are dropped with its changes.
    pub fn audit(&mut self, entry: Entry) {
        self.audit.push(entry);
    }

    /// Runs a step whose violation of a unique constraint is expected: `Ok(None)` then, and the
    /// rest of the unit of work goes on (PostgreSQL would otherwise refuse further statements).
    pub fn unless_taken<T>(
        &mut self,
        step: impl FnOnce(&mut WriteTx<'_>) -> Result<T, DbError>,
    ) -> Result<Option<T>, DbError> {
        let audit = &mut self.audit;
        #[expect(
            clippy::disallowed_methods,
            reason = "the one nested transaction there is"
        )]
        let outcome = self.conn.transaction::<T, DbError, _>(|conn| {
            let mut inner = WriteTx::new(conn);
            let value = step(&mut inner)?;
            audit.append(&mut inner.audit);
            Ok(value)
        });
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(DbError::Query(error)) if error::is_unique_violation(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
