//! The schema is the one this program expects.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kitward::db::{DatabaseUrl, Db, DbError, Shard};
use kitward_tests::{Kind, both};
use secrecy::SecretString;

use crate::database::{run, scratch};

both!(a_schema_that_needs_a_newer_program_is_refused);
async fn a_schema_that_needs_a_newer_program_is_refused(kind: Kind) {
    let scratch = scratch(kind).await;
    scratch
        .db
        .write(Shard::Wide, |tx| {
            run(
                tx,
                "INSERT INTO schema_migrations (version, min_binary) VALUES ('2999', '99.0.0')",
            )
        })
        .await
        .unwrap();
    let url = DatabaseUrl::parse(&SecretString::from(scratch.url.as_str())).unwrap();
    match Db::open(url) {
        Err(error) => assert!(error.to_string().contains("99.0.0"), "{error}"),
        Ok(_) => panic!("opened"),
    }
}

both!(the_tables_are_those_the_program_expects);
async fn the_tables_are_those_the_program_expects(kind: Kind) {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let scratch = scratch(kind).await;
    let query = match kind {
        Kind::Sqlite => {
            "SELECT m.name || '.' || p.name AS name FROM sqlite_schema m, pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1"
        }
        Kind::Postgres => {
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns \
             WHERE table_schema = 'public' ORDER BY 1"
        }
    };
    let columns: Vec<Column> = scratch
        .db
        .read_slow(move |conn| Ok::<_, DbError>(sql_query(query).load(conn)?))
        .await
        .unwrap();
    let ours = ["rows_written.", "seats.", "schema_migrations."];
    let mut found: Vec<String> = columns
        .into_iter()
        .map(|column| column.name)
        .filter(|name| !ours.iter().any(|own| name.starts_with(own)))
        .collect();
    found.sort();
    assert_eq!(found, declared_columns());
}

/// Columns as `server/src/db/schema.rs` declares them.
fn declared_columns() -> Vec<String> {
    let schema = include_str!("../../server/src/db/schema.rs");
    let (mut table, mut columns) = (String::new(), Vec::new());
    for line in schema.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with('{')) {
            name.clone_into(&mut table);
        } else if let Some((column, _)) = line.split_once(" -> ").filter(|_| line.ends_with(',')) {
            columns.push(format!("{table}.{column}"));
        }
    }
    columns.sort();
    columns
}

/// SQLite's trigger names what it compares: a column that it does not name could change unseen.
#[test]
fn every_column_of_a_release_counts_as_a_change_of_its_catalog() {
    #[derive(QueryableByName)]
    struct Trigger {
        #[diesel(sql_type = Text)]
        sql: String,
    }
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let scratch = scratch(kind).await;
        let query = "SELECT sql FROM sqlite_schema WHERE name = 'releases_update_catalog'";
        let read = scratch
            .db
            .read_slow(move |conn| Ok::<Vec<Trigger>, DbError>(sql_query(query).load(conn)?));
        let sql = read.await.unwrap().remove(0).sql;
        let compared: Vec<&str> = sql.split([',', ' ', '\n', '(', ')']).collect();
        let columns = declared_columns();
        let columns = columns.iter().filter_map(|it| it.strip_prefix("releases."));
        let mut count = 0;
        for column in columns {
            count += 1;
            for side in ["OLD", "NEW"] {
                let one = format!("{side}.{column}");
                assert!(compared.contains(&one.as_str()), "{one} is not compared");
            }
        }
        assert!(count > 20, "{count}");
    });
}
