//! Requests that are sent again make nothing twice.

use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use futures_util::future::join_all;
use kitward::db::DbError;
use kitward::staff::Scope;
use kitward_tests::{Actor, Kind, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

fn keyed(actor: &Actor, key: &str) -> Actor {
    actor.clone().with("idempotency-key", key)
}

/// Each address that creates, with two bodies it takes.
fn creations() -> Vec<(&'static str, Value, Value)> {
    let kit = |slug: &str| json!({ "slug": slug, "name": "Changelog Kit" });
    let policy = |name: &str| json!({ "name": name, "edition": "Team", "scope": "all" });
    let price = |id: &str| json!({ "external_id": id, "policies": ["personal"] });
    let release = |version: &str| json!({ "kit": "feedback-widget", "version": version });
    vec![
        ("/v1/admin/kits", kit("changelog"), kit("changelog-two")),
        ("/v1/admin/policies", policy("team"), policy("team-two")),
        ("/v1/admin/prices", price("price_a"), price("price_b")),
        ("/v1/admin/releases", release("1.0.0"), release("2.0.0")),
    ]
}

async fn count(app: &TestApp, table: &'static str) -> i64 {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = BigInt)]
        number: i64,
    }
    let query = format!("SELECT COUNT(*) AS number FROM {table}");
    let rows: Vec<Number> = app
        .app
        .db
        .read_slow(move |conn| Ok::<_, DbError>(sql_query(query).load(conn)?))
        .await
        .unwrap();
    rows[0].number
}

fn assert_same(first: &Reply, second: &Reply) {
    assert_eq!(second.status, first.status, "{}", second.text());
    assert_eq!(second.json(), first.json());
    for header in ["location", "etag", "content-type"] {
        assert_eq!(second.header(header), first.header(header), "{header}");
    }
}

both!(the_same_request_is_answered_alike_and_makes_nothing_twice);
async fn the_same_request_is_answered_alike_and_makes_nothing_twice(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let second = app.token(Scope::Admin).await;
    for (path, body, other) in creations() {
        // A key belongs to one address.
        let key = path.replace('/', "-");
        let actor = keyed(&shop.admin, &key);
        let first = actor.post(path, &body).await.expect_status(201);
        assert!(first.header("location").ends_with(&first.str("/id")));
        assert_same(&first, &actor.post(path, &body).await);
        actor
            .post(path, &other)
            .await
            .expect_problem(422, "idempotency_mismatch");
        // Another holder's key of the same name is another key.
        keyed(&second, &key)
            .post(path, &other)
            .await
            .expect_status(201);
        // Without a key it is a new request.
        shop.admin
            .post(path, &body)
            .await
            .expect_problem(409, "conflict");
    }
    assert_eq!(count(&app, "idempotency_keys").await, 8);
    app.stop().await;
}

both!(a_key_is_bound_to_its_address);
async fn a_key_is_bound_to_its_address(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let actor = keyed(&shop.admin, "one");
    let body = json!({ "slug": "changelog", "name": "Changelog Kit" });
    actor.post("/v1/admin/kits", &body).await.expect_status(201);
    let policy = json!({ "name": "team", "edition": "Team", "scope": "all" });
    actor
        .post("/v1/admin/policies", &policy)
        .await
        .expect_problem(422, "idempotency_mismatch");
    app.stop().await;
}

both!(requests_at_once_on_two_processes_make_one_kit);
async fn requests_at_once_on_two_processes_make_one_kit(kind: Kind) {
    let app = TestApp::start(kind).await;
    let other = app.second().await;
    let admin = app.token(Scope::Admin).await;
    let there = other
        .anonymous()
        .with("authorization", admin.header_text("authorization"));
    let body = json!({ "slug": "changelog", "name": "Changelog Kit" });
    let actors = [keyed(&admin, "one"), keyed(&there, "one")];
    let calls = (0..16).map(|at| actors[at % 2].post("/v1/admin/kits", &body));
    let replies = join_all(calls).await;
    for reply in &replies {
        assert_eq!(reply.status, 201, "{}", reply.text());
        assert_eq!(reply.str("/id"), replies[0].str("/id"));
    }
    assert_eq!(count(&app, "kits").await, 1);
    assert_eq!(count(&app, "idempotency_keys").await, 1);
    other.stop().await;
    app.stop().await;
}

both!(a_refusal_leaves_no_key_behind);
async fn a_refusal_leaves_no_key_behind(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let actor = keyed(&shop.admin, "one");
    let taken = json!({ "slug": "rate-limiter", "name": "Another" });
    actor
        .post("/v1/admin/kits", &taken)
        .await
        .expect_problem(409, "conflict");
    assert_eq!(count(&app, "idempotency_keys").await, 0);
    let free = json!({ "slug": "changelog", "name": "Another" });
    actor.post("/v1/admin/kits", &free).await.expect_status(201);
    app.stop().await;
}

both!(a_key_is_remembered_for_a_day);
async fn a_key_is_remembered_for_a_day(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = app.token(Scope::Admin).await;
    let actor = keyed(&admin, "one");
    let kit = |slug: &str| json!({ "slug": slug, "name": "A Kit" });
    let first = actor.post("/v1/admin/kits", &kit("one")).await;
    keyed(&admin, "two")
        .post("/v1/admin/kits", &kit("two"))
        .await
        .expect_status(201);
    app.clock.advance(24 * 60 * 60);
    assert_same(&first, &actor.post("/v1/admin/kits", &kit("one")).await);
    app.clock.advance(1);
    actor
        .post("/v1/admin/kits", &kit("three"))
        .await
        .expect_status(201);
    // The rows of keys that nobody sends again go too.
    assert_eq!(count(&app, "idempotency_keys").await, 1);
    app.stop().await;
}

both!(what_is_over_goes_without_further_requests);
async fn what_is_over_goes_without_further_requests(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = app.token(Scope::Admin).await;
    let body = json!({ "name": "CI", "scopes": ["read"] });
    // More than one slice.
    for at in 0..101 {
        let actor = keyed(&admin, &format!("old-{at}"));
        let made = actor.post("/v1/admin/tokens", &body).await;
        made.expect_status(201);
    }
    app.clock.advance(24 * 60 * 60);
    kitward::idempotency::sweep(&app.app).await.unwrap();
    assert_eq!(count(&app, "idempotency_keys").await, 101);
    app.clock.advance(1);
    kitward::idempotency::sweep(&app.app).await.unwrap();
    assert_eq!(count(&app, "idempotency_keys").await, 0);
    app.stop().await;
}

both!(the_answer_is_that_of_the_resource_as_it_is_now);
async fn the_answer_is_that_of_the_resource_as_it_is_now(kind: Kind) {
    let app = TestApp::start(kind).await;
    let actor = keyed(&app.token(Scope::Admin).await, "one");
    let body = json!({ "slug": "changelog", "name": "Changelog Kit" });
    actor.post("/v1/admin/kits", &body).await.expect_status(201);
    actor
        .patch("/v1/admin/kits/changelog", &json!({ "name": "Renamed" }))
        .await
        .expect_status(200);
    let again = actor.post("/v1/admin/kits", &body).await;
    assert_eq!(again.expect_status(201).str("/name"), "Renamed");
    app.stop().await;
}

#[test]
fn a_malformed_key_is_refused_and_makes_nothing() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let admin = app.token(Scope::Admin).await;
        let body = json!({ "slug": "changelog", "name": "Changelog Kit" });
        for key in ["", "a b", "\"\"", &"x".repeat(256)] {
            let reply = keyed(&admin, key).post("/v1/admin/kits", &body).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert_eq!(reply.str("/field"), "Idempotency-Key");
        }
        assert_eq!(count(&app, "kits").await, 0);
        app.stop().await;
    });
}
