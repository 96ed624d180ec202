//! What support does with licenses: every verb, whoever comes at the same time, whatever is sent.

use futures_util::future::join_all;
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

both!(a_license_issued_by_hand_waits_for_its_owner);
async fn a_license_issued_by_hand_waits_for_its_owner(kind: Kind) {
    let desk = Desk::open(kind).await;
    let shown = desk.show().await;
    assert_eq!(shown.str("/status"), "active");
    assert_eq!(shown.str("/seats/limit"), "5");
    assert_eq!(shown.str("/updates_until"), "2028-01-15T12:00:00Z");
    assert_eq!(shown.header("etag"), "\"1\"");
    assert!(!shown.text().contains(&desk.key), "the key is shown once");
    assert_eq!(desk.seat("machine-1").await, "VALID");
    let owner = desk.app.customer(BUYER).await;
    let page = owner.get(&format!("/licenses/{}", desk.id)).await;
    page.expect_status(200);
    // The same address is the same customer.
    let (second, _) = issue(&desk.admin, &json!({})).await;
    let other = desk.admin.get(&path(&second, "")).await;
    assert_eq!(other.str("/customer_id"), shown.str("/customer_id"));
    let by_id = json!({ "policy": "personal", "customer": shown.str("/customer_id") });
    let by_id = desk.admin.post("/v1/admin/licenses", &by_id).await;
    by_id.expect_status(201);
    desk.app.stop().await;
}

both!(staff_may_give_more_than_the_policy);
async fn staff_may_give_more_than_the_policy(kind: Kind) {
    let desk = Desk::open(kind).await;
    let more = json!({
        "seat_limit": 2, "starts_at": "2027-01-31T00:00:00Z", "extra_entitlements": ["pro"],
        "metadata": { "crm": "=4711" }, "note": "A gift.", "name": "Example Buyer",
    });
    let (id, key) = issue(&desk.admin, &more).await;
    let shown = desk.admin.get(&path(&id, "")).await.expect_status(200);
    assert_eq!(shown.str("/seats/limit"), "2");
    assert_eq!(shown.str("/status"), "pending");
    assert_eq!(shown.str("/updates_until"), "2028-01-31T00:00:00Z");
    assert_eq!(shown.json()["entitlements"], json!(["pro"]));
    assert_eq!(shown.str("/metadata/crm"), "=4711");
    assert_eq!(shown.str("/notes"), "1");
    assert_eq!(desk.code(&key).await, "NOT_STARTED");
    let (id, _) = issue(&desk.admin, &json!({ "seat_limit": null })).await;
    let shown = desk.admin.get(&path(&id, "")).await;
    assert_eq!(shown.json()["seats"]["limit"], Value::Null);
    desk.app.stop().await;
}

both!(nothing_is_issued_from_bad_input);
async fn nothing_is_issued_from_bad_input(kind: Kind) {
    let desk = Desk::open(kind).await;
    Shop::policy(
        &desk.admin,
        "no-seats",
        &json!({ "seat_kind": "none", "seat_limit": null }),
    )
    .await;
    let words: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for (field, change) in [
        ("policy", json!({ "policy": "nobody's" })),
        ("policy", json!({ "policy": "a\u{0}b" })),
        (
            "customer",
            json!({ "customer": "cus_01jhmz3e5afkt9ymv5n2e8wqc4", "email": null }),
        ),
        ("customer", json!({ "customer": "x", "email": null })),
        ("customer", json!({ "email": null })),
        ("email", json!({ "email": "nobody" })),
        ("name", json!({ "name": "\u{202e}" })),
        ("seat_limit", json!({ "seat_limit": 0 })),
        ("seat_limit", json!({ "seat_limit": -1 })),
        ("seat_limit", json!({ "seat_limit": 1_000_001 })),
        ("seat_limit", json!({ "seat_limit": 99_999_999_999_i64 })),
        (
            "seat_limit",
            json!({ "policy": "no-seats", "seat_limit": 1 }),
        ),
        ("starts_at", json!({ "starts_at": "9999-12-31T23:59:59Z" })),
        ("starts_at", json!({ "starts_at": "1969-12-31T23:59:59Z" })),
        ("starts_at", json!({ "starts_at": "tomorrow" })),
        (
            "extra_entitlements",
            json!({ "extra_entitlements": ["a", "a"] }),
        ),
        ("extra_entitlements", json!({ "extra_entitlements": words })),
        ("metadata", json!({ "metadata": { "": "x" } })),
        ("metadata.n", json!({ "metadata": { "n": 1 } })),
        ("metadata", json!({ "metadata": { "n": "v".repeat(501) } })),
        ("note", json!({ "note": " " })),
        ("surprise", json!({ "surprise": 1 })),
    ] {
        let mut body = json!({ "policy": "personal", "email": BUYER });
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        let reply = desk.admin.post("/v1/admin/licenses", &body).await;
        let reply = reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), field, "{change}");
    }
    let all = desk.admin.get("/v1/admin/licenses").await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 1);
    desk.app.stop().await;
}

both!(closing_one_reason_never_closes_another);
async fn closing_one_reason_never_closes_another(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    desk.done("suspend", &json!({ "cause": "ticket 1" })).await;
    let twice = desk.done("suspend", &json!({ "cause": "ticket 1" })).await;
    assert_eq!(twice.json()["holds"].as_array().unwrap().len(), 1);
    let both = desk.done("suspend", &json!({ "note": "Looks odd." })).await;
    assert_eq!(both.str("/status"), "suspended");
    assert_eq!(desk.code(&desk.key).await, "SUSPENDED");
    let several = desk.act("reinstate", &json!({ "reason": "manual" })).await;
    several.expect_problem(409, "conflict");
    let one = json!({ "reason": "manual", "cause": "ticket 1" });
    desk.done("reinstate", &one).await;
    assert_eq!(desk.code(&desk.key).await, "SUSPENDED");
    desk.act("reinstate", &one)
        .await
        .expect_problem(422, "invalid_field");
    let left = desk.show().await.str("/holds/0/id");
    desk.done("revoke", &json!({ "reason": "abuse" })).await;
    assert_eq!(desk.code(&desk.key).await, "REVOKED");
    desk.done("reinstate", &json!({ "hold": left })).await;
    assert_eq!(desk.show().await.str("/status"), "revoked");
    desk.done("reinstate", &json!({ "reason": "abuse" })).await;
    assert_eq!(desk.code(&desk.key).await, "VALID");
    // A reason that is opened again is the same row.
    desk.done("suspend", &json!({ "cause": "ticket 1" })).await;
    let all = desk.admin.get(&desk.path("holds")).await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 3);
    desk.app.stop().await;
}

both!(a_reason_must_be_one_that_staff_may_give);
async fn a_reason_must_be_one_that_staff_may_give(kind: Kind) {
    let desk = Desk::open(kind).await;
    for (verb, body) in [
        ("revoke", json!({ "reason": "manual" })),
        ("revoke", json!({ "reason": "erased" })),
        ("revoke", json!({ "reason": "dislike" })),
        ("revoke", json!({ "reason": "abuse", "cause": "" })),
        ("suspend", json!({ "cause": "x".repeat(201) })),
        ("suspend", json!({ "cause": "a\u{0}" })),
        ("reinstate", json!({})),
        (
            "reinstate",
            json!({ "hold": "hld_01jhmz3e5afkt9ymv5n2e8wqc4" }),
        ),
        (
            "reinstate",
            json!({ "reason": "fraud", "hold": "hld_01jhmz3e5afkt9ymv5n2e8wqc4" }),
        ),
    ] {
        let reply = desk.act(verb, &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    // Another license's hold is nobody's here.
    let (other, _) = issue(&desk.admin, &json!({})).await;
    let other = desk.admin.post(&path(&other, "suspend"), &json!({})).await;
    let hold = json!({ "hold": other.str("/holds/0/id") });
    desk.act("reinstate", &hold)
        .await
        .expect_problem(422, "invalid_field");
    assert_eq!(desk.show().await.str("/status"), "active");
    desk.app.stop().await;
}

both!(a_renewal_counts_from_the_end_or_from_now);
async fn a_renewal_counts_from_the_end_or_from_now(kind: Kind) {
    let desk = Desk::open(kind).await;
    let monthly = json!({ "valid_months": 1, "updates_months": null });
    Shop::policy(&desk.admin, "monthly", &monthly).await;
    let start = json!({ "policy": "monthly", "starts_at": "2027-01-31T10:00:00Z" });
    let (id, _) = issue(&desk.admin, &start).await;
    let renew = async |from: &str| {
        let reply = desk
            .admin
            .post(&path(&id, "renew"), &json!({ "from": from }))
            .await;
        reply.expect_status(200).str("/valid_until")
    };
    assert_eq!(renew("expiry").await, "2027-03-31T10:00:00Z");
    assert_eq!(renew("expiry").await, "2027-04-30T10:00:00Z");
    assert_eq!(renew("expiry").await, "2027-05-31T10:00:00Z");
    // The clock stands at 15 January.
    assert_eq!(renew("now").await, "2027-02-15T12:00:00Z");
    // What has no end has none to renew.
    desk.act("renew", &json!({ "from": "yesterday" }))
        .await
        .expect_problem(422, "invalid_field");
    let endless = json!({ "updates_months": null });
    Shop::policy(&desk.admin, "endless", &endless).await;
    let (id, _) = issue(&desk.admin, &json!({ "policy": "endless" })).await;
    let reply = desk
        .admin
        .post(&path(&id, "renew"), &json!({ "from": "now" }))
        .await;
    reply.expect_problem(409, "conflict");
    desk.app.stop().await;
}

both!(ends_move_by_hand_within_the_calendar);
async fn ends_move_by_hand_within_the_calendar(kind: Kind) {
    let desk = Desk::open(kind).await;
    let moved = desk
        .done("extend", &json!({ "months": 1, "days": 1 }))
        .await;
    assert_eq!(moved.str("/updates_until"), "2028-02-16T12:00:00Z");
    assert_eq!(
        moved.json()["valid_until"],
        Value::Null,
        "for ever stays for ever"
    );
    let to = json!({ "valid_until": "2030-01-01T00:00:00Z", "updates_until": null });
    let moved = desk.done("extend", &to).await;
    assert_eq!(moved.str("/valid_until"), "2030-01-01T00:00:00Z");
    assert_eq!(moved.json()["updates_until"], Value::Null);
    for body in [
        json!({}),
        json!({ "days": 0 }),
        json!({ "days": -1 }),
        json!({ "days": 36_501 }),
        json!({ "days": 99_999_999_999_i64 }),
        json!({ "months": 1_201 }),
        json!({ "months": -1 }),
        json!({ "days": 1, "valid_until": null }),
        json!({ "valid_until": "9999-01-01T00:00:00Z" }),
        json!({ "valid_until": "2026-01-01T00:00:00Z" }),
        json!({ "valid_until": "+10000-01-01T00:00:00Z" }),
        json!({ "updates_until": "soon" }),
    ] {
        let reply = desk.act("extend", &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    let last = json!({ "valid_until": "9998-12-31T00:00:00Z" });
    desk.done("extend", &last).await;
    for body in [
        json!({ "days": 2 }),
        json!({ "months": 1 }),
        json!({ "months": 1_200 }),
    ] {
        desk.act("extend", &body)
            .await
            .expect_problem(422, "invalid_field");
    }
    let renewed = desk.done("renew", &json!({ "from": "expiry" })).await;
    assert_eq!(renewed.str("/valid_until"), "9998-12-31T00:00:00Z");
    desk.app.stop().await;
}

both!(a_transferred_license_is_lost_to_whoever_had_it);
async fn a_transferred_license_is_lost_to_whoever_had_it(kind: Kind) {
    let desk = Desk::open(kind).await;
    let before = desk.app.customer(BUYER).await;
    let page = format!("/licenses/{}", desk.id);
    before.get(&page).await.expect_status(200);
    desk.seat("machine-1").await;
    let import = json!({ "source": "gumroad", "key": "A1B2C3D4-E5F60718-293A4B5C-6D7E8F90" });
    desk.done("import-key", &import).await;
    sql(&desk.app, token_row(&desk, "ltk_1").await).await;
    let to = json!({ "email": NEW_OWNER, "name": "New Owner" });
    let moved = desk.done("transfer", &to).await;
    assert_eq!(moved.str("/seats/used"), "0");
    for key in [desk.key.as_str(), "a1b2c3d4e5f60718293a4b5c6d7e8f90"] {
        assert_eq!(desk.code(key).await, "KEY_REPLACED");
        assert_eq!(
            code(&desk.app, key, "activate", "machine-2").await,
            "KEY_REPLACED"
        );
    }
    before.get(&page).await.expect_status(404);
    let after = desk.app.customer(NEW_OWNER).await;
    after.get(&page).await.expect_status(200);
    let key = desk.present_key().await;
    assert_ne!(key, desk.key);
    assert_eq!(desk.code(&key).await, "NOT_ACTIVATED");
    assert_eq!(
        code(&desk.app, &key, "activate", "machine-1").await,
        "VALID"
    );
    // The former key tells nothing of the new owner's seats.
    for call in ["activate", "validate", "heartbeat"] {
        let ask = json!({ "key": desk.key, "kit": "feedback-widget", "device": "machine-1" });
        let path = format!("/v1/licenses/{call}");
        let answer = desk.app.anonymous().post(&path, &ask).await;
        assert_eq!(answer.str("/code"), "KEY_REPLACED");
        assert_eq!(answer.json()["activation"], Value::Null, "{call}");
        assert!(!answer.text().contains("act_"), "{call}");
    }
    assert_eq!(
        count(&desk.app, "license_tokens WHERE revoked_at IS NULL").await,
        0
    );
    desk.act("transfer", &to)
        .await
        .expect_problem(422, "invalid_field");
    let nobody = json!({ "customer": "cus_01jhmz3e5afkt9ymv5n2e8wqc4" });
    desk.act("transfer", &nobody)
        .await
        .expect_problem(422, "invalid_field");
    desk.app.stop().await;
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

both!(a_merged_license_answers_for_itself_and_is_not_changed_any_more);
async fn a_merged_license_answers_for_itself_and_is_not_changed_any_more(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    let (other, other_key) = issue(&desk.admin, &json!({})).await;
    let merged = desk
        .done("merge", &json!({ "into": other, "add_seats": true }))
        .await;
    assert_eq!(merged.str("/status"), "merged");
    assert_eq!(merged.str("/merged_into"), other);
    assert_eq!(merged.str("/seats/used"), "0");
    assert_eq!(desk.code(&desk.key).await, "MERGED");
    assert_eq!(desk.code(&other_key).await, "NOT_ACTIVATED");
    let into = desk.admin.get(&path(&other, "")).await;
    assert_eq!(into.str("/seats/limit"), "10");
    for (verb, body) in [
        ("suspend", json!({})),
        ("renew", json!({ "from": "now" })),
        ("transfer", json!({ "email": NEW_OWNER })),
        ("merge", json!({ "into": other })),
        ("rotate", json!({})),
        ("set-policy", json!({ "policy": "personal" })),
    ] {
        let reply = desk.act(verb, &body).await.expect_problem(409, "conflict");
        assert_eq!(reply.str("/merged_into"), other, "{verb}");
    }
    desk.done("note", &json!({ "note": "Bought twice." })).await;
    let back = desk
        .admin
        .post(&path(&other, "merge"), &json!({ "into": desk.id }))
        .await;
    back.expect_problem(409, "conflict");
    let own = desk
        .admin
        .post(&path(&other, "merge"), &json!({ "into": other }))
        .await;
    own.expect_problem(422, "invalid_field");
    let (stranger, _) = issue(&desk.admin, &json!({ "email": NEW_OWNER })).await;
    let foreign = desk
        .admin
        .post(&path(&other, "merge"), &json!({ "into": stranger }))
        .await;
    foreign.expect_problem(422, "invalid_field");
    desk.app.stop().await;
}

both!(a_downgrade_throws_nobody_off);
async fn a_downgrade_throws_nobody_off(kind: Kind) {
    let desk = Desk::open(kind).await;
    for device in ["machine-1", "machine-2", "machine-3"] {
        assert_eq!(desk.seat(device).await, "VALID");
    }
    let small = json!({ "seat_limit": 2, "edition": "Small" });
    Shop::policy(&desk.admin, "small", &small).await;
    let changed = desk.done("set-policy", &json!({ "policy": "small" })).await;
    assert_eq!(changed.str("/edition"), "Small");
    assert_eq!(changed.str("/seats/used"), "3");
    assert_eq!(changed.str("/seats/limit"), "2");
    assert_eq!(
        changed.str("/seats/over_limit_until"),
        "2027-01-29T12:00:00Z"
    );
    assert_eq!(desk.code(&desk.key).await, "OVER_LIMIT");
    assert_eq!(desk.seat("machine-4").await, "SEATS_EXHAUSTED");
    // The ends stay, unless they are asked to begin anew.
    assert_eq!(changed.str("/updates_until"), "2028-01-15T12:00:00Z");
    desk.app.clock.advance(86_400);
    let anew = json!({ "policy": "personal", "dates": "restart" });
    let changed = desk.done("set-policy", &anew).await;
    assert_eq!(changed.str("/updates_until"), "2028-01-16T12:00:00Z");
    assert_eq!(changed.str("/seats/limit"), "5", "as many times as before");
    assert_eq!(changed.json()["seats"]["over_limit_until"], Value::Null);
    // Seats of another kind cannot be told apart any more.
    let sites = json!({ "seat_kind": "site", "seat_limit": 3 });
    Shop::policy(&desk.admin, "sites", &sites).await;
    let changed = desk.done("set-policy", &json!({ "policy": "sites" })).await;
    assert_eq!(
        (changed.str("/seats/used"), changed.str("/seats/kind")),
        ("0".into(), "site".into())
    );
    for body in [
        json!({ "policy": "none such" }),
        json!({ "policy": "small", "seat_limit": -1 }),
        json!({ "policy": "small", "over_limit_days": 367 }),
        json!({ "policy": "small", "dates": "later" }),
    ] {
        desk.act("set-policy", &body)
            .await
            .expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
}

both!(seats_features_and_words_are_edited);
async fn seats_features_and_words_are_edited(kind: Kind) {
    let desk = Desk::open(kind).await;
    for device in ["machine-1", "machine-2"] {
        desk.seat(device).await;
    }
    let edit = json!({
        "seat_limit": 1, "over_limit_days": 3, "add_entitlements": ["pro", "sso"],
        "metadata": { "crm": "4711" },
    });
    let edited = desk
        .admin
        .patch(&desk.path(""), &edit)
        .await
        .expect_status(200);
    assert_eq!(
        edited.str("/seats/over_limit_until"),
        "2027-01-18T12:00:00Z"
    );
    assert_eq!(edited.json()["entitlements"], json!(["pro", "sso"]));
    let edit =
        json!({ "seat_limit": null, "remove_entitlements": ["pro", "none"], "metadata": {} });
    let edited = desk
        .admin
        .patch(&desk.path(""), &edit)
        .await
        .expect_status(200);
    assert_eq!(edited.json()["seats"]["over_limit_until"], Value::Null);
    assert_eq!(edited.json()["extra_entitlements"], json!(["sso"]));
    assert_eq!(edited.json()["metadata"], json!({}));
    for body in [
        json!({ "seat_limit": 0 }),
        json!({ "seat_limit": 1, "over_limit_days": -1 }),
        json!({ "extra_entitlements": ["a b"] }),
        json!({ "add_entitlements": ["x".repeat(65)] }),
        json!({ "metadata": { "n".repeat(65): "v" } }),
        json!({ "metadata": null, "status": "active" }),
    ] {
        let reply = desk.admin.patch(&desk.path(""), &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
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

both!(a_replaced_key_is_honored_for_its_grace_and_names_what_ends_with_it);
async fn a_replaced_key_is_honored_for_its_grace_and_names_what_ends_with_it(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    sql(&desk.app, token_row(&desk, "ltk_1").await).await;
    let rotated = desk
        .done("rotate", &json!({ "grace_seconds": 3_600 }))
        .await;
    assert_eq!(rotated.str("/tokens/0/id"), "ltk_1");
    assert_eq!(rotated.str("/tokens/0/expires_at"), "2027-01-15T13:00:00Z");
    assert_eq!(
        rotated.str("/replaced/0/honored_until"),
        "2027-01-15T13:00:00Z"
    );
    let second = desk.present_key().await;
    assert!(
        !rotated.text().contains(&second),
        "the new key is its owner's to see"
    );
    assert_eq!(desk.code(&desk.key).await, "VALID");
    assert_eq!(desk.code(&second).await, "VALID");
    sql(&desk.app, token_row(&desk, "ltk_2").await).await;
    // Cut off at once: what was still honored ends too.
    let rotated = desk.done("rotate", &json!({})).await;
    let ended = rotated.json()["tokens"].as_array().unwrap().len();
    assert_eq!(ended, 2, "{}", rotated.text());
    assert_eq!(
        count(&desk.app, "license_tokens WHERE revoked_at IS NULL").await,
        0
    );
    let third = desk.present_key().await;
    for old in [&desk.key, &second] {
        assert_eq!(desk.code(old).await, "KEY_REPLACED");
    }
    assert_eq!(desk.code(&third).await, "VALID");
    desk.done("rotate", &json!({ "grace_seconds": 60 })).await;
    desk.app.clock.advance(60);
    assert_eq!(desk.code(&third).await, "KEY_REPLACED");
    for bad in [json!(-1), json!(31_622_401), json!(i64::MAX), json!("1h")] {
        let body = json!({ "grace_seconds": bad });
        desk.act("rotate", &body)
            .await
            .expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
}

both!(keys_of_other_systems_find_their_license_as_people_paste_them);
async fn keys_of_other_systems_find_their_license_as_people_paste_them(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    let gumroad = "A1B2C3D4-E5F60718-293A4B5C-6D7E8F90";
    desk.app.clock.advance(1);
    let body = json!({ "source": "gumroad", "key": gumroad });
    let shown = desk.done("import-key", &body).await;
    assert_eq!(shown.json()["keys"].as_array().unwrap().len(), 2);
    assert_eq!(shown.str("/keys/1/key_hint"), "7E8F90");
    assert_eq!(shown.str("/keys/1/source"), "gumroad");
    assert!(!shown.text().contains(gumroad));
    for pasted in [
        gumroad,
        " a1b2c3d4-e5f60718-293a4b5c-6d7e8f90 ",
        "“A1B2C3D4E5F60718293A4B5C6D7E8F90”",
    ] {
        assert_eq!(desk.code(pasted).await, "VALID", "{pasted}");
    }
    for unknown in [
        "A1B2C3D4-E5F60718-293A4B5C-6D7E8F91",
        "",
        "a1b2",
        "kwl_a1b2c3d4e5f6",
    ] {
        assert_eq!(desk.code(unknown).await, "NOT_FOUND", "{unknown}");
    }
    desk.done(
        "import-key",
        &json!({ "source": "other", "key": "OLD-SHOP-000001" }),
    )
    .await;
    assert_eq!(desk.code("old-shop-000001").await, "VALID");
    // What stands stands once, whatever system it is said to come from.
    let (other, _) = issue(&desk.admin, &json!({})).await;
    for source in ["gumroad", "polar"] {
        let body = json!({ "source": source, "key": gumroad.to_lowercase() });
        let reply = desk.admin.post(&path(&other, "import-key"), &body).await;
        reply.expect_problem(409, "conflict");
    }
    for bad in [
        json!({ "source": "kitward", "key": gumroad }),
        json!({ "source": "nobody", "key": gumroad }),
        json!({ "source": "other", "key": "short" }),
        json!({ "source": "other", "key": "-------------" }),
        json!({ "source": "other", "key": "x".repeat(2_049) }),
        json!({ "source": "other", "key": "abc\u{0}defghijk" }),
        json!({ "source": "other", "key": desk.key }),
        json!({ "source": "other", "key": "kwa_abcdefghijkl" }),
    ] {
        desk.act("import-key", &bad)
            .await
            .expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
}

both!(a_vendor_has_a_word_of_its_own_and_keeps_the_former_ones);
async fn a_vendor_has_a_word_of_its_own_and_keeps_the_former_ones(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| {
            "acme".clone_into(&mut config.vendor.key_prefix);
        })
        .start(kind)
        .await;
    let desk = Desk::of(app).await;
    assert!(desk.key.starts_with("acme_"), "{}", desk.key);
    assert_eq!(desk.seat("machine-1").await, "VALID");
    // The word is inside of what the MAC covers.
    let renamed = desk.key.replacen("acme_", "kwl_", 1);
    assert_eq!(desk.code(&renamed).await, "NOT_FOUND");
    let later = desk.app.second_with(|config| {
        "nova".clone_into(&mut config.vendor.key_prefix);
        config.vendor.former_key_prefixes = vec!["acme".to_owned()];
    });
    let later = later.await;
    assert_eq!(
        code(&later, &desk.key, "validate", "machine-1").await,
        "VALID"
    );
    let without = desk.app.second_with(|config| {
        "nova".clone_into(&mut config.vendor.key_prefix);
    });
    let without = without.await;
    assert_eq!(
        code(&without, &desk.key, "validate", "machine-1").await,
        "NOT_FOUND"
    );
    without.stop().await;
    later.stop().await;
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

both!(staff_frees_a_seat);
async fn staff_frees_a_seat(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    let seats = desk.admin.get(&desk.path("seats")).await.expect_status(200);
    let seat = seats.str("/items/0/id");
    let free = desk.path(&format!("seats/{seat}/free"));
    assert_eq!(
        desk.admin.post(&free, &json!({})).await.str("/freed"),
        "true"
    );
    assert_eq!(
        desk.admin.post(&free, &json!({})).await.str("/freed"),
        "false"
    );
    assert_eq!(desk.code(&desk.key).await, "NOT_ACTIVATED");
    // A seat of another license is not there.
    let (other, _) = issue(&desk.admin, &json!({})).await;
    let foreign = path(&other, &format!("seats/{seat}/free"));
    desk.admin
        .post(&foreign, &json!({}))
        .await
        .expect_problem(404, "not_found");
    desk.app.stop().await;
}

both!(of_crossing_merges_one_wins);
async fn of_crossing_merges_one_wins(kind: Kind) {
    let desk = Desk::open(kind).await;
    let there = desk.app.second().await;
    let far = there
        .anonymous()
        .with("authorization", desk.admin.header_text("authorization"));
    for _round in 0..8 {
        let (a, _) = issue(&desk.admin, &json!({})).await;
        let (b, _) = issue(&desk.admin, &json!({})).await;
        let (path_a, path_b) = (path(&a, "merge"), path(&b, "merge"));
        let (into_a, into_b) = (json!({ "into": a }), json!({ "into": b }));
        let calls = [
            desk.admin.post(&path_a, &into_b),
            far.post(&path_b, &into_a),
        ];
        let mut answers: Vec<u16> = join_all(calls).await.iter().map(|it| it.status).collect();
        answers.sort_unstable();
        assert_eq!(answers, [200, 409]);
        let merged = desk
            .admin
            .get("/v1/admin/licenses?status=merged&limit=100")
            .await;
        let merged = merged.json()["items"].as_array().unwrap().clone();
        let ours = |id: &str| merged.iter().any(|it| it["id"] == id);
        assert_ne!(ours(&a), ours(&b));
    }
    there.stop().await;
    desk.app.stop().await;
}

both!(a_kit_that_asks_during_a_rotation_gets_an_answer);
async fn a_kit_that_asks_during_a_rotation_gets_an_answer(kind: Kind) {
    let desk = Desk::open(kind).await;
    let there = desk.app.second().await;
    desk.seat("machine-1").await;
    let rotation = async {
        for _round in 0..6 {
            desk.done("rotate", &json!({})).await;
        }
    };
    let asking = join_all((0..48).map(|n| {
        let app = if n % 2 == 0 { &desk.app } else { &there };
        let call = if n % 3 == 0 { "activate" } else { "validate" };
        code(app, &desk.key, call, "machine-1")
    }));
    let ((), codes) = futures_util::future::join(rotation, asking).await;
    for code in codes {
        assert!(["VALID", "KEY_REPLACED"].contains(&code.as_str()), "{code}");
    }
    assert_eq!(desk.code(&desk.key).await, "KEY_REPLACED");
    assert_eq!(count(&desk.app, "license_keys WHERE is_primary").await, 1);
    there.stop().await;
    desk.app.stop().await;
}

both!(no_seat_is_taken_after_a_revocation);
async fn no_seat_is_taken_after_a_revocation(kind: Kind) {
    let desk = Desk::open(kind).await;
    let there = desk.app.second().await;
    let asking = join_all((0..32).map(|n| {
        let (app, key) = (&there, &desk.key);
        async move { code(app, key, "activate", &format!("machine-{n}")).await }
    }));
    let fraud = json!({ "reason": "fraud" });
    let revoking = desk.done("revoke", &fraud);
    let (revoked, codes) = futures_util::future::join(revoking, asking).await;
    assert_eq!(revoked.str("/status"), "revoked");
    for code in &codes {
        let known = ["VALID", "REVOKED", "SEATS_EXHAUSTED"];
        assert!(known.contains(&code.as_str()), "{code}");
    }
    assert_eq!(desk.seat("machine-99").await, "REVOKED");
    let used: i64 = desk.show().await.str("/seats/used").parse().unwrap();
    let held = count(&desk.app, "activations WHERE freed_at IS NULL").await;
    assert_eq!(used, held);
    there.stop().await;
    desk.app.stop().await;
}
