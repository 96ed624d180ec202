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

fn missing<'m>(all: &'m [Migration], applied: &[Applied]) -> Vec<&'m Migration> {
    let known = |m: &&Migration| !applied.iter().any(|a| a.version == m.version);
    all.iter().filter(known).collect()
}

/// What both runners do alike, on the connection of each.
macro_rules! journal {
    ($conn:ty, $statements:ident, $has_journal:literal) => {
        /// Applies and journals what is missing, in the transaction that is open.
        fn apply(
            conn: &mut $conn,
            all: &'static [Migration],
        ) -> Result<Vec<&'static str>, MigrateError> {
            conn.batch_execute(CREATE_JOURNAL).map_err(outside)?;
            let mut done = Vec::new();
            for migration in missing(all, &applied(conn)?) {
                let version = migration.version;
                let failed = |source| MigrateError::Failed { version, source };
                conn.batch_execute(migration.$statements).map_err(failed)?;
                sql_query(ADD_TO_JOURNAL)
                    .bind::<Text, _>(version)
                    .bind::<Text, _>(migration.min_binary)
                    .execute(conn)
                    .map_err(failed)?;
                check(conn, version)?;
                done.push(version);
            }
            Ok(done)
        }

        fn applied(conn: &mut $conn) -> Result<Vec<Applied>, MigrateError> {
            sql_query(READ_JOURNAL).load(conn).map_err(outside)
        }

        fn finish<T>(
            conn: &mut $conn,
            outcome: Result<T, MigrateError>,
        ) -> Result<T, MigrateError> {
            let end = if outcome.is_ok() {
                "COMMIT"
            } else {
                "ROLLBACK"
            };
            conn.batch_execute(end).map_err(outside)?;
            outcome
        }

        /// Names of changes not yet applied, and the newest `min_binary` of those that are.
        pub fn pending(
            conn: &mut $conn,
        ) -> Result<(Vec<&'static str>, Option<String>), MigrateError> {
            let there: Vec<Exists> = sql_query($has_journal).load(conn).map_err(outside)?;
            let applied = if there.is_empty() {
                Vec::new()
            } else {
                applied(conn)?
            };
            let names = missing(ALL, &applied).iter().map(|m| m.version).collect();
            Ok((
                names,
                applied.into_iter().next_back().map(|row| row.min_binary),
            ))
        }
    };
}

/// The runner for SQLite files.
pub mod sqlite {
    use super::{
        ADD_TO_JOURNAL, ALL, Applied, CREATE_JOURNAL, Dangling, Exists, MigrateError, Migration,
        READ_JOURNAL, RunQueryDsl, SimpleConnection, SqliteConnection, Text, missing, outside,
        sql_query,
    };

    journal!(
        SqliteConnection,
        sqlite,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'"
    );

    /// Applies what is missing and returns its names.
    pub fn run(conn: &mut SqliteConnection) -> Result<Vec<&'static str>, MigrateError> {
        run_these(conn, ALL)
    }

    /// Foreign keys are off meanwhile: a table is rebuilt by dropping it, which would otherwise
    /// delete what points at it. SQLite ignores the switch inside a transaction, so it comes before.
    pub(super) fn run_these(
        conn: &mut SqliteConnection,
        all: &'static [Migration],
    ) -> Result<Vec<&'static str>, MigrateError> {
        conn.batch_execute("PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE")
            .map_err(outside)?;
        let outcome = apply(conn, all);
        let outcome = finish(conn, outcome);
        conn.batch_execute("PRAGMA foreign_keys = ON")
            .map_err(outside)?;
        outcome
    }

    fn check(conn: &mut SqliteConnection, version: &'static str) -> Result<(), MigrateError> {
        let dangling: Vec<Dangling> = sql_query("PRAGMA foreign_key_check")
            .load(conn)
            .map_err(|source| MigrateError::Failed { version, source })?;
        match dangling.into_iter().next() {
            Some(row) => Err(MigrateError::DanglingReferences {
                version,
                table: row.table_name,
            }),
            None => Ok(()),
        }
    }
}

/// The runner for PostgreSQL.
pub mod postgres {
    use super::{
        ADD_TO_JOURNAL, ALL, Applied, CREATE_JOURNAL, Exists, MigrateError, Migration,
        PgConnection, READ_JOURNAL, RunQueryDsl, SimpleConnection, Text, missing, outside,
        sql_query,
    };

    journal!(
        PgConnection,
        postgres,
        "SELECT tablename::text AS name FROM pg_tables \
         WHERE schemaname = current_schema() AND tablename = 'schema_migrations'"
    );

    /// Applies what is missing in one transaction and returns its names.
    ///
    /// The advisory lock lets processes that start together wait for each other.
    pub fn run(conn: &mut PgConnection) -> Result<Vec<&'static str>, MigrateError> {
        conn.batch_execute("BEGIN; SELECT pg_advisory_xact_lock(7267893411)")
            .map_err(outside)?;
        let outcome = apply(conn, ALL);
        finish(conn, outcome)
    }

    /// PostgreSQL checks references itself.
    #[expect(clippy::unnecessary_wraps, reason = "the twin of SQLite's check")]
    fn check(_conn: &mut PgConnection, _version: &'static str) -> Result<(), MigrateError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use diesel::Connection;
    use diesel::sql_types::BigInt;

    use super::*;

    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }

    fn change(version: &'static str, sqlite: &'static str) -> Migration {
        Migration {
            version,
            min_binary: "0.1.0",
            sqlite,
            postgres: "",
        }
    }

    fn leaked(list: Vec<Migration>) -> &'static [Migration] {
        Box::leak(list.into_boxed_slice())
    }

    const TABLES: &str = "CREATE TABLE parents (id INTEGER PRIMARY KEY);
        CREATE TABLE children (id INTEGER PRIMARY KEY,
            parent INTEGER NOT NULL REFERENCES parents (id) ON DELETE CASCADE);
        INSERT INTO parents VALUES (1); INSERT INTO children VALUES (1, 1);";

    fn children(conn: &mut SqliteConnection) -> i64 {
        let rows: Vec<Count> = sql_query("SELECT count(*) AS count FROM children")
            .load(conn)
            .unwrap();
        rows[0].count
    }

    #[test]
    fn bytes_of_before_there_were_marks_have_their_day_from_the_migration_on() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let marks = |m: &Migration| m.version.ends_with("_uploads");
        let before = &ALL[..ALL.iter().position(marks).unwrap()];
        sqlite::run_these(&mut conn, before).unwrap();
        let insert = "INSERT INTO blobs (sha256, size, storage_key, references_count, created_at)
            VALUES ('unused', 1, 'a', 0, '2020-01-01 00:00:00'),
                   ('used', 1, 'b', 1, '2020-01-01 00:00:00')";
        conn.batch_execute(insert).unwrap();
        sqlite::run_these(&mut conn, ALL).unwrap();
        let count = |conn: &mut SqliteConnection, what: &str| {
            let query = format!("SELECT count(*) AS count FROM blobs WHERE {what}");
            let rows: Vec<Count> = sql_query(query).load(conn).unwrap();
            rows[0].count
        };
        let fresh = "sha256 = 'unused' AND unused_since > datetime('now', '-1 hour')";
        assert_eq!(count(&mut conn, fresh), 1);
        assert_eq!(count(&mut conn, "unused_since IS NULL"), 1);
    }

    #[test]
    fn rebuilding_a_table_keeps_what_points_at_it() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let rebuild = "CREATE TABLE fresh (id INTEGER PRIMARY KEY);
            INSERT INTO fresh SELECT id FROM parents; DROP TABLE parents;
            ALTER TABLE fresh RENAME TO parents;";
        let all = leaked(vec![change("1", TABLES), change("2", rebuild)]);
        assert_eq!(sqlite::run_these(&mut conn, all).unwrap(), ["1", "2"]);
        assert_eq!(children(&mut conn), 1);
        assert!(sqlite::run_these(&mut conn, all).unwrap().is_empty());
        conn.batch_execute("DELETE FROM parents").unwrap();
        assert_eq!(children(&mut conn), 0, "foreign keys are on again");
    }

    #[test]
    fn a_change_that_leaves_dangling_references_is_rolled_back() {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let orphan = "DELETE FROM parents;";
        let all = leaked(vec![change("1", TABLES), change("2", orphan)]);
        match sqlite::run_these(&mut conn, all) {
            Err(MigrateError::DanglingReferences {
                version: "2",
                table,
            }) => {
                assert_eq!(table, "children");
            }
            other => panic!("{other:?}"),
        }
        let failed = sql_query("SELECT count(*) AS count FROM children").load::<Count>(&mut conn);
        assert!(failed.is_err(), "nothing of the batch is kept");
    }
}
