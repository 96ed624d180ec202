//! Several statements that must see the same moment.

use diesel::connection::{AnsiTransactionManager, TransactionManager};

use super::{AnyConn, DbError};

fn begin(conn: &mut AnyConn) -> diesel::QueryResult<()> {
    match conn {
        AnyConn::Pg(conn) => AnsiTransactionManager::begin_transaction_sql(
            conn,
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
        AnyConn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN"),
    }
}

fn end(conn: &mut AnyConn) -> diesel::QueryResult<()> {
    super::on_backend!(conn, conn => AnsiTransactionManager::rollback_transaction(conn))
}

/// Runs `f` in one read-only snapshot.
pub(super) fn read<T, E: From<DbError>>(
    conn: &mut AnyConn,
    f: impl FnOnce(&mut AnyConn) -> Result<T, E>,
) -> Result<T, E> {
    begin(conn).map_err(DbError::from)?;
    let outcome = f(conn);
    let ended = end(conn).map_err(DbError::from);
    let value = outcome?;
    ended?;
    Ok(value)
}
