//! Tokens derived from a license key: what each opens, from where, and for how long.

mod builds;
mod endings;
mod portal;
mod publishable;

use diesel::{RunQueryDsl, sql_query};
use kitward::db::{DbError, Shard};
use kitward::staff::Scope;
use kitward_tests::{Actor, Kind, Purchase, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

const ORIGIN: &str = "https://shop.example.com";
const VALIDATE: &str = "/v1/licenses/validate";
const RELEASES: &str = "/v1/kits/feedback-widget/releases";

/// An installation with one sold license and one release.
struct Scene {
    app: TestApp,
    shop: Shop,
    purchase: Purchase,
    license: String,
}

async fn scene(kind: Kind) -> Scene {
    let app = TestApp::start(kind).await;
    scene_in(app).await
}

async fn scene_in(app: TestApp) -> Scene {
    let shop = Shop::open(&app).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"first")
        .await;
    let purchase = shop.buy(&app).await;
    let body = json!({ "key": purchase.key, "kit": "feedback-widget" });
    let license = app
        .anonymous()
        .post(VALIDATE, &body)
        .await
        .str("/license/id");
    Scene {
        app,
        shop,
        purchase,
        license,
    }
}

impl Scene {
    /// Puts the licenses of a policy under its second terms.
    async fn apply_second_terms(&self, policy: &str) {
        let apply = json!({ "preview": false, "terms_number": 2 });
        let applied = self
            .shop
            .admin
            .post(&format!("{policy}/apply"), &apply)
            .await;
        applied.expect_status(200);
    }

    fn list(&self) -> String {
        format!("/v1/admin/licenses/{}/tokens", self.license)
    }

    async fn make(&self, body: &Value) -> Reply {
        self.shop
            .admin
            .post(&self.list(), body)
            .await
            .expect_status(201)
    }

    async fn token(&self, kind: &str) -> String {
        let mut body = json!({ "kind": kind, "name": "build" });
        if kind == "publishable" {
            body["origins"] = json!([ORIGIN]);
        }
        self.make(&body).await.str("/token")
    }

    async fn kit(&self, verb: &str, key: &str, more: &Value) -> Reply {
        call(&self.app.anonymous(), verb, key, more)
            .await
            .expect_status(200)
    }

    /// So many tokens of the present key as they are stored, older than all others. `end` is a column
    /// of their end, and its value.
    async fn add_rows(&self, name: &str, many: u32, end: (&str, &str)) {
        let (license, (column, value)) = (&self.license, end);
        let bytes = match self.app.kind {
            Kind::Sqlite => "BLOB",
            Kind::Postgres => "BYTEA",
        };
        self.sql(format!(
            "WITH RECURSIVE numbers (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {many}) \
             INSERT INTO license_tokens (id, license_id, license_key_id, kind, name, hint, digest, \
             origins, created_at, {column}) \
             SELECT 'ltk_00{name}' || n, '{license}', license_keys.id, 'ci', '{name}', '{name}', \
             CAST('{name}' || n AS {bytes}), '[]', '2027-01-15 10:00:00', {value} \
             FROM numbers, license_keys \
             WHERE license_keys.license_id = '{license}' AND license_keys.is_primary"
        ))
        .await;
    }

    async fn sql(&self, text: String) {
        let write = self.app.app.db.write(Shard::Wide, move |tx| {
            sql_query(text.clone()).execute(tx.conn())?;
            Ok::<_, DbError>(())
        });
        write.await.unwrap();
    }
}

async fn call(actor: &Actor, verb: &str, key: &str, more: &Value) -> Reply {
    let mut body = json!({ "key": key, "kit": "feedback-widget" });
    for (member, value) in more.as_object().unwrap() {
        body[member] = value.clone();
    }
    actor.post(&format!("/v1/licenses/{verb}"), &body).await
}

both!(a_download_token_downloads_and_nothing_else);
async fn a_download_token_downloads_and_nothing_else(kind: Kind) {
    let scene = scene(kind).await;
    let token = scene.token("download").await;
    assert!(token.starts_with("kwd_"));
    let kit = scene.app.kit(&token);
    kit.get(RELEASES).await.expect_status(200);
    kit.get("/v1/kits/feedback-widget/updates?version=0.1.0")
        .await
        .expect_status(200);
    let file = kit
        .get(&format!("{RELEASES}/1.0.0/artifacts/kit.bin"))
        .await;
    assert_eq!(
        (file.status, file.bytes.as_slice()),
        (200, b"first".as_slice())
    );
    for verb in ["activate", "validate", "deactivate"] {
        let answer = scene.kit(verb, &token, &json!({ "device": "d" })).await;
        assert_eq!(answer.str("/code"), "NOT_FOUND", "{verb}");
    }
    kit.get("/v1/kits/rate-limiter/releases")
        .await
        .expect_problem(403, "kit_not_covered");
    scene.app.stop().await;
}

both!(a_download_token_may_stand_in_the_address_and_nothing_else_may);
async fn a_download_token_may_stand_in_the_address_and_nothing_else_may(kind: Kind) {
    let scene = scene(kind).await;
    let anyone = scene.app.anonymous();
    let token = scene.token("download").await;
    let under = |token: &str, rest: &str| format!("/k/{token}{RELEASES}{rest}");
    anyone
        .get(&under(&token, "?limit=1"))
        .await
        .expect_status(200);
    let file = anyone.get(&under(&token, "/1.0.0/artifacts/kit.bin")).await;
    assert_eq!(
        (file.status, file.bytes.as_slice()),
        (200, b"first".as_slice())
    );
    // A redirect stays behind the prefix.
    let away = anyone
        .get(&under(&token, "/latest/artifacts/kit.bin"))
        .await
        .expect_status(302);
    let wanted = under(&token, "/1.0.0/artifacts/kit.bin");
    assert!(
        away.header("location").ends_with(&wanted),
        "{}",
        away.header("location")
    );
    anyone.get(away.header("location")).await.expect_status(200);
    let ci = scene.token("ci").await;
    for other in [scene.purchase.key.as_str(), &ci, "kwd_x", "x"] {
        let refused = anyone
            .get(&under(other, ""))
            .await
            .expect_problem(401, "key_unknown");
        assert!(!refused.text().contains(other) || other.len() < 9);
    }
    for address in [
        "/k/",
        "/k/x",
        &format!("/k/{token}"),
        &format!("/k/{token}/"),
        &format!("/k/{token}/v1/admin/kits"),
        &format!("/k/{token}/v1/licenses/validate"),
        &format!("/k/{token}/k/{token}{RELEASES}"),
        &format!("/k/{token}//v1/kits/x/releases"),
    ] {
        anyone.get(address).await.expect_problem(404, "not_found");
    }
    let both = scene.app.kit(&token).get(&under(&token, "")).await;
    both.expect_problem(400, "malformed_request");
    scene.app.stop().await;
}

async fn from(scene: &Scene, origin: &str, key: &str) -> Reply {
    let page = scene.app.anonymous().with("origin", origin);
    call(&page, "validate", key, &json!({ "device": "d" }))
        .await
        .expect_status(200)
}

both!(a_token_is_told_once_and_kept_as_a_digest);
async fn a_token_is_told_once_and_kept_as_a_digest(kind: Kind) {
    let scene = scene(kind).await;
    let keyed = scene.shop.admin.clone().with("idempotency-key", "one");
    let body = json!({ "kind": "ci", "name": "main pipeline" });
    let first = keyed.post(&scene.list(), &body).await.expect_status(201);
    let again = keyed.post(&scene.list(), &body).await.expect_status(201);
    assert_eq!(first.json(), again.json());
    let listed = scene.shop.admin.get(&scene.list()).await.expect_status(200);
    assert!(!listed.text().contains(&first.str("/token")));
    let items = listed.json()["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["hint"], first.str("/token")[54..]);
    assert_eq!(
        (&items[0]["kind"], &items[0]["name"]),
        (&json!("ci"), &json!("main pipeline"))
    );
    assert!(items[0].get("token").is_none());
    scene.app.stop().await;
}

both!(what_a_token_may_not_be_is_refused_by_field);
async fn what_a_token_may_not_be_is_refused_by_field(kind: Kind) {
    let scene = scene(kind).await;
    let page = |origins: Value| json!({ "kind": "publishable", "name": "p", "origins": origins });
    let many: Vec<String> = (0..21).map(|n| format!("https://s{n}.example")).collect();
    for (field, body) in [
        ("name", json!({ "kind": "ci", "name": " " })),
        ("name", json!({ "kind": "ci", "name": "a\u{202e}b" })),
        ("kind", json!({ "kind": "management", "name": "a" })),
        (
            "origins",
            json!({ "kind": "ci", "name": "a", "origins": [ORIGIN] }),
        ),
        ("origins", json!({ "kind": "publishable", "name": "a" })),
        ("origins", page(json!(["*"]))),
        ("origins", page(json!(["http://example.com"]))),
        ("origins", page(json!(["https://example.com/path"]))),
        ("origins", page(json!(many))),
        (
            "expires_at",
            json!({ "kind": "ci", "name": "a", "expires_at": "2027-01-15T12:00:00Z" }),
        ),
        (
            "expires_at",
            json!({ "kind": "ci", "name": "a", "expires_at": "tomorrow" }),
        ),
        (
            "expires_at",
            json!({ "kind": "ci", "name": "a", "expires_at": "9999-12-31T23:59:59-23:59" }),
        ),
        (
            "scope",
            json!({ "kind": "ci", "name": "a", "scope": "all" }),
        ),
    ] {
        let reply = scene.shop.admin.post(&scene.list(), &body).await;
        let reply = reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), field, "{body}");
    }
    let good = json!({ "kind": "ci", "name": "a" });
    for scope in [Scope::Read, Scope::Publish] {
        let other = scene.app.token(scope).await;
        other
            .post(&scene.list(), &good)
            .await
            .expect_problem(403, "insufficient_scope");
    }
    let missing = "/v1/admin/licenses/lic_01jhmz3e5afkt9ymv5n2e8wqc4/tokens";
    scene
        .shop
        .admin
        .post(missing, &good)
        .await
        .expect_problem(404, "not_found");
    scene
        .shop
        .admin
        .get(missing)
        .await
        .expect_problem(404, "not_found");
    // A token of one license is none of another.
    let made = scene.make(&good).await.str("/id");
    let other = scene.shop.buy(&scene.app).await;
    let look = scene
        .kit("validate", &other.key, &json!({}))
        .await
        .str("/license/id");
    let path = format!("/v1/admin/licenses/{look}/tokens/{made}/revoke");
    scene
        .shop
        .admin
        .post(&path, &json!({}))
        .await
        .expect_problem(404, "not_found");
    scene.app.stop().await;
}

both!(a_token_has_so_many_calls_a_minute_and_others_are_not_touched);
async fn a_token_has_so_many_calls_a_minute_and_others_are_not_touched(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.limits.token_calls_per_minute = 3)
        .start(kind)
        .await;
    let scene = scene_in(app).await;
    let (first, other) = (scene.token("ci").await, scene.token("download").await);
    for _ in 0..2 {
        scene.kit("activate", &first, &json!({})).await;
    }
    scene.app.kit(&first).get(RELEASES).await.expect_status(200);
    let kit = scene.app.anonymous();
    for verb in ["activate", "validate", "deactivate"] {
        let reply = call(&kit, verb, &first, &json!({ "device": "d" })).await;
        let reply = reply.expect_problem(429, "too_many_requests");
        assert_eq!(reply.header("retry-after"), "60", "{verb}");
        expect_rate(&reply, "60");
    }
    scene.app.clock.advance(15);
    let download = scene.app.kit(&first).get(RELEASES).await;
    expect_rate(&download.expect_problem(429, "too_many_requests"), "45");
    scene.app.kit(&other).get(RELEASES).await.expect_status(200);
    for _ in 0..5 {
        scene.kit("validate", &scene.purchase.key, &json!({})).await;
    }
    scene.app.clock.advance(45);
    scene.kit("activate", &first, &json!({})).await;
    scene.app.stop().await;
}

/// What a refusal over a limit of three says about it.
#[track_caller]
fn expect_rate(refused: &Reply, reset: &str) {
    for (name, number) in [("limit", "3"), ("remaining", "0"), ("reset", reset)] {
        assert_eq!(
            refused.header(&format!("ratelimit-{name}")),
            number,
            "{name}"
        );
    }
}

both!(unknown_tokens_are_answered_like_unknown_keys);
async fn unknown_tokens_are_answered_like_unknown_keys(kind: Kind) {
    let scene = scene(kind).await;
    let real = scene.token("ci").await;
    let elsewhere = scene_in(TestApp::start(kind).await).await;
    let foreign = elsewhere.token("ci").await;
    let shape = |reply: &Reply| {
        let mut body = reply.json();
        body["verdict"] = Value::Null;
        body
    };
    let unknown = shape(&scene.kit("activate", "kwl_nothing", &json!({})).await);
    let mut mistyped = real.clone();
    mistyped.pop();
    for key in [
        mistyped.as_str(),
        &foreign,
        "kwc_",
        "kwd_x",
        "kwp_x",
        "kwa_x",
        &real.replace("kwc", "kwd"),
    ] {
        assert_eq!(
            shape(&scene.kit("activate", key, &json!({})).await),
            unknown,
            "{key}"
        );
        scene
            .app
            .kit(key)
            .get(RELEASES)
            .await
            .expect_problem(401, "key_unknown");
    }
    elsewhere.app.stop().await;
    scene.app.stop().await;
}
