//! Guessed keys and floods are turned away, and nobody else is.

use kitward::staff::Scope;
use kitward_tests::{Actor, Builder, Kind, Reply, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

const FORGED: &str = "kwl_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn few_misses() -> Builder {
    TestApp::builder().config(|config| {
        config.limits.key_misses_per_minute = 6;
        config.limits.key_misses_burst = 3;
    })
}

async fn validate(actor: &Actor, key: &str) -> Reply {
    let body = json!({ "key": key, "kit": "feedback-widget", "device": "d" });
    actor.post("/v1/licenses/validate", &body).await
}

#[track_caller]
fn expect_refused(reply: Reply) {
    let reply = reply.expect_problem(429, "too_many_requests");
    assert_eq!(reply.header("retry-after"), "10");
    assert_eq!(reply.header("ratelimit-limit"), "3");
    assert_eq!(reply.header("ratelimit-remaining"), "0");
    assert_eq!(reply.header("ratelimit-reset"), "30");
}

both!(only_wrong_keys_are_turned_away);
async fn only_wrong_keys_are_turned_away(kind: Kind) {
    let app = few_misses().start(kind).await;
    let shop = Shop::open(&app).await;
    let key = shop.buy(&app).await.key;
    let anyone = app.anonymous();
    for left in ["2", "1", "0"] {
        let reply = validate(&anyone, FORGED).await.expect_status(200);
        assert_eq!(reply.str("/code"), "NOT_FOUND");
        assert_eq!(reply.header("ratelimit-remaining"), left);
    }
    expect_refused(validate(&anyone, FORGED).await);
    // The same address, a right key.
    let right = validate(&anyone, &key).await.expect_status(200);
    assert_eq!(right.header("ratelimit-limit"), "");
    app.kit(&key)
        .get("/v1/kits/feedback-widget/releases")
        .await
        .expect_status(200);
    shop.admin.get("/v1/admin/kits").await.expect_status(200);
    expect_refused(validate(&anyone, FORGED).await);
    app.clock.advance(10);
    validate(&anyone, FORGED).await.expect_status(200);
    expect_refused(validate(&anyone, FORGED).await);
    app.stop().await;
}

#[test]
fn every_route_that_takes_a_key_counts_wrong_ones() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = few_misses().start(kind).await;
        let shop = Shop::open(&app).await;
        shop.release("feedback-widget", "1.0.0", "kit.bin", b"x")
            .await;
        let wrong = app.kit(FORGED);
        let body = json!({ "key": FORGED, "kit": "feedback-widget", "device": "d" });
        let stranger = app
            .anonymous()
            .with("authorization", format!("Bearer {}", "kwa_a"));
        let ended = former(&app, &shop.admin).await;
        let gets = [
            (&wrong, "/v1/kits/feedback-widget/updates?version=1.0.0"),
            (&wrong, "/v1/kits/feedback-widget/releases"),
            (&wrong, "/v1/kits/feedback-widget/releases/1.0.0"),
            (
                &wrong,
                "/v1/kits/feedback-widget/releases/1.0.0/artifacts/kit.bin",
            ),
            (&stranger, "/v1/admin/kits"),
            (&ended, "/v1/admin/kits"),
        ];
        for (actor, path) in gets {
            app.clock.advance(60);
            for _ in 0..3 {
                actor.get(path).await.expect_status(401);
            }
            expect_refused(actor.get(path).await);
        }
        for verb in ["activate", "validate", "deactivate"] {
            app.clock.advance(60);
            let path = format!("/v1/licenses/{verb}");
            for _ in 0..3 {
                let reply = app.anonymous().post(&path, &body).await;
                assert_eq!(reply.expect_status(200).str("/code"), "NOT_FOUND");
            }
            expect_refused(app.anonymous().post(&path, &body).await);
            // One count for all routes.
            expect_refused(wrong.get(gets[0].1).await);
        }
        // A call without any credential guesses nothing.
        for _ in 0..5 {
            app.anonymous()
                .get("/v1/admin/kits")
                .await
                .expect_status(401);
        }
        app.stop().await;
    });
}

/// Somebody whose token was revoked.
async fn former(app: &TestApp, admin: &Actor) -> Actor {
    let body = json!({ "name": "former", "scopes": ["read"] });
    let made = admin.post("/v1/admin/tokens", &body).await;
    let (id, token) = (made.str("/id"), made.str("/token"));
    let revoke = format!("/v1/admin/tokens/{id}/revoke");
    admin.post(&revoke, &json!({})).await.expect_status(200);
    app.anonymous()
        .with("authorization", format!("Bearer {token}"))
}

#[test]
fn what_a_stranger_says_about_its_address_is_not_believed() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = few_misses().start(kind).await;
        for at in 0..3 {
            let from = app
                .anonymous()
                .with("x-forwarded-for", format!("192.0.2.{at}"));
            validate(&from, FORGED).await.expect_status(200);
        }
        let from = app.anonymous().with("x-forwarded-for", "192.0.2.9");
        expect_refused(validate(&from, FORGED).await);
        app.stop().await;
    });
}

#[test]
fn callers_behind_a_trusted_proxy_are_counted_apart() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = few_misses()
            .config(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
            .start(kind)
            .await;
        let from = |line: &str| app.anonymous().with("x-forwarded-for", line);
        for at in 0..3 {
            // The first address is what the client itself wrote.
            let line = format!("198.51.100.{at}, 2001:db8:1:2::{at}");
            validate(&from(&line), FORGED).await.expect_status(200);
        }
        expect_refused(validate(&from("2001:db8:1:2::ffff"), FORGED).await);
        validate(&from("2001:db8:1:3::1"), FORGED)
            .await
            .expect_status(200);
        app.stop().await;
    });
}

#[test]
fn zero_a_minute_turns_the_limits_off() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::builder()
            .config(|config| {
                config.limits.key_misses_per_minute = 0;
                config.limits.key_misses_burst = 1;
                config.limits.token_requests_per_minute = 0;
            })
            .start(kind)
            .await;
        let admin = app.token(Scope::Read).await;
        for _ in 0..5 {
            let reply = validate(&app.anonymous(), FORGED).await.expect_status(200);
            assert_eq!(reply.header("ratelimit-limit"), "");
            let reply = admin.get("/v1/admin/kits").await.expect_status(200);
            assert_eq!(reply.header("ratelimit-limit"), "");
        }
        app.stop().await;
    });
}

#[test]
fn a_token_has_a_budget_of_its_own() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::builder()
            .config(|config| config.limits.token_requests_per_minute = 3)
            .start(kind)
            .await;
        let (one, two) = (app.token(Scope::Read).await, app.token(Scope::Read).await);
        for left in ["2", "1", "0"] {
            let reply = one.get("/v1/admin/kits").await.expect_status(200);
            assert_eq!(reply.header("ratelimit-remaining"), left);
            assert_eq!(reply.header("ratelimit-limit"), "3");
        }
        let reply = one.get("/v1/admin/policies").await;
        let reply = reply.expect_problem(429, "too_many_requests");
        assert_eq!(reply.header("retry-after"), "20");
        assert_eq!(reply.header("ratelimit-reset"), "60");
        two.get("/v1/admin/kits").await.expect_status(200);
        app.clock.advance(20);
        one.get("/v1/admin/kits").await.expect_status(200);
        app.stop().await;
    });
}

/// Without what differs in any two answers.
fn bare(reply: &Reply) -> (u16, Value, Vec<String>) {
    let mut body = reply.json();
    for member in ["verdict", "request_id"] {
        if let Some(value) = body.get_mut(member) {
            *value = Value::Null;
        }
    }
    let headers = ["content-type", "www-authenticate", "cache-control", "vary"];
    (
        reply.status,
        body,
        headers.map(|name| reply.header(name).to_owned()).to_vec(),
    )
}

both!(unknown_keys_of_any_shape_get_the_same_answer);
async fn unknown_keys_of_any_shape_get_the_same_answer(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let key = shop.buy(&app).await.key;
    let elsewhere = TestApp::start(Kind::Sqlite).await;
    let foreign = Shop::open(&elsewhere).await.buy(&elsewhere).await.key;
    // One of sixteen keys ends in a `q`.
    let end = if key.ends_with('q') { "a" } else { "q" };
    let changed = format!("{}{end}", &key[..key.len() - 1]);
    let shapes = [
        FORGED,
        "x",
        "kwl_",
        &foreign,
        &changed,
        &key[..100],
        "12345678-ABCDEF01-12345678-ABCDEF01",
        "kwd_aaaa",
        "kwc_aaaa",
        "\u{430}\u{431}",
        &"k".repeat(5_000),
    ];
    let mut answers = Vec::new();
    for shape in shapes {
        answers.push(bare(&validate(&app.anonymous(), shape).await));
    }
    assert_eq!(answers[0].1["code"], "NOT_FOUND");
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let mut answers = Vec::new();
    for shape in shapes.into_iter().filter(|shape| shape.is_ascii()) {
        let reply = app
            .kit(shape)
            .get("/v1/kits/feedback-widget/releases")
            .await;
        answers.push(bare(&reply));
    }
    assert_eq!(answers[0].1["code"], "key_unknown");
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    elsewhere.stop().await;
    app.stop().await;
}

#[test]
fn misses_are_counted_for_operators() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = few_misses().start(kind).await;
        for _ in 0..5 {
            validate(&app.anonymous(), FORGED).await;
        }
        let page = app.app.metrics.render(0);
        assert!(page.contains("kitward_key_misses_total 5\n"), "{page}");
        assert!(
            page.contains("kitward_key_misses_limited_total 2\n"),
            "{page}"
        );
        let rules = include_str!("../../docs/alerts.yaml");
        assert!(rules.contains("rate(kitward_key_misses_total["));
        assert!(rules.contains("kitward_key_misses_limited_total"));
        app.stop().await;
    });
}

#[test]
fn a_wrong_method_or_address_counts_as_nothing() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = few_misses().start(kind).await;
        let kit = app.kit(FORGED);
        for _ in 0..5 {
            let reply = kit
                .send(kit.request(Method::PUT, "/v1/licenses/validate"))
                .await;
            assert_eq!(reply.expect_status(405).header("ratelimit-limit"), "");
            kit.get("/v1/nothing").await.expect_status(404);
        }
        validate(&kit, FORGED).await.expect_status(200);
        app.stop().await;
    });
}
