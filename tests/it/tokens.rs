//! Management tokens over HTTP.

use kitward::staff::Scope;
use kitward_tests::{Actor, Kind, Reply, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

async fn create(admin: &Actor, body: &Value) -> Reply {
    admin.post("/v1/admin/tokens", body).await
}

fn holder(app: &TestApp, reply: &Reply) -> Actor {
    let token = reply.str("/token");
    app.anonymous()
        .with("authorization", format!("Bearer {token}"))
}

both!(a_token_is_made_listed_and_ended_at_once_everywhere);
async fn a_token_is_made_listed_and_ended_at_once_everywhere(kind: Kind) {
    let app = TestApp::start(kind).await;
    let other = app.second().await;
    let admin = app.token(Scope::Admin).await;
    let body = json!({ "name": "CI", "scopes": ["publish", "read", "read"] });
    let made = create(&admin, &body).await.expect_status(201);
    assert!(made.str("/token").starts_with("kwa_"));
    assert_eq!(made.json()["scopes"], json!(["read", "publish"]));
    let path = format!("/v1/admin/tokens/{}", made.str("/id"));
    assert_eq!(made.header("location"), format!("{}{path}", app.origin()));

    let shown = admin.get(&path).await.expect_status(200);
    assert_eq!(shown.str("/name"), "CI");
    let list = admin.get("/v1/admin/tokens").await.expect_status(200);
    assert!(list.text().contains(&made.str("/id")));
    // The secret stands nowhere but in the first answer.
    let secret = made.str("/token");
    assert!(!shown.text().contains("token\"") && !list.text().contains(&secret));

    let there = other
        .anonymous()
        .with("authorization", format!("Bearer {secret}"));
    there.get("/v1/admin/releases").await.expect_status(200);
    let revoke = format!("{path}/revoke");
    let ended = admin.post(&revoke, &json!({})).await.expect_status(200);
    there
        .get("/v1/admin/releases")
        .await
        .expect_problem(401, "unauthorized");
    // Again changes nothing.
    app.clock.advance(60);
    let again = admin.post(&revoke, &json!({})).await.expect_status(200);
    assert_eq!(again.str("/revoked_at"), ended.str("/revoked_at"));
    other.stop().await;
    app.stop().await;
}

both!(a_token_ends_by_itself);
async fn a_token_ends_by_itself(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = app.token(Scope::Admin).await;
    let ends = app.app.clock.now().plus_seconds(60).to_string();
    let body = json!({ "name": "CI", "scopes": ["read"], "expires_at": ends });
    let keyed = admin.clone().with("idempotency-key", "one");
    let made = create(&keyed, &body).await.expect_status(201);
    let token = holder(&app, &made);
    app.clock.advance(59);
    token.get("/v1/admin/kits").await.expect_status(200);
    app.clock.advance(1);
    token
        .get("/v1/admin/kits")
        .await
        .expect_problem(401, "unauthorized");
    let refused = create(&admin, &body).await;
    let refused = refused.expect_problem(422, "invalid_field");
    assert_eq!(refused.str("/field"), "expires_at");
    // The same request still has its answer.
    let again = create(&keyed, &body).await.expect_status(201);
    assert_eq!(again.json(), made.json());
    app.stop().await;
}

both!(a_lost_answer_shows_its_secret_again_for_a_day);
async fn a_lost_answer_shows_its_secret_again_for_a_day(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = app.token(Scope::Admin).await;
    let keyed = admin.clone().with("idempotency-key", "one");
    let body = json!({ "name": "CI", "scopes": ["read"] });
    let made = create(&keyed, &body).await.expect_status(201);
    app.clock.advance(24 * 60 * 60);
    let again = create(&keyed, &body).await.expect_status(201);
    assert_eq!(again.json(), made.json());
    holder(&app, &again)
        .get("/v1/admin/kits")
        .await
        .expect_status(200);
    app.clock.advance(1);
    let another = create(&keyed, &body).await.expect_status(201);
    assert_ne!(another.str("/id"), made.str("/id"));
    app.stop().await;
}

both!(the_scheme_of_a_token_may_be_written_in_any_case);
async fn the_scheme_of_a_token_may_be_written_in_any_case(kind: Kind) {
    let app = TestApp::start(kind).await;
    let text = app.token(Scope::Read).await.header_text("authorization");
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let text = text.replacen("Bearer", scheme, 1);
        let holder = app.anonymous().with("authorization", text);
        holder.get("/v1/admin/kits").await.expect_status(200);
    }
    let other = text.replacen("Bearer", "License", 1);
    let refused = app.anonymous().with("authorization", other);
    let refused = refused.get("/v1/admin/kits").await;
    refused.expect_problem(401, "unauthorized");
    app.stop().await;
}

#[test]
fn only_admin_makes_and_ends_tokens_and_support_looks_everything_up() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let admin = app.token(Scope::Admin).await;
        let body = json!({ "name": "CI", "scopes": ["admin"] });
        let made = create(&admin, &body).await.expect_status(201);
        let revoke = format!("/v1/admin/tokens/{}/revoke", made.str("/id"));
        for scope in [Scope::Read, Scope::Publish, Scope::Support] {
            let actor = app.token(scope).await;
            create(&actor, &body)
                .await
                .expect_problem(403, "insufficient_scope");
            actor
                .post(&revoke, &json!({}))
                .await
                .expect_problem(403, "insufficient_scope");
        }
        let support = app.token(Scope::Support).await;
        for path in [
            "kits", "policies", "prices", "orders", "events", "releases", "tokens",
        ] {
            let path = format!("/v1/admin/{path}");
            support.get(&path).await.expect_status(200);
            let post = support.post(&path, &json!({})).await;
            assert!([403, 405].contains(&post.status), "{path} {}", post.text());
        }
        let unknown = admin.get("/v1/admin/tokens/tok_1").await;
        unknown.expect_problem(404, "not_found");
        let missing = "/v1/admin/tokens/tok_01h2xcejqtf2nbrexx3vqjhp41";
        admin.get(missing).await.expect_problem(404, "not_found");
        let missing = format!("{missing}/revoke");
        let reply = admin.send(admin.request(Method::POST, &missing)).await;
        reply.expect_problem(404, "not_found");
        app.stop().await;
    });
}

#[test]
fn a_token_is_made_as_asked_or_not_at_all() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let admin = app.token(Scope::Admin).await;
        for (body, field) in [
            (json!({ "name": "", "scopes": ["read"] }), "name"),
            (json!({ "name": "a\u{7}", "scopes": ["read"] }), "name"),
            (
                json!({ "name": "x".repeat(101), "scopes": ["read"] }),
                "name",
            ),
            (json!({ "name": "a", "scopes": [] }), "scopes"),
            (json!({ "name": "a", "scopes": vec!["read"; 21] }), "scopes"),
            (json!({ "name": "a", "scopes": ["root"] }), "scopes[0]"),
            (
                json!({ "name": "a", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z" }),
                "expires_at",
            ),
            (
                json!({ "name": "a", "scopes": ["read"], "expires_at": "tomorrow" }),
                "expires_at",
            ),
            (
                json!({
                    "name": "a", "scopes": ["read"], "expires_at": "9999-12-31T23:59:59-23:59",
                }),
                "expires_at",
            ),
        ] {
            let reply = create(&admin, &body).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert_eq!(reply.str("/field"), field, "{body}");
        }
        app.stop().await;
    });
}
