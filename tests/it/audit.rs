//! The audit log: the database refuses to change it, and whoever lifts that is found out.

mod reading;
mod tampering;

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use kitward::audit::{self, Actor as Who, AuditError, Entry, Verified};
use kitward::db::{AnyConn, DbError, Shard};
use kitward::key_ring::model::Start;
use kitward::key_ring::{self, Order, refresh};
use kitward_keys::{KeyPurpose, VerifyError};
use kitward_tests::{Kind, Shop, TestApp, both};

/// A connection of somebody who has the database's password, and no program of ours.
fn intruder(app: &TestApp) -> AnyConn {
    match app.database_url().strip_prefix("sqlite:") {
        Some(path) => {
            let mut conn = SqliteConnection::establish(path).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
            AnyConn::Sqlite(conn)
        }
        None => AnyConn::Pg(PgConnection::establish(app.database_url()).unwrap()),
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn number(conn: &mut AnyConn, expression: &str) -> i64 {
    let rows: Vec<Number> = sql_query(format!("SELECT {expression} AS number"))
        .load(conn)
        .unwrap();
    rows[0].number
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

fn newest_token(conn: &mut AnyConn) -> String {
    let query = "SELECT token AS word FROM audit_checkpoints ORDER BY seq DESC LIMIT 1";
    let rows: Vec<Word> = sql_query(query).load(conn).unwrap();
    rows.into_iter().next().unwrap().word
}

async fn write_entries(app: &TestApp, count: usize) {
    let at = app.app.clock.now();
    let write = move |tx: &mut kitward::db::WriteTx<'_>| -> Result<(), DbError> {
        for id in 0..count {
            tx.audit(Entry::new(at, Who::System, "test.done", &id, &["used"]));
        }
        Ok(())
    };
    app.app.db.write(Shard::Wide, write).await.unwrap();
}

async fn whole(app: &TestApp) -> Verified {
    audit::verify(&app.app, &[]).await.unwrap()
}

const REFUSED: &[&str] = &[
    "UPDATE audit_log SET actor = 'nobody' WHERE seq = 1",
    "UPDATE audit_log SET seq = seq + 1000",
    "DELETE FROM audit_log WHERE seq = (SELECT max(seq) FROM audit_log)",
    "DELETE FROM audit_log",
    "INSERT INTO audit_log SELECT 0, at, actor, action, subject, fields, commitment, previous_hash, hash \
     FROM audit_log WHERE seq = 1",
    "UPDATE audit_details SET personal = '{}'",
    "UPDATE audit_head SET seq = seq - 1",
    "UPDATE audit_head SET seq = 0, hash = (SELECT previous_hash FROM audit_log WHERE seq = 1)",
    "UPDATE audit_head SET hash = (SELECT hash FROM audit_log WHERE seq = 1)",
    "DELETE FROM audit_head",
    "UPDATE audit_checkpoints SET token = 'x'",
    "DELETE FROM audit_checkpoints",
];

const REFUSED_BY_SQLITE: &[&str] = &[
    "INSERT OR REPLACE INTO audit_log SELECT seq, at, 'nobody', action, subject, fields, commitment, \
     previous_hash, hash FROM audit_log WHERE seq = 1",
    "INSERT OR REPLACE INTO audit_details SELECT seq, salt, '{}' FROM audit_details",
    "INSERT OR REPLACE INTO audit_head SELECT id, 0, hash FROM audit_head",
    "INSERT OR REPLACE INTO audit_checkpoints SELECT seq, hash, at, 'x' FROM audit_checkpoints",
    "UPDATE OR REPLACE audit_log SET seq = 1 WHERE seq = 2",
];

const REFUSED_BY_POSTGRES: &[&str] = &[
    "TRUNCATE audit_log CASCADE",
    "TRUNCATE audit_details",
    "TRUNCATE audit_head",
    "TRUNCATE audit_checkpoints",
    "INSERT INTO audit_head VALUES (1, 0, '') ON CONFLICT (id) DO UPDATE SET seq = 0",
];

#[test]
fn an_entry_of_a_long_log_is_written_without_reading_the_others() {
    kitward_tests::run_on(Kind::Postgres, an_entry_of_a_long_log);
}

async fn an_entry_of_a_long_log(kind: Kind) {
    let app = TestApp::start(kind).await;
    write_entries(&app, 10).await;
    let mut conn = intruder(&app);
    let read = "(SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'audit_log')";
    conn.batch_execute(
        "BEGIN;
         INSERT INTO audit_log SELECT number, now(), 'system', 'test.done', 'x', '[]', NULL, '', ''
         FROM generate_series(1000, 3999) AS number",
    )
    .unwrap();
    // Each of 3000 entries that read those before it would come to 4.5 million.
    let read = number(&mut conn, read);
    assert!(read < 100_000, "{read}");
    conn.batch_execute("ROLLBACK").unwrap();
    app.stop().await;
}

both!(the_database_refuses_to_change_what_was_logged);
async fn the_database_refuses_to_change_what_was_logged(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    audit::checkpoint(&app.app)
        .await
        .unwrap()
        .expect("the first");
    let before = whole(&app).await;
    assert!(before.entries > 5 && before.checkpoints == 1);
    let mut conn = intruder(&app);
    let own = match kind {
        Kind::Sqlite => REFUSED_BY_SQLITE,
        Kind::Postgres => REFUSED_BY_POSTGRES,
    };
    assert!(number(&mut conn, "(SELECT count(*) FROM audit_details)") > 0);
    for statement in REFUSED.iter().chain(own) {
        let refused = conn.batch_execute(statement).expect_err(statement);
        assert!(
            refused.to_string().contains("audit_"),
            "{statement}: {refused}"
        );
        assert_eq!(whole(&app).await, before, "{statement}");
    }
    // What belongs to a person can be erased, and the log goes on.
    conn.batch_execute("DELETE FROM audit_details").unwrap();
    assert!(whole(&app).await.erased > 0);
    shop.buy(&app).await;
    assert!(whole(&app).await.entries > before.entries);
    app.stop().await;
}

fn lift_protection(kind: Kind, conn: &mut AnyConn) {
    let statements = match kind {
        Kind::Sqlite => {
            let names: Vec<Word> = sql_query(
                "SELECT name AS word FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit_%'",
            )
            .load(conn)
            .unwrap();
            assert!(!names.is_empty());
            let drops = names
                .iter()
                .map(|name| format!("DROP TRIGGER {};", name.word));
            drops.collect::<String>() + "PRAGMA foreign_keys = OFF"
        }
        Kind::Postgres => "ALTER TABLE audit_log DISABLE TRIGGER USER;
            ALTER TABLE audit_details DISABLE TRIGGER USER;
            ALTER TABLE audit_details DROP CONSTRAINT audit_details_seq_fkey;
            ALTER TABLE audit_head DISABLE TRIGGER USER;
            ALTER TABLE audit_checkpoints DISABLE TRIGGER USER;"
            .to_owned(),
    };
    conn.batch_execute(&statements).unwrap();
}

both!(checkpoints_come_once_whatever_the_number_of_processes);
async fn checkpoints_come_once_whatever_the_number_of_processes(kind: Kind) {
    let app = TestApp::start(kind).await;
    let second = app.second().await;
    let both = async || {
        let (one, two) = tokio::join!(audit::checkpoint(&app.app), audit::checkpoint(&second.app));
        let made = [one.unwrap(), two.unwrap()];
        made.into_iter().flatten().collect::<Vec<i64>>()
    };
    assert_eq!(both().await.len(), 1);
    assert_eq!(both().await.len(), 0, "nothing is new");
    write_entries(&app, 1).await;
    assert_eq!(both().await.len(), 0, "not before its time");
    app.clock.advance(3_600);
    assert_eq!(both().await.len(), 1);
    write_entries(&app, 1_000).await;
    assert_eq!(both().await.len(), 1, "many entries do not wait");
    let verified = whole(&app).await;
    assert_eq!(
        (verified.checkpoints, verified.proven),
        (3, verified.entries)
    );
    second.stop().await;
    app.stop().await;
}

both!(a_checkpoint_counts_also_when_no_list_holds_its_key_any_more);
async fn a_checkpoint_counts_also_when_no_list_holds_its_key_any_more(kind: Kind) {
    let app = TestApp::start(kind).await;
    write_entries(&app, 3).await;
    let made = audit::checkpoint(&app.app).await.unwrap();
    let covered = made.expect("the first");
    let given = [newest_token(&mut intruder(&app))];
    let signer = app.app.keys.load().document.kid().to_string();
    let by = Order {
        actor: Who::Operator,
        root: None,
    };
    key_ring::rotate(&app.app.custody(), &by, KeyPurpose::Document, Start::Now)
        .await
        .unwrap();
    key_ring::retire(&app.app.custody(), &by, &signer, true)
        .await
        .unwrap();
    app.clock.advance(20 * 366 * 86_400);
    let later = app.second().await;
    let is_listed = later.app.keys.load().public.find(&signer).is_some();
    assert!(!is_listed, "readers met the last it signed long ago");
    let verified = audit::verify(&later.app, &given).await.unwrap();
    assert_eq!(
        (verified.checkpoints, verified.proven, verified.unproven),
        (2, covered, 0)
    );
    // A theft that is noticed only then still takes all of it back.
    key_ring::compromise(&app.app.custody(), &by, &signer)
        .await
        .unwrap();
    refresh(&later.app).await.unwrap();
    let verified = whole(&later).await;
    assert_eq!((verified.checkpoints, verified.unproven), (0, 1));
    let refused = audit::verify(&later.app, &given).await;
    assert!(
        matches!(
            refused,
            Err(AuditError::Given(1, VerifyError::KeyCompromised))
        ),
        "{refused:?}"
    );
    later.stop().await;
    app.stop().await;
}

both!(a_running_server_makes_checkpoints_by_itself);
async fn a_running_server_makes_checkpoints_by_itself(kind: Kind) {
    let app = TestApp::builder().with_workers().start(kind).await;
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while whole(&app).await.checkpoints == 0 {
        assert!(std::time::Instant::now() < end, "no checkpoint");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let started = std::time::Instant::now();
    app.stop().await;
    assert!(
        started.elapsed() < Duration::from_secs(8),
        "it held up the end"
    );
}
