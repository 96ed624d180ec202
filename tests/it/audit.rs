//! The audit log: the database refuses to change it, and whoever lifts that is found out.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use kitward::audit::{
    self, Actor as Who, AuditError, AuditRow, CheckpointError, Entry, Link, Verified,
};
use kitward::db::{AnyConn, DbError, Shard};
use kitward::staff::Scope;
use kitward_tests::{Ended, Kind, MASTER_KEY, Shop, TestApp, both, command};
use serde_json::{Value, json};

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

/// Number and word of the first flaw.
async fn flaw(app: &TestApp, given: &[String]) -> Option<(i64, &'static str)> {
    match audit::verify(&app.app, given).await {
        Ok(_) => None,
        Err(AuditError::Broken(broken)) => Some((broken.seq, broken.flaw.word())),
        Err(error) => panic!("{error:?}"),
    }
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

#[tokio::test]
async fn an_entry_of_a_long_log_is_written_without_reading_the_others() {
    let app = TestApp::start(Kind::Postgres).await;
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

const TABLES: [&str; 4] = [
    "audit_log",
    "audit_details",
    "audit_head",
    "audit_checkpoints",
];

fn keep_copies(conn: &mut AnyConn) {
    for table in TABLES {
        let copy = format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}");
        conn.batch_execute(&copy).unwrap();
    }
}

fn put_back(conn: &mut AnyConn) {
    for table in TABLES {
        let back = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
        conn.batch_execute(&back).unwrap();
    }
}

/// A log of more than one slice with a checkpoint in it, open to tampering.
struct Scene {
    app: TestApp,
    conn: AnyConn,
    kind: Kind,
    /// Entry that the stored checkpoint covers.
    covered: i64,
    /// The last entry.
    last: i64,
    /// An entry with personal values.
    personal: i64,
    /// A checkpoint of the last entry that is not stored.
    kept: String,
}

async fn scene(kind: Kind) -> Scene {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    write_entries(&app, 1_200).await;
    let covered = audit::checkpoint(&app.app).await.unwrap().expect("due");
    shop.buy(&app).await;
    app.clock.advance(3_600);
    let last = audit::checkpoint(&app.app).await.unwrap().expect("due");
    assert!(covered > 1_200 && last > covered + 1);
    let mut conn = intruder(&app);
    let personal = number(&mut conn, "(SELECT min(seq) FROM audit_details)");
    let kept = newest_token(&mut conn);
    assert_eq!(whole(&app).await.proven, last);
    lift_protection(kind, &mut conn);
    let remove = format!("DELETE FROM audit_checkpoints WHERE seq = {last}");
    conn.batch_execute(&remove).unwrap();
    keep_copies(&mut conn);
    Scene {
        app,
        conn,
        kind,
        covered,
        last,
        personal,
        kept,
    }
}

impl Scene {
    /// Tampers, looks, and puts everything back.
    async fn found(&mut self, statements: &str) -> Option<(i64, &'static str)> {
        self.conn.batch_execute(statements).expect(statements);
        let found = flaw(&self.app, &[]).await;
        put_back(&mut self.conn);
        found
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let hex = digits.concat();
        match self.kind {
            Kind::Sqlite => format!("x'{hex}'"),
            Kind::Postgres => format!("'\\x{hex}'::bytea"),
        }
    }

    /// Cuts everything after an entry off, and sets the head to it.
    fn cut_after(last: i64) -> String {
        format!(
            "DELETE FROM audit_details WHERE seq > {last}; DELETE FROM audit_log WHERE seq > {last};
             UPDATE audit_head SET seq = {last}, hash = (SELECT hash FROM audit_log WHERE seq = {last});"
        )
    }
}

both!(whatever_is_changed_the_first_changed_entry_is_named);
async fn whatever_is_changed_the_first_changed_entry_is_named(kind: Kind) {
    let mut scene = scene(kind).await;
    assert_eq!(flaw(&scene.app, &[]).await, None);
    let (zeros, ones) = (scene.bytes(&[0; 32]), scene.bytes(&[1; 32]));
    for seq in [1, 4, 1_000, 1_001, scene.last] {
        for change in [
            "actor = 'nobody'",
            "action = 'license.nothing'",
            "subject = 'lic_other'",
            "fields = '[]x'",
            "at = '2020-01-01 00:00:00'",
            &format!("commitment = {zeros}"),
            &format!("hash = {zeros}"),
        ] {
            let update = format!("UPDATE audit_log SET {change} WHERE seq = {seq}");
            assert_eq!(scene.found(&update).await, Some((seq, "hash")), "{update}");
        }
        let update = format!("UPDATE audit_log SET previous_hash = {ones} WHERE seq = {seq}");
        let expected = Some((seq, "previous_hash"));
        assert_eq!(scene.found(&update).await, expected, "{update}");
        let delete = format!("DELETE FROM audit_log WHERE seq = {seq}");
        let expected = Some((seq, "missing"));
        assert_eq!(scene.found(&delete).await, expected, "{delete}");
    }
    let last = scene.last;
    for seq in [0, -7, last + 1] {
        let insert = format!(
            "INSERT INTO audit_log SELECT {seq}, at, actor, action, subject, fields, commitment, \
             previous_hash, hash FROM audit_log WHERE seq = 2"
        );
        assert_eq!(scene.found(&insert).await, Some((seq, "stray")));
    }
    if kind == Kind::Sqlite {
        let garbage = "UPDATE audit_log SET at = 'garbage' WHERE seq = 1003";
        assert_eq!(scene.found(garbage).await, Some((1_003, "unreadable")));
    }
    scene.app.stop().await;
}

both!(a_head_or_personal_values_that_do_not_fit_are_found);
async fn a_head_or_personal_values_that_do_not_fit_are_found(kind: Kind) {
    let mut scene = scene(kind).await;
    let (last, personal) = (scene.last, scene.personal);
    let zeros = scene.bytes(&[0; 32]);
    let cases = [
        (
            format!("UPDATE audit_head SET hash = {zeros}"),
            last,
            "head",
        ),
        (
            "UPDATE audit_head SET seq = seq + 1".to_owned(),
            last + 1,
            "missing",
        ),
        ("UPDATE audit_head SET seq = 1".to_owned(), 1, "head"),
        ("DELETE FROM audit_head".to_owned(), 1, "stray"),
        (
            format!("UPDATE audit_details SET personal = '{{}}' WHERE seq = {personal}"),
            personal,
            "details",
        ),
        (
            format!("UPDATE audit_details SET salt = {zeros} WHERE seq = {personal}"),
            personal,
            "details",
        ),
        (
            format!("INSERT INTO audit_details VALUES (1, {zeros}, 'somebody')"),
            1,
            "details",
        ),
    ];
    for (statement, seq, word) in cases {
        assert_eq!(
            scene.found(&statement).await,
            Some((seq, word)),
            "{statement}"
        );
    }
    scene.app.stop().await;
}

/// The log as somebody would write it who knows how, with one entry said otherwise.
fn forged(scene: &Scene, mut rows: Vec<AuditRow>, from: i64) -> String {
    let mut statements = Vec::new();
    let mut previous = audit::GENESIS.to_vec();
    for row in &mut rows {
        if row.seq == from {
            "nobody".clone_into(&mut row.actor);
        }
        let link = Link {
            seq: row.seq,
            at: row.at,
            actor: &row.actor,
            action: &row.action,
            subject: &row.subject,
            fields: &row.fields,
            commitment: row.commitment.as_deref(),
        };
        let hash = link.hash(&previous).to_vec();
        if row.seq >= from {
            statements.push(format!(
                "UPDATE audit_log SET actor = '{}', previous_hash = {}, hash = {} WHERE seq = {};",
                row.actor,
                scene.bytes(&previous),
                scene.bytes(&hash),
                row.seq
            ));
        }
        previous = hash;
    }
    statements.push(format!(
        "UPDATE audit_head SET hash = {};",
        scene.bytes(&previous)
    ));
    statements.concat()
}

both!(a_log_that_is_cut_off_or_written_anew_contradicts_its_checkpoints);
async fn a_log_that_is_cut_off_or_written_anew_contradicts_its_checkpoints(kind: Kind) {
    let mut scene = scene(kind).await;
    let (covered, last) = (scene.covered, scene.last);
    let shortened = Some((covered, "shortened"));
    assert_eq!(scene.found(&Scene::cut_after(covered - 1)).await, shortened);
    assert_eq!(
        scene.found(&Scene::cut_after(2)).await,
        Some((3, "shortened"))
    );
    let rows = scene
        .app
        .app
        .db
        .read_slow(|conn| audit::all(conn).map_err(DbError::from))
        .await
        .unwrap();
    let anew = forged(&scene, rows, 1_150);
    assert_eq!(scene.found(&anew).await, Some((covered, "checkpoint")));

    // Whoever also removes the checkpoints is found out by one that was kept elsewhere.
    let given = [scene.kept.clone()];
    assert_eq!(flaw(&scene.app, &given).await, None);
    let cut = Scene::cut_after(last - 1) + "DELETE FROM audit_checkpoints;";
    for (statements, expected) in [(cut, (last, "shortened")), (anew, (last, "checkpoint"))] {
        let without = statements + "DELETE FROM audit_checkpoints;";
        scene.conn.batch_execute(&without).unwrap();
        assert_eq!(flaw(&scene.app, &[]).await, None);
        assert_eq!(flaw(&scene.app, &given).await, Some(expected));
        put_back(&mut scene.conn);
    }
    // No further checkpoint hides it.
    scene.conn.batch_execute(&Scene::cut_after(2)).unwrap();
    scene.app.clock.advance(86_400);
    match audit::checkpoint(&scene.app.app).await {
        Err(CheckpointError::Contradiction(seq)) => assert_eq!(seq, covered),
        other => panic!("{other:?}"),
    }
    scene.app.stop().await;
}

both!(a_checkpoint_that_was_changed_does_not_count);
async fn a_checkpoint_that_was_changed_does_not_count(kind: Kind) {
    let mut scene = scene(kind).await;
    let covered = scene.covered;
    let zeros = scene.bytes(&[0; 32]);
    let mut bad = newest_token(&mut scene.conn);
    let end = bad.pop();
    bad.push(if end == Some('A') { 'Q' } else { 'A' });
    let set = |what: &str| format!("UPDATE audit_checkpoints SET {what}");
    let cases = [
        (set("token = 'x.y.z'"), covered, "checkpoint_signature"),
        (
            set(&format!("token = '{bad}'")),
            covered,
            "checkpoint_signature",
        ),
        (
            set(&format!("token = '{}'", scene.kept)),
            covered,
            "checkpoint_row",
        ),
        (set(&format!("hash = {zeros}")), covered, "checkpoint_row"),
        (set("at = '2020-01-01 00:00:00'"), covered, "checkpoint_row"),
        (set("seq = seq - 1"), covered - 1, "checkpoint_row"),
        (
            set("seq = seq + 100000"),
            covered + 100_000,
            "checkpoint_row",
        ),
    ];
    for (statement, seq, word) in cases {
        assert_eq!(
            scene.found(&statement).await,
            Some((seq, word)),
            "{statement}"
        );
    }
    match audit::verify(&scene.app.app, &[bad]).await {
        Err(AuditError::Given(1, _)) => {}
        other => panic!("{other:?}"),
    }
    // Nothing signed with a compromised key counts, for or against.
    scene
        .conn
        .batch_execute("UPDATE signing_keys SET state = 'compromised' WHERE purpose = 'document'")
        .unwrap();
    let second = scene.app.second().await;
    let verified = whole(&second).await;
    assert_eq!((verified.checkpoints, verified.unproven), (0, 1));
    second.stop().await;
    scene.app.stop().await;
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

both!(the_log_is_listed_newest_first_and_persons_are_for_administrators);
async fn the_log_is_listed_newest_first_and_persons_are_for_administrators(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let reader = app.token(Scope::Read).await;
    let (mut seqs, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/admin/audit?limit=3{cursor}");
        let page = reader.get(&path).await.expect_status(200).json();
        assert!(!page.to_string().contains("personal"), "{page}");
        let items = page["items"].as_array().unwrap();
        seqs.extend(items.iter().map(|item| item["seq"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<i64> = (1..=whole(&app).await.entries).rev().collect();
    assert_eq!(seqs, expected);

    let page = shop.admin.get("/v1/admin/audit?limit=100").await.json();
    let items = page["items"].as_array().unwrap();
    let persons = items.iter().filter(|item| !item["personal"].is_null());
    assert!(persons.count() > 0 && page.to_string().contains(kitward_tests::BUYER));
    let path = format!("/v1/admin/audit?subject={}", shop.policy);
    let page = reader.get(&path).await.expect_status(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["action"], json!("policy.created"));
    assert_eq!(page["items"][0]["subject"], json!(shop.policy));

    for bad in [
        "cursor=x",
        "cursor=1.5",
        "cursor=-1",
        "cursor=%2B1",
        "subject=%00",
        "subject=a%20b",
    ] {
        let refused = reader.get(&format!("/v1/admin/audit?{bad}")).await;
        refused.expect_problem(422, "invalid_field");
    }
    let publisher = app.token(Scope::Publish).await;
    let refused = publisher.get("/v1/admin/audit").await;
    refused.expect_problem(403, "insufficient_scope");
    app.stop().await;
}

async fn run(app: &TestApp, words: &'static [&'static str]) -> Ended {
    let folder = app.folder().to_path_buf();
    let url = app.database_url().to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let data = folder.join("data");
        let variables = [
            ("KITWARD_DATABASE_URL", url.as_str()),
            ("KITWARD_DATA_DIR", data.to_str().unwrap()),
            ("KITWARD_MASTER_KEY", MASTER_KEY),
        ];
        command(&folder, &variables, words)
    });
    work.await.unwrap()
}

both!(the_command_tells_a_whole_log_from_a_broken_one);
async fn the_command_tells_a_whole_log_from_a_broken_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    Shop::open(&app).await;
    audit::checkpoint(&app.app)
        .await
        .unwrap()
        .expect("the first");
    let verified = whole(&app).await;
    let ended = run(&app, &["audit", "verify", "--json"]).await;
    assert_eq!(ended.status, 0, "{ended:?}");
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["ok"], json!(true));
    assert_eq!(told["entries"], json!(verified.entries));
    assert_eq!(told["proven"], json!(verified.entries));
    assert_eq!(told["head"].as_str().unwrap().len(), 64);

    let mut conn = intruder(&app);
    lift_protection(kind, &mut conn);
    conn.batch_execute("UPDATE audit_log SET actor = 'nobody' WHERE seq = 3")
        .unwrap();
    let ended = run(&app, &["audit", "verify"]).await;
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(
        ended.err.contains("entry 3 does not fit its hash"),
        "{ended:?}"
    );
    let ended = run(&app, &["audit", "verify", "--json"]).await;
    assert_eq!(ended.status, 1, "{ended:?}");
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told, json!({ "ok": false, "entry": 3, "flaw": "hash" }));
    app.stop().await;
}

#[test]
fn a_folder_without_an_installation_has_no_whole_log() {
    let folder = tempfile::TempDir::new().unwrap();
    let ended = command(folder.path(), &[], &["audit", "verify"]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.err.contains("not set up"), "{ended:?}");
    assert!(!folder.path().join("data").exists(), "a look makes nothing");
}

both!(the_list_is_a_command_too);
async fn the_list_is_a_command_too(kind: Kind) {
    let app = TestApp::start(kind).await;
    Shop::open(&app).await;
    write_entries(&app, 150).await;
    let reader = app.token(Scope::Read).await;
    let token = reader.header_text("authorization");
    let token = token.trim_start_matches("Bearer ").to_owned();
    let (origin, folder) = (app.origin(), app.folder().to_path_buf());
    let work = tokio::task::spawn_blocking(move || {
        let variables = [
            ("KITWARD_URL", origin.as_str()),
            ("KITWARD_TOKEN", token.as_str()),
        ];
        let rows = |words: &[&str]| -> Vec<Value> {
            let ended = command(&folder, &variables, words);
            assert_eq!(ended.status, 0, "{ended:?}");
            serde_json::from_str(&ended.out).unwrap()
        };
        let newest = rows(&["--json", "audit", "list", "--limit", "120"]);
        assert_eq!(newest.len(), 120);
        assert!(newest[0]["seq"].as_i64() > newest[119]["seq"].as_i64());
        let subject = rows(&["--json", "audit", "list", "--subject", "149"]);
        assert_eq!(subject.len(), 1);
    });
    work.await.unwrap();
    app.stop().await;
}
