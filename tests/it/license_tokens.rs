//! Tokens derived from a license key: what each opens, from where, and for how long.

use diesel::{RunQueryDsl, sql_query};
use futures_util::future::join_all;
use kitward::db::{DbError, Shard};
use kitward::staff::Scope;
use kitward_keys::{DocumentType, Expected, Jwks, PublicKeys};
use kitward_tests::{Actor, BUYER, Kind, Purchase, Reply, Shop, TestApp, both};
use reqwest::Method;
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

both!(a_ci_token_activates_without_a_seat);
async fn a_ci_token_activates_without_a_seat(kind: Kind) {
    let scene = scene(kind).await;
    let token = scene.token("ci").await;
    assert!(token.starts_with("kwc_"));
    for more in [
        json!({}),
        json!({ "device": "runner-1" }),
        json!({ "site": "example.com" }),
    ] {
        let answer = scene.kit("activate", &token, &more).await;
        assert_eq!(
            (answer.str("/code"), answer.str("/license/seats/used")),
            ("VALID".into(), "0".into())
        );
        assert_eq!(answer.json()["activation"], Value::Null);
        // The hint is that of what was shown.
        assert_eq!(answer.str("/license/key_hint"), token[token.len() - 6..]);
    }
    // All seats taken: a build runs.
    for n in 0..5 {
        scene
            .kit(
                "activate",
                &scene.purchase.key,
                &json!({ "device": format!("d-{n}") }),
            )
            .await;
    }
    let answer = scene
        .kit("activate", &token, &json!({ "device": "d-9" }))
        .await;
    assert_eq!(answer.str("/code"), "VALID");
    let jwks: Jwks = serde_json::from_value(
        scene
            .app
            .anonymous()
            .get("/.well-known/jwks.json")
            .await
            .json(),
    )
    .unwrap();
    let keys = PublicKeys::from_jwks(&jwks).unwrap();
    let expected = Expected {
        issuer: None,
        audience: "feedback-widget",
        now: scene.app.now(),
        leeway: 0,
        nonce: None,
    };
    let file = answer.str("/license_file");
    let claims =
        kitward_keys::verify_document(&file, DocumentType::License, &keys, &expected).unwrap();
    assert_eq!(claims.exp, scene.app.now() + 3_600);
    assert!(claims.activation.is_none());
    // It looks as well, and gives back no seat of anybody.
    assert_eq!(
        scene.kit("validate", &token, &json!({})).await.str("/code"),
        "VALID"
    );
    let given_back = scene
        .kit("deactivate", &token, &json!({ "device": "d-1" }))
        .await;
    assert_eq!(given_back.str("/code"), "NOT_ACTIVATED");
    let other = json!({ "kit": "rate-limiter" });
    assert_eq!(
        scene.kit("activate", &token, &other).await.str("/code"),
        "KIT_MISMATCH"
    );
    scene.app.kit(&token).get(RELEASES).await.expect_status(200);
    scene.app.stop().await;
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

async fn preflight(scene: &Scene, origin: Option<&str>) -> Reply {
    let page = scene.app.anonymous();
    let mut request = page
        .request(Method::OPTIONS, VALIDATE)
        .header("access-control-request-method", "POST");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    page.send(request).await.expect_status(204)
}

const ALLOWED: &str = "access-control-allow-origin";

both!(a_publishable_id_validates_from_its_origins_only);
async fn a_publishable_id_validates_from_its_origins_only(kind: Kind) {
    let scene = scene(kind).await;
    assert_eq!(preflight(&scene, Some(ORIGIN)).await.header(ALLOWED), "");
    let id = scene.token("publishable").await;
    assert!(id.starts_with("kwp_"));
    let answer = from(&scene, ORIGIN, &id).await;
    assert_eq!(answer.str("/code"), "NOT_ACTIVATED");
    assert_eq!(
        (answer.header(ALLOWED), answer.header("vary")),
        (ORIGIN, "Origin")
    );
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let asked = preflight(&scene, Some(ORIGIN)).await;
    assert_eq!(
        (asked.header(ALLOWED), asked.header("vary")),
        (ORIGIN, "Origin")
    );
    assert_eq!(asked.header("access-control-allow-methods"), "POST");
    assert_eq!(asked.header("access-control-allow-headers"), "content-type");
    for other in [
        "https://evil.example",
        "http://shop.example.com",
        "https://shop.example.com:8443",
        "https://shop.example.com.evil.example",
        "https://SHOP.example.com",
        "null",
        "*",
    ] {
        let answer = from(&scene, other, &id).await;
        assert_eq!(
            (answer.str("/code"), answer.header(ALLOWED)),
            ("NOT_FOUND".into(), ""),
            "{other}"
        );
        assert_eq!(
            preflight(&scene, Some(other)).await.header(ALLOWED),
            "",
            "{other}"
        );
    }
    assert_eq!(preflight(&scene, None).await.header(ALLOWED), "");
    assert_eq!(
        scene.kit("validate", &id, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    // A secret in a web page gets no permission to be read.
    let answer = from(&scene, ORIGIN, &scene.purchase.key).await;
    assert_eq!(
        (answer.str("/code"), answer.header(ALLOWED)),
        ("NOT_ACTIVATED".into(), "")
    );
    let page = scene.app.anonymous().with("origin", ORIGIN);
    for verb in ["activate", "deactivate"] {
        let answer = call(&page, verb, &id, &json!({ "device": "d" }))
            .await
            .expect_status(200);
        assert_eq!(
            (answer.str("/code"), answer.header(ALLOWED)),
            ("NOT_FOUND".into(), ""),
            "{verb}"
        );
    }
    let request = page.request(Method::OPTIONS, "/v1/licenses/activate");
    page.send(request)
        .await
        .expect_problem(405, "method_not_allowed");
    let kit = scene.app.kit(&id).with("origin", ORIGIN);
    kit.get(RELEASES).await.expect_problem(401, "key_unknown");
    scene.app.stop().await;
}

both!(a_token_ends_when_it_is_revoked_or_expires);
async fn a_token_ends_when_it_is_revoked_or_expires(kind: Kind) {
    let scene = scene(kind).await;
    let second = scene.app.second().await;
    let made = scene.make(&json!({ "kind": "ci", "name": "a" })).await;
    let token = made.str("/token");
    let valid = |app: &TestApp| {
        let (kit, token) = (app.anonymous(), token.clone());
        async move {
            call(&kit, "validate", &token, &json!({}))
                .await
                .str("/code")
        }
    };
    assert_eq!(valid(&second).await, "VALID");
    let path = format!("{}/{}/revoke", scene.list(), made.str("/id"));
    let revoked = scene
        .shop
        .admin
        .post(&path, &json!({}))
        .await
        .expect_status(200);
    let again = scene
        .shop
        .admin
        .post(&path, &json!({}))
        .await
        .expect_status(200);
    assert_eq!(revoked.str("/revoked_at"), again.str("/revoked_at"));
    // At the next request, on every process.
    assert_eq!(valid(&second).await, "NOT_FOUND");
    assert_eq!(valid(&scene.app).await, "NOT_FOUND");
    scene
        .app
        .kit(&token)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");

    let short = json!({ "kind": "download", "name": "b", "expires_at": "2027-01-15T13:00:00Z" });
    let short = scene.make(&short).await.str("/token");
    scene.app.kit(&short).get(RELEASES).await.expect_status(200);
    scene.app.clock.advance(3_600);
    scene
        .app
        .kit(&short)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");
    second.stop().await;
    scene.app.stop().await;
}

both!(a_token_ends_with_its_key_and_with_its_license);
async fn a_token_ends_with_its_key_and_with_its_license(kind: Kind) {
    let scene = scene(kind).await;
    scene.app.clock.advance(3_600);
    let token = scene.token("ci").await;
    let id = scene.token("publishable").await;
    let end = "2027-01-15 14:00:00";
    scene
        .sql(format!("UPDATE license_keys SET honored_until = '{end}'"))
        .await;
    assert_eq!(
        scene.kit("validate", &token, &json!({})).await.str("/code"),
        "VALID"
    );
    scene.app.clock.advance(3_600);
    assert_eq!(
        scene.kit("validate", &token, &json!({})).await.str("/code"),
        "KEY_REPLACED"
    );
    assert_eq!(from(&scene, ORIGIN, &id).await.str("/code"), "KEY_REPLACED");
    scene
        .app
        .kit(&token)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");
    scene
        .sql("UPDATE license_keys SET honored_until = NULL".to_owned())
        .await;
    scene
        .sql("UPDATE licenses SET valid_until = '2027-01-15 13:30:00'".to_owned())
        .await;
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "EXPIRED"
    );
    let refused = json!({ "kind": "ci", "name": "late" });
    let refused = scene.shop.admin.post(&scene.list(), &refused).await;
    assert_eq!(
        refused.expect_problem(409, "conflict").str("/verdict"),
        "EXPIRED"
    );
    scene.app.stop().await;
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

both!(terms_without_builds_end_ci_tokens);
async fn terms_without_builds_end_ci_tokens(kind: Kind) {
    let scene = scene(kind).await;
    let (ci, download) = (scene.token("ci").await, scene.token("download").await);
    let policy = "/v1/admin/policies/personal";
    scene
        .shop
        .admin
        .patch(policy, &json!({ "ci_use": false }))
        .await
        .expect_status(200);
    assert_eq!(
        scene.kit("activate", &ci, &json!({})).await.str("/code"),
        "VALID"
    );
    let apply = json!({ "preview": false, "terms_number": 2 });
    scene
        .shop
        .admin
        .post(&format!("{policy}/apply"), &apply)
        .await
        .expect_status(200);
    assert_eq!(
        scene.kit("activate", &ci, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    scene
        .app
        .kit(&ci)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");
    scene
        .app
        .kit(&download)
        .get(RELEASES)
        .await
        .expect_status(200);
    let refused = scene
        .shop
        .admin
        .post(&scene.list(), &json!({ "kind": "ci", "name": "a" }))
        .await;
    assert_eq!(
        refused.expect_problem(422, "invalid_field").str("/field"),
        "kind"
    );
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
    }
    scene
        .app
        .kit(&first)
        .get(RELEASES)
        .await
        .expect_problem(429, "too_many_requests");
    scene.app.kit(&other).get(RELEASES).await.expect_status(200);
    for _ in 0..5 {
        scene.kit("validate", &scene.purchase.key, &json!({})).await;
    }
    scene.app.clock.advance(60);
    scene.kit("activate", &first, &json!({})).await;
    scene.app.stop().await;
}

both!(a_ci_token_that_runs_like_a_workstation_is_flagged);
async fn a_ci_token_that_runs_like_a_workstation_is_flagged(kind: Kind) {
    let scene = scene(kind).await;
    let builds = scene.token("ci").await;
    let desk = scene.token("ci").await;
    // From the next midnight on.
    scene.app.clock.advance(12 * 3_600);
    for hour in 0..8 {
        let runner = json!({ "device": format!("runner-{hour}") });
        scene.kit("activate", &builds, &runner).await;
        let answer = scene
            .kit("activate", &desk, &json!({ "device": "desk" }))
            .await;
        assert_eq!(answer.str("/code"), "VALID");
        let flagged = flags(&scene).await;
        assert_eq!(flagged, usize::from(hour == 7), "{hour}");
        scene.app.clock.advance(3_600);
    }
    scene.app.stop().await;
}

async fn flags(scene: &Scene) -> usize {
    let listed = scene.shop.admin.get(&scene.list()).await.json();
    let items = listed["items"].as_array().unwrap().clone();
    items
        .iter()
        .filter(|item| !item["flagged_at"].is_null())
        .count()
}

both!(use_during_a_revocation_is_either_before_or_after);
async fn use_during_a_revocation_is_either_before_or_after(kind: Kind) {
    let scene = scene(kind).await;
    let made = scene.make(&json!({ "kind": "ci", "name": "a" })).await;
    let token = made.str("/token");
    let path = format!("{}/{}/revoke", scene.list(), made.str("/id"));
    let revokes = join_all((0..4).map(|_| {
        let (admin, path) = (scene.shop.admin.clone(), path.clone());
        async move {
            admin
                .post(&path, &json!({}))
                .await
                .expect_status(200)
                .str("/revoked_at")
        }
    }));
    let uses = join_all((0..16).map(|_| {
        let (scene, token) = (&scene, token.as_str());
        async move { scene.kit("activate", token, &json!({})).await.str("/code") }
    }));
    let (times, codes) = futures_util::future::join(revokes, uses).await;
    assert!(times.iter().all(|time| *time == times[0]));
    assert!(
        codes
            .iter()
            .all(|code| ["VALID", "NOT_FOUND"].contains(&code.as_str())),
        "{codes:?}"
    );
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    scene.app.stop().await;
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

/// The token on the page that shows it.
fn shown(page: &str, prefix: &str) -> String {
    let start = page
        .find(prefix)
        .unwrap_or_else(|| panic!("no {prefix} in {page}"));
    page[start..start + 60].to_owned()
}

both!(customers_make_and_revoke_tokens_on_their_page);
async fn customers_make_and_revoke_tokens_on_their_page(kind: Kind) {
    let scene = scene(kind).await;
    let browser = scene.app.customer(BUYER).await;
    let path = format!("/licenses/{}/tokens", scene.license);
    let license = browser
        .get(&format!("/licenses/{}", scene.license))
        .await
        .text();
    assert!(license.contains(&path));
    let made = browser
        .form(&path, &[("name", " Main <b> "), ("kind", "ci")])
        .await
        .expect_status(200);
    assert_eq!(made.header("cache-control"), "no-store");
    let token = shown(&made.text(), "kwc_");
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "VALID"
    );
    let made = browser
        .form(&path, &[("name", "Mirror"), ("kind", "download")])
        .await
        .expect_status(200);
    let download = shown(&made.text(), "kwd_");
    scene
        .app
        .kit(&download)
        .get(RELEASES)
        .await
        .expect_status(200);
    // One that the vendor made is the license's as well.
    scene.token("publishable").await;
    let list = browser.get(&path).await.expect_status(200).text();
    assert!(
        !list.contains(&token) && list.contains(&token[54..]) && list.contains("Main &#60;b&#62;"),
        "{list}"
    );
    let admin = scene.shop.admin.get(&scene.list()).await.json();
    let items = admin["items"].as_array().unwrap();
    let own = items.iter().find(|item| item["kind"] == "ci").unwrap();
    assert!(own["person_id"].as_str().unwrap().starts_with("per_"));
    let revoke = format!("{path}/{}/revoke", own["id"].as_str().unwrap());
    let done = browser.form(&revoke, &[]).await.expect_status(303);
    let told = browser
        .get(done.header("location"))
        .await
        .expect_status(200)
        .text();
    assert!(told.contains("The token is revoked") && !told.contains(&token[54..]));
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    for (name, kind, status) in [
        ("", "ci", 422),
        ("a\u{202e}", "ci", 422),
        ("a", "publishable", 404),
        ("a", "key", 422),
    ] {
        let refused = browser.form(&path, &[("name", name), ("kind", kind)]).await;
        assert_eq!(refused.status, status, "{name:?} {kind}");
        assert!(!refused.text().contains("kwc_"));
    }
    scene.app.stop().await;
}

both!(tokens_of_others_are_not_there);
async fn tokens_of_others_are_not_there(kind: Kind) {
    let scene = scene(kind).await;
    let made = scene.make(&json!({ "kind": "ci", "name": "a" })).await;
    let path = format!("/licenses/{}/tokens", scene.license);
    let revoke = format!("{path}/{}/revoke", made.str("/id"));
    let stranger = scene.app.customer("stranger@example.com").await;
    for page in [&path, &format!("/licenses/{}/text", scene.license)] {
        stranger.get(page).await.expect_status(404);
    }
    let fields = [("name", "mine"), ("kind", "ci")];
    stranger.form(&path, &fields).await.expect_status(404);
    stranger.form(&revoke, &[]).await.expect_status(404);
    scene
        .app
        .browser()
        .form(&path, &fields)
        .await
        .expect_status(303);
    let elsewhere = scene
        .app
        .customer(BUYER)
        .await
        .with("sec-fetch-site", "cross-site");
    elsewhere.form(&path, &fields).await.expect_status(403);
    // Of the same customer, those who are no owners see their own, and who only pays makes none.
    for (role, status) in [("member", 200), ("billing", 403)] {
        scene
            .sql(format!("UPDATE memberships SET role = '{role}'"))
            .await;
        let person = scene.app.customer(BUYER).await;
        assert!(
            !person
                .get(&path)
                .await
                .expect_status(200)
                .text()
                .contains(&revoke),
            "{role}"
        );
        let revoked = person.form(&revoke, &[]).await;
        assert_eq!(revoked.status, if role == "member" { 404 } else { 403 });
        person.form(&path, &fields).await.expect_status(status);
    }
    assert_eq!(
        scene
            .kit("activate", &made.str("/token"), &json!({}))
            .await
            .str("/code"),
        "VALID"
    );
    scene.app.stop().await;
}

both!(the_license_text_that_holds_is_shown_as_text);
async fn the_license_text_that_holds_is_shown_as_text(kind: Kind) {
    let scene = scene(kind).await;
    let texts = "/v1/admin/license-texts";
    let first = json!({ "name": "Standard", "body": "One <script>alert(1)</script>\n  two" });
    let first = scene
        .shop
        .admin
        .post(texts, &first)
        .await
        .expect_status(201)
        .str("/id");
    let policy = "/v1/admin/policies/personal";
    let change = json!({ "license_text_id": first });
    scene
        .shop
        .admin
        .patch(policy, &change)
        .await
        .expect_status(200);
    let browser = scene.app.customer(BUYER).await;
    let page = format!("/licenses/{}/text", scene.license);
    browser.get(&page).await.expect_status(404);
    let apply = json!({ "preview": false, "terms_number": 2 });
    scene
        .shop
        .admin
        .post(&format!("{policy}/apply"), &apply)
        .await
        .expect_status(200);
    // A later version holds for who comes later.
    let second = json!({ "name": "Standard", "body": "Other" });
    scene
        .shop
        .admin
        .post(texts, &second)
        .await
        .expect_status(201);
    let text = browser.get(&page).await.expect_status(200).text();
    assert!(
        text.contains("&#60;script&#62;alert(1)&#60;/script&#62;\n  two")
            && text.contains("Version 1"),
        "{text}"
    );
    let license = browser
        .get(&format!("/licenses/{}", scene.license))
        .await
        .text();
    assert!(license.contains("Standard, version 1") && license.contains(&page));
    scene.app.stop().await;
}

both!(a_build_takes_no_file_along_that_outlives_it);
async fn a_build_takes_no_file_along_that_outlives_it(kind: Kind) {
    let scene = scene(kind).await;
    let admin = &scene.shop.admin;
    for (seats, ask) in [
        ("none", json!({})),
        ("device", json!({ "device": "runner" })),
    ] {
        let policy = json!({ "seat_kind": seats, "offline_file_days": 365 });
        Shop::policy(admin, seats, &policy).await;
        let license = json!({ "policy": seats, "email": BUYER });
        let license = admin.post("/v1/admin/licenses", &license).await;
        let id = license.expect_status(201).str("/id");
        let body = json!({ "kind": "ci", "name": "build" });
        let made = admin
            .post(&format!("/v1/admin/licenses/{id}/tokens"), &body)
            .await;
        let token = made.expect_status(201).str("/token");
        let mut ask = ask;
        for ttl in [Value::Null, json!(31_536_000)] {
            ask["ttl_seconds"] = ttl;
            let answer = scene.kit("file", &token, &ask).await;
            assert_eq!(answer.str("/code"), "VALID");
            let file = answer.str("/license_file");
            assert_eq!(life(&scene, &file).await, 3_600, "{seats}");
        }
    }
    scene.app.stop().await;
}

/// Seconds that a license file lives.
async fn life(scene: &Scene, file: &str) -> i64 {
    let jwks = scene.app.anonymous().get("/.well-known/jwks.json").await;
    let jwks: Jwks = serde_json::from_value(jwks.json()).unwrap();
    let keys = PublicKeys::from_jwks(&jwks).unwrap();
    let expected = Expected {
        issuer: None,
        audience: "feedback-widget",
        now: scene.app.now(),
        leeway: 0,
        nonce: None,
    };
    let claims = kitward_keys::verify_document(file, DocumentType::License, &keys, &expected);
    claims.unwrap().exp - scene.app.now()
}
