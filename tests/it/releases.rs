//! Releases as they are managed, and the update checks that follow from it.

mod rights;
mod rollouts;
mod updates;

use kitward::staff::Scope;
use kitward_keys::{Expected, Jwks, PublicKeys};
use kitward_tests::{Actor, Kind, Purchase, Reply, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

const KIT: &str = "feedback-widget";
const DAY: i64 = 86_400;

struct Stage {
    app: TestApp,
    shop: Shop,
    purchase: Purchase,
}

async fn stage(kind: Kind) -> Stage {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    Stage {
        app,
        shop,
        purchase,
    }
}

impl Stage {
    async fn release(&self, version: &str) -> String {
        let file = format!("{version}.bin");
        self.shop
            .release(KIT, version, &file, version.as_bytes())
            .await
    }

    async fn act(&self, id: &str, verb: &str, body: &Value) -> Reply {
        let path = format!("/v1/admin/releases/{id}/{verb}");
        self.shop.admin.post(&path, body).await
    }

    async fn acted(&self, id: &str, verb: &str, body: &Value) -> Value {
        self.act(id, verb, body).await.expect_status(200).json()
    }

    fn kit(&self) -> Actor {
        self.app.kit(&self.purchase.key)
    }

    async fn offered(&self, query: &str) -> Option<String> {
        offered(&self.kit(), query).await
    }

    async fn edit(&self, id: &str, body: &Value) -> Reply {
        let path = format!("/v1/admin/releases/{id}");
        self.shop.admin.patch(&path, body).await
    }

    async fn license(&self) -> String {
        let list = self.shop.admin.get("/v1/admin/licenses").await;
        list.expect_status(200).str("/items/0/id")
    }

    async fn keys(&self) -> PublicKeys {
        let jwks = self.app.anonymous().get("/.well-known/jwks.json").await;
        let jwks: Jwks = serde_json::from_value(jwks.json()).unwrap();
        PublicKeys::from_jwks(&jwks).unwrap()
    }

    fn expected<'a>(&self, nonce: Option<&'a str>) -> Expected<'a> {
        Expected {
            issuer: None,
            audience: KIT,
            now: self.app.now(),
            leeway: 0,
            nonce,
        }
    }
}

async fn check(actor: &Actor, query: &str) -> Reply {
    let path = format!("/v1/kits/{KIT}/updates?{query}");
    actor.get(&path).await.expect_status(200)
}

async fn offered(actor: &Actor, query: &str) -> Option<String> {
    let found = check(actor, query).await.json();
    found["release"]["version"].as_str().map(str::to_owned)
}

fn file(version: &str) -> String {
    format!("/v1/kits/{KIT}/releases/{version}/artifacts/{version}.bin")
}

fn reason() -> Value {
    json!({ "reason": "It lost settings." })
}

both!(an_edit_names_the_revision_it_was_made_for);
async fn an_edit_names_the_revision_it_was_made_for(kind: Kind) {
    let stage = stage(kind).await;
    let id = stage.release("1.0.0").await;
    let path = format!("/v1/admin/releases/{id}");
    let seen = stage.shop.admin.get(&path).await.expect_status(200);
    let tag = seen.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", seen.str("/revision")));
    assert!(!seen.text().contains("\"salt\""), "{}", seen.text());
    let edit = json!({
        "notes": "Faster.", "severity": "security", "required_entitlements": ["pro"],
        "minimum_version": "0.9.0", "quality_score": 97, "build_seconds": 1200,
        "tests_passed": 310, "tests_failed": 0, "bugs_found": 3, "bugs_fixed": 3,
        "entitled_at": "2027-01-01T00:00:00Z",
    });
    let matching = stage.shop.admin.clone().with("if-match", tag.clone());
    let changed = matching.patch(&path, &edit).await.expect_status(200);
    for (member, value) in edit.as_object().unwrap() {
        assert_eq!(&changed.json()[member], value, "{member}");
    }
    assert_ne!(changed.header("etag"), tag);
    let late = matching.patch(&path, &json!({ "quality_score": 1 })).await;
    late.expect_problem(412, "precondition_failed");
    let emptied = json!({ "quality_score": null, "minimum_version": null, "entitled_at": null });
    let emptied = stage.edit(&id, &emptied).await.expect_status(200).json();
    assert_eq!(emptied["quality_score"], Value::Null);
    assert_eq!(emptied["build_seconds"], 1200);
    assert_eq!(emptied["minimum_version"], Value::Null);
    let revision = emptied["revision"].clone();
    let same = stage.edit(&id, &json!({ "notes": "Faster." })).await.json();
    assert_eq!(same["revision"], revision, "nothing changed");
    for (member, value) in [
        ("version", json!("1.0.1")),
        ("channel", json!("beta")),
        ("artifacts", json!([])),
        ("published_at", json!("2027-01-01T00:00:00Z")),
    ] {
        let refused = stage.edit(&id, &json!({ member: value })).await;
        refused.expect_problem(422, "invalid_field");
    }
    let audit = format!("/v1/admin/audit?subject={id}");
    let audit = stage.shop.admin.get(&audit).await.expect_status(200);
    assert_eq!(audit.text().matches("release.changed").count(), 2);
    stage.app.stop().await;
}

both!(a_draft_goes_out_in_the_revision_that_was_read);
async fn a_draft_goes_out_in_the_revision_that_was_read(kind: Kind) {
    let stage = stage(kind).await;
    let admin = &stage.shop.admin;
    let draft = json!({ "kit": KIT, "version": "1.0.0" });
    let made = admin.post("/v1/admin/releases", &draft).await;
    let path = format!("/v1/admin/releases/{}", made.str("/id"));
    let put = format!("{path}/artifacts/1.0.0.bin");
    admin.put(&put, b"1.0.0".to_vec()).await.expect_status(201);
    let publish = format!("{path}/publish");
    let publish_as = |tag: String| {
        let holder = admin.clone().with("if-match", tag);
        let publish = publish.clone();
        async move { holder.post(&publish, &json!({})).await }
    };
    let read = admin.get(&path).await.expect_status(200);
    let other = json!({ "notes": "Not yet." });
    admin.patch(&path, &other).await.expect_status(200);
    let late = publish_as(read.header("etag").to_owned()).await;
    late.expect_problem(412, "precondition_failed");
    let no_tag = publish_as("nonsense".to_owned()).await;
    no_tag.expect_problem(422, "invalid_field");
    let read = admin.get(&path).await.expect_status(200);
    assert_eq!(read.str("/status"), "draft");
    let out = publish_as(read.header("etag").to_owned()).await;
    assert_eq!(out.expect_status(200).str("/status"), "published");
    // The same request again, whose answer was lost.
    let again = publish_as(read.header("etag").to_owned()).await;
    assert_eq!(again.expect_status(200).str("/status"), "published");
    // Whoever names none publishes as ever, also what is out.
    let again = admin.post(&publish, &json!({})).await;
    again.expect_status(200);
    stage.app.stop().await;
}

both!(a_yanked_release_is_had_by_its_exact_version_only);
async fn a_yanked_release_is_had_by_its_exact_version_only(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let kit = stage.kit();
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    let yanked = stage.acted(&id, "yank", &reason()).await;
    assert_eq!(yanked["yank_reason"], "It lost settings.");
    assert_eq!(stage.offered("version=1.0.0").await, None);
    assert_eq!(stage.offered("version=1.0.0&manual=true").await, None);
    let list = kit.get(&format!("/v1/kits/{KIT}/releases")).await;
    assert!(!list.expect_status(200).text().contains("1.1.0"));
    let latest = format!("/v1/kits/{KIT}/releases/latest");
    assert_eq!(kit.get(&latest).await.str("/version"), "1.0.0");
    let minor = format!("/v1/kits/{KIT}/releases/1.1");
    kit.get(&minor).await.expect_problem(404, "not_found");
    assert_eq!(
        kit.get(&file("1.1.0")).await.expect_status(200).bytes,
        b"1.1.0"
    );
    let back = stage.acted(&id, "unyank", &json!({})).await;
    assert_eq!(
        (&back["yanked_at"], &back["yank_reason"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    stage.app.stop().await;
}

both!(a_withdrawn_release_is_gone_for_ever);
async fn a_withdrawn_release_is_gone_for_ever(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let first = stage.acted(&id, "withdraw", &reason()).await;
    let again = json!({ "reason": "It lost all settings." });
    let again = stage.acted(&id, "withdraw", &again).await;
    assert_eq!(again["withdrawn_at"], first["withdrawn_at"]);
    assert_eq!(again["withdraw_reason"], "It lost all settings.");
    let kit = stage.kit();
    kit.get(&file("1.1.0")).await.expect_problem(410, "gone");
    let shown = format!("/v1/kits/{KIT}/releases/1.1.0");
    kit.get(&shown).await.expect_problem(410, "gone");
    assert_eq!(stage.offered("version=1.0.0&manual=true").await, None);
    let list = kit.get(&format!("/v1/kits/{KIT}/releases")).await;
    assert!(!list.text().contains("1.1.0"));
    let license = stage.license().await;
    let grant = json!({ "license": license, "reason": "They asked." });
    stage.acted(&id, "grants", &grant).await;
    kit.get(&file("1.1.0")).await.expect_problem(410, "gone");
    for (verb, body) in [("yank", reason()), ("unyank", json!({}))] {
        let refused = stage.act(&id, verb, &body).await;
        refused.expect_problem(409, "conflict");
    }
    stage.app.stop().await;
}

both!(a_draft_is_deleted_and_what_is_published_is_not);
async fn a_draft_is_deleted_and_what_is_published_is_not(kind: Kind) {
    let stage = stage(kind).await;
    let published = stage.release("1.0.0").await;
    let admin = &stage.shop.admin;
    let draft = json!({ "kit": KIT, "version": "1.1.0" });
    let made = admin.post("/v1/admin/releases", &draft).await;
    let id = made.expect_status(201).str("/id");
    let same_bytes = b"1.0.0".to_vec();
    let put = format!("/v1/admin/releases/{id}/artifacts/a.bin");
    admin.put(&put, same_bytes).await.expect_status(201);
    for verb in ["yank", "withdraw"] {
        let refused = stage.act(&id, verb, &reason()).await;
        refused.expect_problem(409, "conflict");
    }
    let delete = |id: &str| {
        let path = format!("/v1/admin/releases/{id}");
        admin.send(admin.request(Method::DELETE, &path))
    };
    delete(&published).await.expect_problem(409, "conflict");
    assert_eq!(delete(&id).await.status, 204);
    delete(&id).await.expect_problem(404, "not_found");
    admin
        .post("/v1/admin/releases", &draft)
        .await
        .expect_status(201);
    let kit = stage.kit();
    assert_eq!(
        kit.get(&file("1.0.0")).await.expect_status(200).bytes,
        b"1.0.0"
    );
    stage.app.stop().await;
}

both!(releases_are_listed_by_what_they_are);
async fn releases_are_listed_by_what_they_are(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let yanked = stage.release("1.1.0").await;
    let withdrawn = stage.release("1.2.0-beta.1").await;
    stage.acted(&yanked, "yank", &reason()).await;
    stage.acted(&withdrawn, "withdraw", &reason()).await;
    stage
        .edit(&yanked, &json!({ "severity": "critical" }))
        .await
        .expect_status(200);
    let draft = json!({ "kit": "rate-limiter", "version": "1.0.0" });
    let made = stage.shop.admin.post("/v1/admin/releases", &draft).await;
    made.expect_status(201);
    for (query, versions) in [
        ("", vec!["1.0.0", "1.0.0", "1.1.0", "1.2.0-beta.1"]),
        (
            "?kit=feedback-widget",
            vec!["1.0.0", "1.1.0", "1.2.0-beta.1"],
        ),
        ("?status=draft", vec!["1.0.0"]),
        ("?channel=beta", vec!["1.2.0-beta.1"]),
        ("?severity=critical", vec!["1.1.0"]),
        ("?yanked=true", vec!["1.1.0"]),
        (
            "?yanked=false&status=published",
            vec!["1.0.0", "1.2.0-beta.1"],
        ),
        ("?withdrawn=true", vec!["1.2.0-beta.1"]),
        (
            "?withdrawn=false&kit=feedback-widget",
            vec!["1.0.0", "1.1.0"],
        ),
        ("?halted=true", vec![]),
    ] {
        let list = stage
            .shop
            .admin
            .get(&format!("/v1/admin/releases{query}"))
            .await;
        let list = list.expect_status(200).json();
        let found = list["items"].as_array().unwrap().iter();
        let mut found: Vec<&str> = found.map(|it| it["version"].as_str().unwrap()).collect();
        // Ids of the same moment stand in any order.
        found.sort_unstable();
        assert_eq!(found, versions, "{query}");
    }
    for bad in [
        "?status=gone",
        "?yanked=maybe",
        "?channel=nightly",
        "?kit=none",
        "?x=1",
    ] {
        let refused = stage
            .shop
            .admin
            .get(&format!("/v1/admin/releases{bad}"))
            .await;
        refused.expect_problem(422, "invalid_field");
    }
    stage.app.stop().await;
}

both!(bad_fields_of_releases_are_refused_and_named);
async fn bad_fields_of_releases_are_refused_and_named(kind: Kind) {
    let stage = stage(kind).await;
    let id = stage.release("1.0.0").await;
    let fields = [
        ("notes", json!("x".repeat(32_769))),
        ("notes", json!("a\u{0}b")),
        ("severity", json!("urgent")),
        ("entitled_at", json!("tomorrow")),
        ("entitled_at", json!("2099-01-01T00:00:00Z")),
        ("minimum_version", json!("1.0")),
        ("minimum_version", json!("1.0.0")),
        ("minimum_version", json!("9.0.0")),
        ("minimum_version", json!("0.1.0+build")),
        ("minimum_version", json!("0.".repeat(10_000))),
        ("minimum_version", json!("0.1.0\u{0}")),
        ("required_entitlements", json!(["a b"])),
        ("required_entitlements", json!(["a", "a"])),
        ("required_entitlements", json!(["a\u{0}"])),
        ("required_entitlements", json!(vec!["x"; 1_000])),
        ("quality_score", json!(-1)),
        ("quality_score", json!(101)),
        ("quality_score", json!(99.5)),
        ("build_seconds", json!(-1)),
        ("tests_passed", json!(99_999_999_999_i64)),
        ("tests_failed", json!("3")),
        ("bugs_found", json!(-3)),
        ("bugs_fixed", json!(-3)),
    ];
    for (field, value) in fields {
        let body = json!({ field: value });
        let refused = stage
            .edit(&id, &body)
            .await
            .expect_problem(422, "invalid_field");
        assert!(
            refused.str("/field").starts_with(field),
            "{}",
            refused.text()
        );
        let mut draft = json!({ "kit": KIT, "version": "1.0.0-rc.1" });
        draft[field] = body[field].clone();
        // The version of this draft is another one, lower than these.
        if body[field] == "1.0.0" {
            continue;
        }
        let refused = stage.shop.admin.post("/v1/admin/releases", &draft).await;
        let refused = refused.expect_problem(422, "invalid_field");
        assert!(
            refused.str("/field").starts_with(field),
            "{}",
            refused.text()
        );
    }
    let reader = stage.app.token(Scope::Read).await;
    let path = format!("/v1/admin/releases/{id}/yank");
    let refused = reader.post(&path, &reason()).await;
    refused.expect_problem(403, "insufficient_scope");
    stage.app.stop().await;
}
