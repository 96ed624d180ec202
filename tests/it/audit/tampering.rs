//! Whoever changes the log, cuts it off or writes it anew is found out.

use diesel::connection::SimpleConnection;
use kitward::audit::{self, AuditError, AuditRow, CheckpointError, Link};
use kitward::db::{AnyConn, DbError};
use kitward_tests::{Kind, Shop, TestApp, both};

use super::{intruder, lift_protection, newest_token, number, whole, write_entries};

/// Number and word of the first flaw.
async fn flaw(app: &TestApp, given: &[String]) -> Option<(i64, &'static str)> {
    match audit::verify(&app.app, given).await {
        Ok(_) => None,
        Err(AuditError::Broken(broken)) => Some((broken.seq, broken.flaw.word())),
        Err(error) => panic!("{error:?}"),
    }
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
