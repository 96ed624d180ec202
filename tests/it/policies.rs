//! Policies: what they may hold, their versions, and putting licenses under other terms.

mod applying;

use futures_util::future::join_all;
use kitward_tests::{Actor, Kind, Reply, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

const POLICIES: &str = "/v1/admin/policies";

async fn shop(kind: Kind) -> (TestApp, Shop) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    (app, shop)
}

async fn call(app: &TestApp, verb: &str, key: &str, device: &str) -> Reply {
    let body = json!({ "key": key, "kit": "feedback-widget", "device": device });
    let path = format!("/v1/licenses/{verb}");
    app.anonymous().post(&path, &body).await.expect_status(200)
}

async fn edit(admin: &Actor, change: &Value) -> Reply {
    let path = format!("{POLICIES}/personal");
    admin.patch(&path, change).await.expect_status(200)
}

both!(every_member_of_the_terms_is_taken_and_told);
async fn every_member_of_the_terms_is_taken_and_told(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let text = json!({ "name": "standard", "body": "Use it well." });
    let texts = "/v1/admin/license-texts";
    let text = shop.admin.post(texts, &text).await.expect_status(201);
    let whole = json!({
        "name": "whole", "edition": "Studio", "license_text_id": text.str("/id"),
        "scope": "kits", "kits": ["rate-limiter", "feedback-widget"], "seat_kind": "site",
        "seat_limit": 10, "lease_seconds": 600, "overage_seats": 2, "overage_percent": null,
        "churn_seats": 3, "churn_days": 30, "free_unseen_days": 90,
        "staging_hosts": ["*.staging.example.com"], "valid_months": null, "valid_days": 400,
        "basis": "first_activation", "on_lapse": "keep", "keep_after_paid_months": 6,
        "updates_months": 24, "security_grace_days": 90, "grace_days": 14,
        "license_file_days": 30, "offline_file_days": 180, "entitlements": ["pro", "sso"],
        "ci_use": false, "renew_url": "https://example.com/renew",
    });
    let made = shop.admin.post(POLICIES, &whole).await.expect_status(201);
    let shown = shop
        .admin
        .get(&format!("{POLICIES}/whole"))
        .await
        .expect_status(200);
    assert_eq!(shown.json(), made.json());
    assert_eq!(shown.header("etag"), "\"1\"");
    for (member, value) in whole.as_object().unwrap() {
        if member != "kits" {
            assert_eq!(&shown.json()[member], value, "{member}");
        }
    }
    assert_eq!(shown.json()["kits"].as_array().unwrap().len(), 2);
    app.stop().await;
}

both!(what_does_not_fit_is_refused_by_the_name_of_its_member);
async fn what_does_not_fit_is_refused_by_the_name_of_its_member(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let refused = [
        ("edition", json!({ "edition": "" })),
        ("edition", json!({ "edition": null })),
        ("edition", json!({ "edition": "a\u{202e}b" })),
        ("seats", json!({ "seats": 5 })),
        ("template", json!({ "template": "gold" })),
        ("scope", json!({ "scope": "everything" })),
        ("kits", json!({ "scope": "all" })),
        ("kits", json!({ "kits": [] })),
        ("kits", json!({ "kits": ["no-such-kit"] })),
        ("kits", json!({ "kits": ["a\u{0}"] })),
        ("seat_limit", json!({ "seat_limit": -1 })),
        ("seat_limit", json!({ "seat_limit": 2_147_483_648_i64 })),
        ("seat_limit", json!({ "seat_limit": "5" })),
        ("valid_months", json!({ "valid_months": 1e99 })),
        ("grace_days", json!({ "grace_days": 367 })),
        ("license_file_days", json!({ "license_file_days": 0 })),
        ("entitlements", json!({ "entitlements": vec!["x"; 2] })),
        (
            "entitlements",
            json!({ "entitlements": (0..2_000).map(|n| n.to_string()).collect::<Vec<_>>() }),
        ),
        (
            "staging_hosts",
            json!({ "seat_kind": "site", "staging_hosts": ["*"] }),
        ),
        (
            "license_text_id",
            json!({ "license_text_id": "ltx_01jhmz3e5afkt9ymv5n2e8wqc4" }),
        ),
        ("license_text_id", json!({ "license_text_id": 7 })),
        ("renew_url", json!({ "renew_url": "javascript:alert(1)" })),
        ("name", json!({ "name": "\u{200b}" })),
    ];
    for (field, change) in refused {
        let mut body = json!({ "name": "new", "edition": "New", "kits": ["feedback-widget"] });
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        let reply = shop.admin.post(POLICIES, &body).await;
        let reply = reply.expect_problem(422, "invalid_field");
        let told = reply.str("/field");
        assert!(
            told.starts_with(field) || change.get("template").is_some(),
            "{told} {change}"
        );
        // An edit refuses the same, but a new scope of all drops the kits.
        if !["template", "name"].contains(&field) && change.get("scope") != Some(&json!("all")) {
            let path = format!("{POLICIES}/personal");
            let reply = shop.admin.patch(&path, &change).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert!(reply.str("/field").starts_with(field), "{change}");
        }
    }
    let twice = r#"{"name":"new","kits":["feedback-widget"],"edition":"A","edition":"B"}"#;
    let request = shop.admin.request(Method::POST, POLICIES);
    let request = request
        .header("content-type", "application/json")
        .body(twice);
    let reply = shop.admin.send(request).await;
    assert_eq!(
        reply.expect_problem(422, "invalid_field").str("/field"),
        "edition"
    );
    let all = shop.admin.get(POLICIES).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
    assert_eq!(all["items"][0]["version"], 1);
    app.stop().await;
}

both!(a_template_hides_the_rest);
async fn a_template_hides_the_rest(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let listed = shop
        .admin
        .get("/v1/admin/policy-templates")
        .await
        .expect_status(200)
        .json();
    let names: Vec<&str> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["template"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "perpetual",
            "all_access",
            "single_kit",
            "trial",
            "floating_team"
        ]
    );
    for item in listed["items"].as_array().unwrap() {
        let name = item["template"].as_str().unwrap();
        let mut body = json!({ "name": name, "template": name, "grace_days": 3 });
        if item["scope"] == "kits" {
            body["kits"] = json!(["feedback-widget"]);
        }
        let made = shop
            .admin
            .post(POLICIES, &body)
            .await
            .expect_status(201)
            .json();
        for (member, value) in item.as_object().unwrap() {
            if !["grace_days", "description"].contains(&member.as_str()) {
                assert_eq!(&made[member], value, "{name}: {member}");
            }
        }
        assert_eq!(made["grace_days"], 3);
    }
    app.stop().await;
}

both!(an_edit_is_the_next_version_and_licenses_keep_theirs);
async fn an_edit_is_the_next_version_and_licenses_keep_theirs(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let before = shop.buy(&app).await;
    let path = format!("{POLICIES}/personal");
    let first = shop.admin.get(&path).await;
    let tagged = shop.admin.clone().with("if-match", first.header("etag"));
    let change = json!({ "seat_limit": 2, "kits": ["feedback-widget", "rate-limiter"] });
    let second = tagged.patch(&path, &change).await.expect_status(200);
    assert_eq!(second.str("/terms_number"), "2");
    assert_ne!(second.str("/terms_id"), first.str("/terms_id"));
    assert_eq!(second.str("/updates_months"), first.str("/updates_months"));
    // Who looked before that does not overwrite it.
    let stale = tagged.patch(&path, &json!({ "seat_limit": 9 })).await;
    let stale = stale.expect_problem(412, "precondition_failed");
    assert_eq!(stale.str("/version"), "2");
    // A name is no term.
    let renamed = edit(
        &shop.admin,
        &json!({ "name": "solo", "renew_url": "https://example.com/r" }),
    )
    .await;
    assert_eq!(
        (renamed.str("/terms_number"), renamed.header("etag")),
        ("2".to_owned(), "\"3\"")
    );
    shop.admin.get(&path).await.expect_problem(404, "not_found");
    let path = format!("{POLICIES}/solo");
    let cleared = shop
        .admin
        .patch(&path, &json!({ "renew_url": "" }))
        .await
        .json();
    assert_eq!(cleared["renew_url"], Value::Null);
    let versions = shop
        .admin
        .get(&format!("{path}/versions"))
        .await
        .expect_status(200)
        .json();
    let limits: Vec<&Value> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| &v["seat_limit"])
        .collect();
    assert_eq!(limits, [&json!(5), &json!(2)]);
    assert_eq!(versions["items"][0]["kits"].as_array().unwrap().len(), 1);
    let after = shop.buy(&app).await;
    let limit = |look: &Reply| look.str("/license/seats/limit");
    assert_eq!(limit(&call(&app, "validate", &before.key, "a").await), "5");
    assert_eq!(limit(&call(&app, "validate", &after.key, "a").await), "2");
    app.stop().await;
}

both!(simultaneous_edits_of_one_version_are_one);
async fn simultaneous_edits_of_one_version_are_one(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let path = format!("{POLICIES}/personal");
    let tagged = shop.admin.clone().with("if-match", "\"1\"");
    let edits = (1..=8).map(|limit| {
        let (tagged, path) = (tagged.clone(), path.clone());
        async move {
            tagged
                .patch(&path, &json!({ "seat_limit": limit + 10 }))
                .await
                .status
        }
    });
    let statuses = join_all(edits).await;
    let taken = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(taken, 1, "{statuses:?}");
    assert!(
        statuses.iter().all(|status| [200, 412].contains(status)),
        "{statuses:?}"
    );
    assert_eq!(shop.admin.get(&path).await.str("/terms_number"), "2");
    Shop::policy(&shop.admin, "team", &json!({})).await;
    let taken = shop.admin.patch(&path, &json!({ "name": "team" })).await;
    assert_eq!(taken.expect_problem(409, "conflict").str("/field"), "name");
    app.stop().await;
}

both!(a_changed_license_text_gets_the_next_number);
async fn a_changed_license_text_gets_the_next_number(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let path = "/v1/admin/license-texts";
    let adds = (0..8).map(|n| {
        let admin = shop.admin.clone();
        let body = json!({ "name": "standard", "body": format!("Version {n}\r\nof the terms.") });
        async move { admin.post(path, &body).await.expect_status(201) }
    });
    let mut numbers: Vec<i64> = join_all(adds)
        .await
        .iter()
        .map(|reply| reply.json()["number"].as_i64().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    let other = json!({ "name": "other", "body": "<b>Bold</b>" });
    let other = shop.admin.post(path, &other).await.expect_status(201);
    assert_eq!(other.str("/number"), "1");
    let listed = shop.admin.get(path).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 9);
    assert!(listed["items"][0].get("body").is_none());
    let shown = shop
        .admin
        .get(&format!("{path}/{}", other.str("/id")))
        .await;
    assert_eq!(shown.str("/body"), "<b>Bold</b>");
    shop.admin
        .get(&format!("{path}/ltx_x"))
        .await
        .expect_problem(404, "not_found");
    for (field, body) in [
        ("body", json!({ "name": "x", "body": " " })),
        ("body", json!({ "name": "x", "body": "a\u{0}" })),
        ("name", json!({ "name": "", "body": "x" })),
        ("text", json!({ "name": "x", "body": "x", "text": "x" })),
    ] {
        let reply = shop
            .admin
            .post(path, &body)
            .await
            .expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), field);
    }
    app.stop().await;
}
