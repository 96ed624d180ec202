//! Applies what is missing, once, however many processes start together.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use crate::{ALL, Migration};

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A statement failed; nothing of its batch was kept.
    #[error("migration {version} failed")]
    Failed {
        /// The change that failed, or `-` outside of one.
        version: &'static str,
        /// What the database said.
        source: diesel::result::Error,
    },
    /// Rows point at rows that are gone; the change was rolled back.
    #[error("migration {version} would leave dangling references in table {table}")]
    DanglingReferences {
        /// The change that would have caused it.
        version: &'static str,
        /// Table of the first dangling row.
        table: String,
    },
}

fn outside(source: diesel::result::Error) -> MigrateError {
    MigrateError::Failed {
        version: "-",
        source,
    }
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    min_binary: String,
}

#[derive(QueryableByName)]
struct Dangling {
    #[diesel(sql_type = Text, column_name = "table")]
    table_name: String,
}

const CREATE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
    version TEXT PRIMARY KEY,
    min_binary TEXT NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
)";
/// Looking must not create: two processes that look at once would both try.
#[derive(QueryableByName)]
struct Exists {
    #[diesel(sql_type = Text)]
    #[expect(dead_code, reason = "only its presence matters")]
    name: String,
}

const READ_JOURNAL: &str = "SELECT version, min_binary FROM schema_migrations ORDER BY version";
const ADD_TO_JOURNAL: &str = "INSERT INTO schema_migrations (version, min_binary) VALUES ($1, $2)";

fn missing(applied: &[Applied]) -> Vec<&'static Migration> {
    let known = |m: &&Migration| !applied.iter().any(|a| a.version == m.version);
    ALL.iter().filter(known).collect()
}

/// The runner for SQLite files.
pub mod sqlite {
    const HAS_JOURNAL: &str =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'";

    use super::{
        ADD_TO_JOURNAL, Applied, CREATE_JOURNAL, Dangling, Exists, MigrateError, Migration,
        READ_JOURNAL, RunQueryDsl, SimpleConnection, SqliteConnection, Text, missing, outside,
        sql_query, summary,
    };

    /// Applies what is missing and returns its names.
    ///
    /// Foreign keys are off meanwhile: a table is rebuilt by dropping it, which would otherwise
    /// delete what points at it. SQLite ignores the switch inside a transaction, so it comes before.
    pub fn run(conn: &mut SqliteConnection) -> Result<Vec<&'static str>, MigrateError> {
        conn.batch_execute("PRAGMA foreign_keys = OFF")
            .map_err(outside)?;
        let outcome = in_transaction(conn);
        conn.batch_execute("PRAGMA foreign_keys = ON")
            .map_err(outside)?;
        outcome
    }

    fn in_transaction(conn: &mut SqliteConnection) -> Result<Vec<&'static str>, MigrateError> {
        conn.batch_execute("BEGIN IMMEDIATE").map_err(outside)?;
        match apply(conn) {
            Ok(done) => conn.batch_execute("COMMIT").map_err(outside).map(|()| done),
            Err(error) => {
                conn.batch_execute("ROLLBACK").map_err(outside)?;
                Err(error)
            }
        }
    }

    fn apply(conn: &mut SqliteConnection) -> Result<Vec<&'static str>, MigrateError> {
        conn.batch_execute(CREATE_JOURNAL).map_err(outside)?;
        let applied: Vec<Applied> = sql_query(READ_JOURNAL).load(conn).map_err(outside)?;
        let mut done = Vec::new();
        for Migration {
            version,
            min_binary,
            sqlite,
            ..
        } in missing(&applied)
        {
            let failed = |source| MigrateError::Failed { version, source };
            conn.batch_execute(sqlite).map_err(failed)?;
            let journal = sql_query(ADD_TO_JOURNAL).bind::<Text, _>(version);
            journal
                .bind::<Text, _>(min_binary)
                .execute(conn)
                .map_err(failed)?;
            let dangling: Vec<Dangling> = sql_query("PRAGMA foreign_key_check")
                .load(conn)
                .map_err(failed)?;
            if let Some(row) = dangling.into_iter().next() {
                return Err(MigrateError::DanglingReferences {
                    version,
                    table: row.table_name,
                });
            }
            done.push(*version);
        }
        Ok(done)
    }

    /// Names of changes not yet applied, and the newest `min_binary` of those that are.
    pub fn pending(
        conn: &mut SqliteConnection,
    ) -> Result<(Vec<&'static str>, Option<String>), MigrateError> {
        let there: Vec<Exists> = sql_query(HAS_JOURNAL).load(conn).map_err(outside)?;
        let applied: Vec<Applied> = match there.first() {
            Some(_) => sql_query(READ_JOURNAL).load(conn).map_err(outside)?,
            None => Vec::new(),
        };
        Ok(summary(applied))
    }
}

/// The runner for PostgreSQL.
pub mod postgres {
    const HAS_JOURNAL: &str = "SELECT tablename::text AS name FROM pg_tables \
         WHERE schemaname = current_schema() AND tablename = 'schema_migrations'";

    use super::{
        ADD_TO_JOURNAL, Applied, CREATE_JOURNAL, Exists, MigrateError, Migration, PgConnection,
        READ_JOURNAL, RunQueryDsl, SimpleConnection, Text, missing, outside, sql_query, summary,
    };

    /// Applies what is missing in one transaction and returns its names.
    ///
    /// The advisory lock lets processes that start together wait for each other.
    pub fn run(conn: &mut PgConnection) -> Result<Vec<&'static str>, MigrateError> {
        conn.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7267893411)")
            .map_err(outside)?;
        match apply(conn) {
            Ok(done) => conn.batch_execute("COMMIT").map_err(outside).map(|()| done),
            Err(error) => {
                conn.batch_execute("ROLLBACK").map_err(outside)?;
                Err(error)
            }
        }
    }

    fn apply(conn: &mut PgConnection) -> Result<Vec<&'static str>, MigrateError> {
        conn.batch_execute(CREATE_JOURNAL).map_err(outside)?;
        let applied: Vec<Applied> = sql_query(READ_JOURNAL).load(conn).map_err(outside)?;
        let mut done = Vec::new();
        for Migration {
            version,
            min_binary,
            postgres,
            ..
        } in missing(&applied)
        {
            let failed = |source| MigrateError::Failed { version, source };
            conn.batch_execute(postgres).map_err(failed)?;
            let journal = sql_query(ADD_TO_JOURNAL).bind::<Text, _>(version);
            journal
                .bind::<Text, _>(min_binary)
                .execute(conn)
                .map_err(failed)?;
            done.push(*version);
        }
        Ok(done)
    }

    /// Names of changes not yet applied, and the newest `min_binary` of those that are.
    pub fn pending(
        conn: &mut PgConnection,
    ) -> Result<(Vec<&'static str>, Option<String>), MigrateError> {
        let there: Vec<Exists> = sql_query(HAS_JOURNAL).load(conn).map_err(outside)?;
        let applied: Vec<Applied> = match there.first() {
            Some(_) => sql_query(READ_JOURNAL).load(conn).map_err(outside)?,
            None => Vec::new(),
        };
        Ok(summary(applied))
    }
}

fn summary(applied: Vec<Applied>) -> (Vec<&'static str>, Option<String>) {
    let names = missing(&applied).iter().map(|m| m.version).collect();
    (
        names,
        applied.into_iter().next_back().map(|row| row.min_binary),
    )
}
