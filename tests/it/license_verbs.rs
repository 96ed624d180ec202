//! What support does with licenses: every verb, whoever comes at the same time, whatever is sent.

mod bases;
mod holds;
mod issuing;
mod keys;
mod terms;
mod transfers;

use kitward::audit::Actor as AuditActor;
use kitward::licenses::model::LicenseId;
use kitward::licenses::reveal::{RevealKey, reveal_key};
use kitward::staff::Scope;
use kitward_tests::{Actor, BUYER, Kind, Reply, Shop, TestApp, both};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

const NEW_OWNER: &str = "new-owner@example.com";

/// A shop with one license that staff issued.
struct Desk {
    app: TestApp,
    admin: Actor,
    id: String,
    key: String,
}

impl Desk {
    async fn open(kind: Kind) -> Self {
        Self::of(TestApp::start(kind).await).await
    }

    async fn of(app: TestApp) -> Self {
        let shop = Shop::open(&app).await;
        let (id, key) = issue(&shop.admin, &json!({})).await;
        Self {
            app,
            admin: shop.admin,
            id,
            key,
        }
    }

    fn path(&self, rest: &str) -> String {
        path(&self.id, rest)
    }

    async fn act(&self, verb: &str, body: &Value) -> Reply {
        self.admin.post(&self.path(verb), body).await
    }

    async fn done(&self, verb: &str, body: &Value) -> Reply {
        self.act(verb, body).await.expect_status(200)
    }

    async fn show(&self) -> Reply {
        self.admin.get(&self.path("")).await.expect_status(200)
    }

    async fn code(&self, key: &str) -> String {
        code(&self.app, key, "validate", "machine-1").await
    }

    async fn seat(&self, device: &str) -> String {
        code(&self.app, &self.key, "activate", device).await
    }

    /// The primary key, as its owner reads it.
    async fn present_key(&self) -> String {
        let input = RevealKey {
            license: LicenseId::parse(&self.id).unwrap(),
            owner: None,
            actor: AuditActor::Operator,
        };
        let key = reveal_key(&self.app.app, input).await.unwrap();
        key.expose_secret().to_owned()
    }
}

fn path(id: &str, rest: &str) -> String {
    let slash = if rest.is_empty() { "" } else { "/" };
    format!("/v1/admin/licenses/{id}{slash}{rest}")
}

async fn issue(admin: &Actor, changes: &Value) -> (String, String) {
    let mut body = json!({ "policy": "personal", "email": BUYER });
    for (member, value) in changes.as_object().unwrap() {
        body[member] = value.clone();
    }
    let reply = admin.post("/v1/admin/licenses", &body).await;
    let reply = reply.expect_status(201);
    (reply.str("/id"), reply.str("/key"))
}

async fn code(app: &TestApp, key: &str, call: &str, device: &str) -> String {
    let body = json!({ "key": key, "kit": "feedback-widget", "device": device });
    let path = format!("/v1/licenses/{call}");
    let reply = app.anonymous().post(&path, &body).await.expect_status(200);
    reply.str("/code")
}

async fn sql(app: &TestApp, text: String) {
    use kitward::db::{DbError, Shard};
    app.app
        .db
        .write(Shard::Wide, move |tx| {
            use diesel::connection::SimpleConnection;
            tx.conn().batch_execute(&text)?;
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
}

/// A token derived from the license's primary key.
async fn token_row(desk: &Desk, id: &str) -> String {
    let key = desk.show().await;
    let keys = key.json()["keys"].clone();
    let primary = keys
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["is_primary"] == true);
    let primary = primary.unwrap()["id"].as_str().unwrap().to_owned();
    let digest = match desk.app.kind {
        Kind::Sqlite => format!("CAST('{id}' AS BLOB)"),
        Kind::Postgres => format!("'{id}'::bytea"),
    };
    format!(
        "INSERT INTO license_tokens (id, license_id, license_key_id, kind, name, hint, digest, \
         origins, created_at) VALUES ('{id}', '{}', '{primary}', 'ci', 'build', 'abcdef', {digest}, \
         '[]', '2027-01-15 12:00:00')",
        desk.id
    )
}

async fn count(app: &TestApp, of: &str) -> i64 {
    use diesel::sql_types::BigInt;
    use diesel::{QueryableByName, RunQueryDsl, sql_query};
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let query = format!("SELECT COUNT(*) AS number FROM {of}");
    let rows: Vec<Number> = app
        .app
        .db
        .read_slow(move |conn| Ok::<_, kitward::db::DbError>(sql_query(query).load(conn)?))
        .await
        .unwrap();
    rows[0].number
}

both!(of_two_admins_the_second_learns_of_the_first);
async fn of_two_admins_the_second_learns_of_the_first(kind: Kind) {
    let desk = Desk::open(kind).await;
    let read = desk.show().await.header("etag").to_owned();
    let second = desk
        .app
        .token(Scope::Admin)
        .await
        .with("if-match", read.clone());
    let first = desk.admin.clone().with("if-match", read);
    first
        .post(&desk.path("note"), &json!({ "note": "One." }))
        .await
        .expect_status(200);
    for (verb, body) in [
        ("suspend", json!({})),
        ("revoke", json!({ "reason": "fraud" })),
        ("reinstate", json!({ "reason": "manual" })),
        ("renew", json!({ "from": "now" })),
        ("extend", json!({ "days": 1 })),
        ("transfer", json!({ "email": NEW_OWNER })),
        ("set-policy", json!({ "policy": "personal" })),
        ("note", json!({ "note": "Two." })),
        ("rotate", json!({})),
        (
            "import-key",
            json!({ "source": "polar", "key": "POLAR-12345678" }),
        ),
    ] {
        let reply = second.post(&desk.path(verb), &body).await;
        let reply = reply.expect_problem(412, "precondition_failed");
        assert_eq!(reply.str("/version"), "2", "{verb}");
    }
    let edit = second
        .patch(&desk.path(""), &json!({ "seat_limit": 1 }))
        .await;
    edit.expect_problem(412, "precondition_failed");
    assert_eq!(desk.show().await.header("etag"), "\"2\"");
    desk.app.stop().await;
}

both!(kits_at_work_are_no_edit);
async fn kits_at_work_are_no_edit(kind: Kind) {
    let desk = Desk::open(kind).await;
    let floating = json!({ "lease_seconds": 600, "seat_limit": 1 });
    Shop::policy(&desk.admin, "floating", &floating).await;
    desk.done("set-policy", &json!({ "policy": "floating" }))
        .await;
    let read = desk.show().await;
    for (call, device, told) in [
        ("activate", "machine-1", "VALID"),
        ("activate", "machine-2", "SEATS_EXHAUSTED"),
        ("heartbeat", "machine-1", "VALID"),
    ] {
        desk.app.clock.advance(60);
        assert_eq!(code(&desk.app, &desk.key, call, device).await, told);
    }
    desk.app.clock.advance(601);
    assert_eq!(desk.seat("machine-2").await, "VALID");
    let shown = desk.show().await;
    assert_eq!(shown.str("/seats/used"), "1");
    assert_eq!(shown.header("etag"), read.header("etag"));
    let careful = desk.admin.clone().with("if-match", read.header("etag"));
    let words = json!({ "metadata": { "crm": "4711" } });
    let edited = careful.patch(&desk.path(""), &words).await;
    let edited = edited.expect_status(200);
    let late = careful.patch(&desk.path(""), &words).await;
    let late = late.expect_problem(412, "precondition_failed");
    assert_eq!(late.str("/version"), edited.str("/version"));
    // Other terms are an edit.
    let policy = "/v1/admin/policies/floating";
    let longer = json!({ "updates_months": 24 });
    desk.admin.patch(policy, &longer).await.expect_status(200);
    let apply = json!({ "preview": false, "terms_number": 2 });
    let applied = desk.admin.post(&format!("{policy}/apply"), &apply).await;
    assert_eq!(applied.expect_status(200).str("/changed"), "1");
    assert_ne!(desk.show().await.header("etag"), edited.header("etag"));
    desk.app.stop().await;
}

both!(a_request_sent_again_changes_nothing_twice);
async fn a_request_sent_again_changes_nothing_twice(kind: Kind) {
    let desk = Desk::open(kind).await;
    for (at, (verb, body)) in [
        ("renew", json!({ "from": "expiry" })),
        ("extend", json!({ "months": 1 })),
        ("note", json!({ "note": "Once." })),
        ("rotate", json!({ "grace_seconds": 60 })),
        (
            "import-key",
            json!({ "source": "keygen", "key": "KEYGEN-12345678" }),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let actor = desk.admin.clone().with("idempotency-key", format!("k{at}"));
        let first = actor.post(&desk.path(verb), &body).await.expect_status(200);
        let again = actor.post(&desk.path(verb), &body).await.expect_status(200);
        assert_eq!(first.json(), again.json(), "{verb}");
    }
    let actor = desk.admin.clone().with("idempotency-key", "issue");
    let body = json!({ "policy": "personal", "email": BUYER });
    let first = actor
        .post("/v1/admin/licenses", &body)
        .await
        .expect_status(201);
    let again = actor
        .post("/v1/admin/licenses", &body)
        .await
        .expect_status(201);
    assert_eq!(
        first.json(),
        again.json(),
        "the key is kept for who lost the answer"
    );
    assert_eq!(desk.code(&again.str("/key")).await, "NOT_ACTIVATED");
    assert_eq!(count(&desk.app, "licenses").await, 2);
    desk.app.stop().await;
}

both!(each_change_is_on_record_once);
async fn each_change_is_on_record_once(kind: Kind) {
    let desk = Desk::open(kind).await;
    let (other, _) = issue(&desk.admin, &json!({})).await;
    for (verb, body) in [
        ("suspend", json!({})),
        ("reinstate", json!({ "reason": "manual" })),
        ("revoke", json!({ "reason": "fraud" })),
        ("renew", json!({ "from": "now" })),
        ("extend", json!({ "days": 1 })),
        ("set-policy", json!({ "policy": "personal" })),
        ("note", json!({ "note": "One." })),
        ("rotate", json!({})),
        (
            "import-key",
            json!({ "source": "polar", "key": "POLAR-12345678" }),
        ),
        ("transfer", json!({ "email": NEW_OWNER })),
        ("transfer", json!({ "email": BUYER })),
        ("merge", json!({ "into": other })),
    ] {
        desk.done(verb, &body).await;
    }
    let refused = desk.act("suspend", &json!({})).await;
    assert_eq!(refused.status, 409);
    let history = desk
        .admin
        .get(&desk.path("history"))
        .await
        .expect_status(200);
    let actions: Vec<String> = history.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["action"].as_str().unwrap().to_owned())
        .collect();
    let expected = [
        "issued",
        "suspended",
        "reinstated",
        "revoked",
        "renewed",
        "extended",
        "policy_set",
        "noted",
        "key_rotated",
        "key_imported",
        "transferred",
        "transferred",
        "merged",
    ];
    let expected = expected.map(|verb| format!("license.{verb}"));
    assert_eq!(actions, expected);
    assert!(history.str("/items/1/actor").starts_with("tok_"));
    // Page by page it is the same.
    let first = desk.admin.get(&desk.path("history?limit=5")).await;
    let next = format!("history?limit=5&cursor={}", first.str("/next_cursor"));
    let second = desk.admin.get(&desk.path(&next)).await.expect_status(200);
    assert_eq!(second.str("/items/0/action"), expected[5]);
    desk.app.stop().await;
}

both!(whoever_may_read_may_not_act);
async fn whoever_may_read_may_not_act(kind: Kind) {
    let desk = Desk::open(kind).await;
    let reader = desk.app.token(Scope::Read).await;
    let publisher = desk.app.token(Scope::Publish).await;
    for list in ["", "keys", "holds", "notes", "seats", "history"] {
        reader.get(&desk.path(list)).await.expect_status(200);
        let refused = publisher.get(&desk.path(list)).await;
        refused.expect_problem(403, "insufficient_scope");
        let nobody = desk.app.anonymous().get(&desk.path(list)).await;
        nobody.expect_problem(401, "unauthorized");
        for unknown in ["lic_01jhmz3e5afkt9ymv5n2e8wqc4", "x", "export.xml"] {
            reader
                .get(&path(unknown, list))
                .await
                .expect_problem(404, "not_found");
        }
    }
    for verb in [
        "suspend",
        "reinstate",
        "revoke",
        "renew",
        "extend",
        "transfer",
        "merge",
        "set-policy",
        "note",
        "rotate",
        "import-key",
    ] {
        let refused = reader
            .post(&desk.path(verb), &json!({ "nonsense": 1 }))
            .await;
        refused.expect_problem(403, "insufficient_scope");
    }
    let support = desk.app.token(Scope::Support).await;
    let nonsense = json!({ "nonsense": 1 });
    for verb in [
        "suspend",
        "reinstate",
        "revoke",
        "renew",
        "extend",
        "merge",
        "set-policy",
        "note",
    ] {
        let read = support.post(&desk.path(verb), &nonsense).await;
        read.expect_problem(422, "invalid_field");
    }
    let edit = json!({ "seat_limit": 7 });
    let edited = support.patch(&desk.path(""), &edit).await;
    edited.expect_status(200);
    let edited = reader.patch(&desk.path(""), &edit).await;
    edited.expect_problem(403, "insufficient_scope");
    // What gives out keys or ends them.
    for verb in ["transfer", "rotate", "import-key", "tokens"] {
        let refused = support.post(&desk.path(verb), &nonsense).await;
        refused.expect_problem(403, "insufficient_scope");
    }
    let refused = support.post("/v1/admin/licenses", &nonsense).await;
    refused.expect_problem(403, "insufficient_scope");
    let unknown = path("lic_01jhmz3e5afkt9ymv5n2e8wqc4", "suspend");
    desk.admin
        .post(&unknown, &json!({}))
        .await
        .expect_problem(404, "not_found");
    desk.app.stop().await;
}
