//! Releases as they are managed, and the update checks that follow from it.

use kitward::staff::Scope;
use kitward_keys::{Expected, Jwks, PublicKeys, UpdateClaims, VerifyError, verify_update};
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
    assert!(!seen.text().contains("salt"), "{}", seen.text());
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

both!(a_release_may_need_a_feature_of_the_license);
async fn a_release_may_need_a_feature_of_the_license(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let pro = json!({ "required_entitlements": ["pro"] });
    stage.edit(&id, &pro).await.expect_status(200);
    let kit = stage.kit();
    let refused = kit.get(&file("1.1.0")).await;
    let refused = refused.expect_problem(403, "entitlement_missing");
    assert_eq!(refused.str("/entitlement"), "pro");
    assert_eq!(stage.offered("version=1.0.0").await, None);
    let add = json!({ "add_entitlements": ["pro"] });
    let path = format!("/v1/admin/licenses/{}", stage.license().await);
    stage.shop.admin.patch(&path, &add).await.expect_status(200);
    kit.get(&file("1.1.0")).await.expect_status(200);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    stage.app.stop().await;
}

both!(a_grant_opens_one_release_beyond_the_window);
async fn a_grant_opens_one_release_beyond_the_window(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    stage.app.clock.advance(400 * DAY);
    let id = stage.release("2.0.0").await;
    let later = stage.release("2.1.0").await;
    let (kit, license) = (stage.kit(), stage.license().await);
    kit.get(&file("2.0.0"))
        .await
        .expect_problem(403, "version_not_covered");
    let support = stage.app.token(Scope::Support).await;
    let path = format!("/v1/admin/releases/{id}/grants");
    let grant = json!({ "license": license, "reason": "Promised by mail." });
    for _ in 0..2 {
        let keyed = support.clone().with("idempotency-key", "grant-1");
        keyed.post(&path, &grant).await.expect_status(200);
    }
    support.post(&path, &grant).await.expect_status(200);
    let unknown = json!({ "license": "lic_01jhmz3e5afkt9ymv5n2e8wqc4", "reason": "x" });
    support
        .post(&path, &unknown)
        .await
        .expect_problem(422, "invalid_field");
    kit.get(&file("2.0.0")).await.expect_status(200);
    kit.get(&file("2.1.0"))
        .await
        .expect_problem(403, "version_not_covered");
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("2.0.0")
    );
    let list = stage.shop.admin.get(&path).await.expect_status(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(list.str("/items/0/reason"), "Promised by mail.");
    let remove = |id: &str| {
        let path = format!("/v1/admin/releases/{id}/grants/{license}");
        support.send(support.request(Method::DELETE, &path))
    };
    remove(&later).await.expect_problem(404, "not_found");
    assert_eq!(remove(&id).await.status, 204);
    kit.get(&file("2.0.0"))
        .await
        .expect_problem(403, "version_not_covered");
    stage.app.stop().await;
}

both!(a_caller_above_its_window_learns_what_it_has_and_where_to_renew);
async fn a_caller_above_its_window_learns_what_it_has_and_where_to_renew(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    stage.app.clock.advance(400 * DAY);
    stage.release("2.0.0").await;
    let answer = check(&stage.kit(), "version=2.0.0").await;
    assert_eq!(answer.str("/last_entitled_version"), "1.0.0");
    assert!(answer.str("/updates_until").starts_with("2028-01-15"));
    assert!(answer.str("/renew_url").contains("/licenses/lic_"));
    let policy = format!("/v1/admin/policies/{}", stage.shop.policy);
    let elsewhere = json!({ "renew_url": "https://vendor.example.com/renew" });
    let edited = stage.shop.admin.patch(&policy, &elsewhere).await;
    edited.expect_status(200);
    let answer = check(&stage.kit(), "version=2.0.0").await;
    assert_eq!(answer.str("/renew_url"), "https://vendor.example.com/renew");
    let refused = stage.kit().get(&file("2.0.0")).await;
    let refused = refused.expect_problem(403, "version_not_covered");
    assert_eq!(
        refused.str("/renew_url"),
        "https://vendor.example.com/renew"
    );
    stage.app.stop().await;
}

both!(a_rollout_is_set_followed_halted_and_resumed);
async fn a_rollout_is_set_followed_halted_and_resumed(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let now = || stage.app.app.clock.now();
    let step = |seconds: i64, percent: u8| json!({ "at": now().plus_seconds(seconds).to_string(), "percent": percent });
    let steps = json!({ "steps": [step(0, 0), step(10 * DAY, 100)] });
    let set = stage.acted(&id, "rollout", &steps).await;
    assert_eq!(set["rollout"], steps["steps"]);
    assert_eq!(
        stage.offered("version=1.0.0&manual=true").await,
        None,
        "at 0 %"
    );
    stage.app.clock.advance(DAY);
    assert_eq!(
        stage.offered("version=1.0.0&manual=true").await.as_deref(),
        Some("1.1.0"),
        "by hand"
    );
    stage.app.clock.advance(9 * DAY);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    let halted = stage.acted(&id, "halt", &json!({})).await;
    assert!(halted["halted_at"].is_string());
    for severity in ["normal", "critical"] {
        stage
            .edit(&id, &json!({ "severity": severity }))
            .await
            .expect_status(200);
        assert_eq!(stage.offered("version=1.0.0&manual=true").await, None);
    }
    stage.kit().get(&file("1.1.0")).await.expect_status(200);
    let list = stage.shop.admin.get("/v1/admin/releases?halted=true").await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    let resumed = stage.acted(&id, "resume", &json!({})).await;
    assert_eq!(resumed["halted_at"], Value::Null);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    let none = stage.acted(&id, "rollout", &json!({ "percent": 0 })).await;
    assert_eq!(none["rollout"][0]["percent"], 0);
    assert_eq!(stage.offered("version=1.0.0&manual=true").await, None);
    let all = stage
        .acted(&id, "rollout", &json!({ "percent": 100 }))
        .await;
    assert_eq!(all["rollout"], Value::Null);
    stage.app.stop().await;
}

both!(a_rollout_comes_to_licenses_as_a_whole_and_to_applications_one_by_one);
async fn a_rollout_comes_to_licenses_as_a_whole_and_to_applications_one_by_one(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    stage.acted(&id, "rollout", &json!({ "percent": 50 })).await;
    let kit = stage.kit();
    let mut as_license = std::collections::BTreeSet::new();
    let mut as_application = std::collections::BTreeSet::new();
    for number in 0..24 {
        let install = format!("version=1.0.0&install=i-{number}");
        as_license.insert(offered(&kit, &install).await);
        let application = format!("{install}&platform=linux");
        let first = offered(&kit, &application).await;
        assert_eq!(
            offered(&kit, &application).await,
            first,
            "the same each time"
        );
        as_application.insert(first);
    }
    assert_eq!(as_license.len(), 1, "a team sees one version");
    assert_eq!(as_application.len(), 2, "some of 24 installations, not all");
    let open = format!("/v1/admin/kits/{KIT}");
    let opened = stage
        .shop
        .admin
        .patch(&open, &json!({ "is_open": true }))
        .await;
    opened.expect_status(200);
    let anybody = stage.app.anonymous();
    assert_eq!(
        offered(&anybody, "version=1.0.0").await,
        None,
        "last in the queue"
    );
    let mut found = std::collections::BTreeSet::new();
    for number in 0..24 {
        let install = format!("version=1.0.0&install=i-{number}");
        found.insert(offered(&anybody, &install).await);
    }
    assert_eq!(found.len(), 2);
    stage.app.stop().await;
}

both!(a_caller_too_old_for_a_release_gets_the_step_in_between);
async fn a_caller_too_old_for_a_release_gets_the_step_in_between(kind: Kind) {
    let stage = stage(kind).await;
    for version in ["1.0.0", "1.5.0", "2.0.0"] {
        stage.release(version).await;
    }
    let id = stage.release("3.0.0").await;
    let minimum = json!({ "minimum_version": "2.0.0" });
    stage.edit(&id, &minimum).await.expect_status(200);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("2.0.0")
    );
    let next = check(&stage.kit(), "version=2.0.0").await;
    assert_eq!(next.str("/release/version"), "3.0.0");
    assert_eq!(next.str("/release/minimum_version"), "2.0.0");
    let compared = next.str("/compare_url");
    let ends = format!("/v1/kits/{KIT}/compare/2.0.0...3.0.0");
    assert!(compared.ends_with(&ends), "{compared}");
    let unknown = check(&stage.kit(), "version=1.2.3").await;
    assert_eq!(unknown.json()["compare_url"], Value::Null);
    assert_eq!(stage.offered("version=3.0.0").await, None);
    assert_eq!(
        stage.offered("version=3.1.0&channel=alpha").await,
        None,
        "no way back"
    );
    stage.app.stop().await;
}

both!(only_files_for_the_callers_machine_are_offered);
async fn only_files_for_the_callers_machine_are_offered(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let admin = &stage.shop.admin;
    let files = [
        ("1.1.0", "a.bin", "?platform=linux&arch=x86_64"),
        ("1.1.0", "b.bin", "?platform=windows"),
        ("1.2.0", "c.bin", "?platform=windows"),
    ];
    let mut ids = std::collections::BTreeMap::new();
    for (version, name, query) in files {
        if !ids.contains_key(version) {
            let draft = json!({ "kit": KIT, "version": version });
            let made = admin.post("/v1/admin/releases", &draft).await;
            ids.insert(version, made.expect_status(201).str("/id"));
        }
        let path = format!(
            "/v1/admin/releases/{}/artifacts/{name}{query}",
            ids[version]
        );
        admin.put(&path, name.into()).await.expect_status(201);
    }
    for id in ids.values() {
        stage.acted(id, "publish", &json!({})).await;
    }
    let names = |reply: &Reply| {
        let reply = reply.json();
        let files = reply["release"]["artifacts"].as_array().cloned();
        let files = files.unwrap_or_default().into_iter();
        files
            .map(|file| file["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let kit = stage.kit();
    for (query, version, expected) in [
        ("", Some("1.2.0"), vec!["c.bin"]),
        ("&platform=windows&arch=arm64", Some("1.2.0"), vec!["c.bin"]),
        ("&platform=linux&arch=x86_64", Some("1.1.0"), vec!["a.bin"]),
        ("&platform=linux&arch=arm64", None, vec![]),
        ("&platform=macos", None, vec![]),
    ] {
        let answer = check(&kit, &format!("version=1.0.0{query}")).await;
        let found = answer.json()["release"]["version"]
            .as_str()
            .map(str::to_owned);
        assert_eq!(found.as_deref(), version, "{query}");
        assert_eq!(names(&answer), expected, "{query}");
    }
    let everywhere = check(&kit, "version=0.1.0&platform=macos").await;
    assert_eq!(
        everywhere.str("/release/version"),
        "1.0.0",
        "a file for all machines"
    );
    for bad in [
        "?platform=Linux",
        "?arch=x%00",
        "?platform=",
        "?arch=%C3%A9",
    ] {
        let path = format!("/v1/admin/releases/{}/artifacts/d.bin{bad}", ids["1.1.0"]);
        let refused = admin.put(&path, b"d".to_vec()).await;
        refused.expect_problem(422, "invalid_field");
    }
    stage.app.stop().await;
}

both!(an_open_kit_is_everybodys_and_a_wrong_key_is_still_told);
async fn an_open_kit_is_everybodys_and_a_wrong_key_is_still_told(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let anybody = stage.app.anonymous();
    let updates = format!("/v1/kits/{KIT}/updates?version=1.0.0");
    anybody
        .get(&updates)
        .await
        .expect_problem(401, "unauthorized");
    anybody
        .get(&file("1.0.0"))
        .await
        .expect_problem(401, "unauthorized");
    let path = format!("/v1/admin/kits/{KIT}");
    let opened = stage
        .shop
        .admin
        .patch(&path, &json!({ "is_open": true }))
        .await;
    assert_eq!(opened.expect_status(200).json()["is_open"], true);
    assert_eq!(
        anybody.get(&file("1.0.0")).await.expect_status(200).bytes,
        b"1.0.0"
    );
    let answer = check(&anybody, "version=1.0.0&nonce=n").await;
    assert_eq!(answer.str("/release/version"), "1.1.0");
    let keys = stage.keys().await;
    let expected = stage.expected(Some("n"));
    let claims = verify_update(&answer.str("/manifest"), &keys, &expected).unwrap();
    assert_eq!((claims.sub.as_str(), claims.available), ("-", true));
    let wrong = stage.app.kit("kwl_wrong");
    wrong.get(&updates).await.expect_problem(401, "key_unknown");
    wrong
        .get(&file("1.0.0"))
        .await
        .expect_problem(401, "key_unknown");
    let unset = stage.app.kit("${KIT_TOKEN}");
    unset
        .get(&updates)
        .await
        .expect_problem(401, "variable_not_set");
    let pro = json!({ "required_entitlements": ["pro"] });
    stage.edit(&id, &pro).await.expect_status(200);
    let refused = anybody.get(&file("1.1.0")).await;
    refused.expect_problem(403, "entitlement_missing");
    assert_eq!(offered(&anybody, "version=1.0.0").await, None);
    stage.app.clock.advance(400 * DAY);
    stage.release("2.0.0").await;
    assert_eq!(
        offered(&anybody, "version=1.0.0").await.as_deref(),
        Some("2.0.0")
    );
    let owner = check(&stage.kit(), "version=1.0.0").await;
    assert_eq!(
        owner.str("/release/version"),
        "2.0.0",
        "no less than anybody"
    );
    let other = "/v1/kits/rate-limiter/updates?version=1.0.0";
    anybody.get(other).await.expect_problem(401, "unauthorized");
    let missing = "/v1/kits/no-such-kit/updates?version=1.0.0";
    anybody
        .get(missing)
        .await
        .expect_problem(401, "unauthorized");
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

both!(bad_rollouts_and_reasons_are_refused_and_named);
async fn bad_rollouts_and_reasons_are_refused_and_named(kind: Kind) {
    let stage = stage(kind).await;
    let id = stage.release("1.0.0").await;
    let at = |text: &str, percent: i64| json!({ "at": text, "percent": percent });
    let (one, two) = ("2027-03-01T00:00:00Z", "2027-03-02T00:00:00Z");
    let many: Vec<Value> = (0..51)
        .map(|n| at(&format!("2027-03-01T00:00:{n:02}Z"), 1))
        .collect();
    for (body, field) in [
        (json!({}), "percent"),
        (json!({ "percent": 1, "steps": [] }), "percent"),
        (json!({ "percent": -1 }), "percent"),
        (json!({ "percent": 101 }), "percent"),
        (json!({ "percent": 0.5 }), "percent"),
        (json!({ "steps": [] }), "steps"),
        (json!({ "steps": many }), "steps"),
        (json!({ "steps": [at(two, 1), at(one, 2)] }), "steps"),
        (json!({ "steps": [at(one, 1), at(one, 2)] }), "steps"),
        (json!({ "steps": [at(one, 101)] }), "steps"),
        (json!({ "steps": [at(one, -1)] }), "steps"),
        (json!({ "steps": [at(one, 1_000)] }), "steps"),
        (json!({ "steps": [at("soon", 1)] }), "steps"),
        (json!({ "steps": [{ "at": one }] }), "steps"),
    ] {
        let refused = stage.act(&id, "rollout", &body).await;
        let refused = refused.expect_problem(422, "invalid_field");
        assert!(
            refused.str("/field").starts_with(field),
            "{body} {}",
            refused.text()
        );
    }
    for reason in ["", " ", "a\nb", "a\u{0}b", "\u{202e}x", &"x".repeat(501)] {
        for verb in ["yank", "withdraw"] {
            let refused = stage.act(&id, verb, &json!({ "reason": reason })).await;
            assert_eq!(
                refused.expect_problem(422, "invalid_field").str("/field"),
                "reason"
            );
        }
    }
    let missing = "/v1/admin/releases/rel_01jhmz3e5afkt9ymv5n2e8wqc4/halt";
    let missing = stage.shop.admin.post(missing, &json!({})).await;
    missing.expect_problem(404, "not_found");
    stage.app.stop().await;
}

both!(bad_questions_for_updates_are_refused_and_named);
async fn bad_questions_for_updates_are_refused_and_named(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let kit = stage.kit();
    let long = "x".repeat(257);
    for (query, field) in [
        ("version=1".to_owned(), "version"),
        (format!("version=1.0.0-{long}"), "version"),
        ("version=1.0.0&channel=nightly".to_owned(), "channel"),
        ("version=1.0.0&platform=Win".to_owned(), "platform"),
        ("version=1.0.0&platform=".to_owned(), "platform"),
        (format!("version=1.0.0&arch={long}"), "arch"),
        ("version=1.0.0&arch=a%00".to_owned(), "arch"),
        ("version=1.0.0&install=".to_owned(), "install"),
        ("version=1.0.0&install=a%0Ab".to_owned(), "install"),
        (format!("version=1.0.0&install={long}"), "install"),
        (format!("version=1.0.0&nonce={long}"), "nonce"),
        ("version=1.0.0&manual=perhaps".to_owned(), "query"),
    ] {
        let path = format!("/v1/kits/{KIT}/updates?{query}");
        let refused = kit.get(&path).await.expect_problem(422, "invalid_field");
        assert_eq!(refused.str("/field"), field, "{query}");
    }
    stage.app.stop().await;
}

/// What a kit does with a manifest: what `docs/key-format.md` asks for.
fn take(
    manifest: &str,
    keys: &PublicKeys,
    expected: &Expected<'_>,
    (license, highest_seen): (&str, &str),
) -> Result<UpdateClaims, String> {
    let claims = verify_update(manifest, keys, expected).map_err(|error| error.to_string())?;
    if claims.sub != license {
        return Err("for another license".to_owned());
    }
    let parse = |text: &str| kitward::releases::model::parse_version(text).unwrap();
    let offered = claims
        .release
        .as_ref()
        .map(|release| parse(&release.version));
    if offered.is_some_and(|offered| offered <= parse(highest_seen)) {
        return Err("not newer than what was seen".to_owned());
    }
    Ok(claims)
}

both!(a_replayed_old_manifest_is_refused);
async fn a_replayed_old_manifest_is_refused(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.1.0").await;
    let (keys, license) = (stage.keys().await, stage.license().await);
    let old = check(&stage.kit(), "version=1.0.0&nonce=first")
        .await
        .str("/manifest");
    let take = |expected: &Expected<'_>, seen: &str| {
        take(&old, &keys, expected, (&license, seen)).map(|_claims| ())
    };
    assert_eq!(take(&stage.expected(Some("first")), "1.0.0"), Ok(()));
    let other = take(&stage.expected(Some("second")), "1.0.0");
    assert_eq!(
        other,
        Err(VerifyError::WrongNonce.to_string()),
        "another question's"
    );
    let lower = take(&stage.expected(None), "1.1.0");
    assert_eq!(lower, Err("not newer than what was seen".to_owned()));
    stage.app.clock.advance(DAY);
    let late = take(&stage.expected(Some("first")), "1.0.0");
    assert_eq!(late, Err(VerifyError::Expired.to_string()));
    stage.app.stop().await;
}

both!(a_manifest_for_another_license_or_kit_is_refused);
async fn a_manifest_for_another_license_or_kit_is_refused(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.1.0").await;
    let (keys, first) = (stage.keys().await, stage.license().await);
    let other = stage.shop.buy(&stage.app).await;
    let theirs = check(&stage.app.kit(&other.key), "version=1.0.0").await;
    let theirs = theirs.str("/manifest");
    let expected = stage.expected(None);
    let refused = take(&theirs, &keys, &expected, (&first, "1.0.0"));
    assert_eq!(refused, Err("for another license".to_owned()));
    let elsewhere = Expected {
        audience: "rate-limiter",
        ..expected
    };
    let refused = verify_update(&theirs, &keys, &elsewhere);
    assert_eq!(refused, Err(VerifyError::WrongAudience));
    stage.app.stop().await;
}

both!(a_manifest_with_a_swapped_signature_is_refused);
async fn a_manifest_with_a_swapped_signature_is_refused(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.1.0").await;
    let keys = stage.keys().await;
    let (kit, expected) = (stage.kit(), stage.expected(None));
    let offer = check(&kit, "version=1.0.0").await.str("/manifest");
    let none = check(&kit, "version=1.1.0").await.str("/manifest");
    let split = |token: &str| {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        (signed.to_owned(), signature.to_owned())
    };
    let swapped = format!("{}.{}", split(&offer).0, split(&none).1);
    let refused = verify_update(&swapped, &keys, &expected);
    assert_eq!(refused, Err(VerifyError::BadSignature));
    assert!(verify_update(&offer, &keys, &expected).is_ok());
    stage.app.stop().await;
}
