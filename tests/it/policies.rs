//! Policies: what they may hold, their versions, and putting licenses under other terms.

use diesel::{RunQueryDsl, sql_query};
use futures_util::future::join_all;
use kitward::db::{DbError, Shard};
use kitward::licenses::model::LicenseId;
use kitward::licenses::store::{self, License};
use kitward::staff::Scope;
use kitward_tests::{Actor, Kind, Purchase, Reply, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

const POLICIES: &str = "/v1/admin/policies";
const APPLY: &str = "/v1/admin/policies/personal/apply";
const DAY: i64 = 86_400;

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

async fn license_of(app: &TestApp, purchase: &Purchase) -> LicenseId {
    let look = call(app, "validate", &purchase.key, "any").await;
    LicenseId::parse(&look.str("/license/id")).unwrap()
}

async fn row(app: &TestApp, id: &LicenseId) -> License {
    let id = id.clone();
    let read = app.app.db.read(move |conn| store::find(conn, &id));
    read.await.unwrap().unwrap().license
}

async fn sql(app: &TestApp, text: String) {
    let write = app.app.db.write(Shard::Wide, move |tx| {
        sql_query(text.clone()).execute(tx.conn())?;
        Ok::<_, DbError>(())
    });
    write.await.unwrap();
}

/// A limit that is no multiple of the policy's 5.
async fn give_own_limit(app: &TestApp, id: &LicenseId) {
    let text = format!("UPDATE licenses SET seat_limit = 7, seat_cap = 7 WHERE id = '{id}'");
    sql(app, text).await;
}

async fn apply(shop: &Shop, body: &Value) -> Value {
    let reply = shop.admin.post(APPLY, body).await;
    reply.expect_status(200).json()
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

fn item<'a>(seen: &'a Value, id: &LicenseId) -> &'a Value {
    let mut items = seen["items"].as_array().unwrap().iter();
    items.find(|item| item["license"] == id.as_str()).unwrap()
}

both!(applying_terms_is_looked_at_first_and_throws_nobody_off);
async fn applying_terms_is_looked_at_first_and_throws_nobody_off(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let full = shop.buy(&app).await;
    let idle = shop.buy(&app).await;
    let own = shop.buy(&app).await;
    for device in ["a", "b", "c"] {
        call(&app, "activate", &full.key, device).await;
    }
    let own_id = license_of(&app, &own).await;
    give_own_limit(&app, &own_id).await;
    edit(
        &shop.admin,
        &json!({ "seat_limit": 2, "updates_months": 6 }),
    )
    .await;
    let later = shop.buy(&app).await;
    let later_id = license_of(&app, &later).await;

    let look = json!({ "preview": true });
    let seen = apply(&shop, &look).await;
    assert_eq!(
        (
            &seen["licenses"],
            &seen["over_limit"],
            &seen["terms_number"]
        ),
        (&json!(3), &json!(1), &json!(2))
    );
    let full_id = license_of(&app, &full).await;
    let item = item(&seen, &full_id);
    assert_eq!(item["seat_limit"], json!({ "from": 5, "to": 2 }));
    assert_eq!(item["over_limit"], true);
    // Ends never come earlier unasked.
    assert_eq!(item["updates_until"]["from"], item["updates_until"]["to"]);
    let item = self::item(&seen, &own_id);
    assert_eq!(
        (&item["own_limit"], &item["seat_limit"]["to"]),
        (&json!(true), &json!(7))
    );

    let go = json!({ "preview": false, "terms_number": 2 });
    let refused = shop
        .admin
        .post(APPLY, &go)
        .await
        .expect_problem(409, "seats_stranded");
    assert_eq!(refused.str("/licenses"), "1");
    assert_eq!(row(&app, &full_id).await.seat_limit, Some(5));

    let go = json!({ "preview": false, "terms_number": 2, "over_limit_days": 14, "limit": 2 });
    let done = apply(&shop, &go).await;
    assert_eq!(done["changed"], 2);
    let mut rest = go.clone();
    rest["cursor"] = done["next_cursor"].clone();
    let rest = apply(&shop, &rest).await;
    assert_eq!(
        (&rest["changed"], &rest["next_cursor"]),
        (&json!(1), &Value::Null)
    );
    let over = [&done, &rest].map(|slice| slice["over_limit"].as_i64().unwrap());
    assert_eq!(over[0] + over[1], 1);
    // Sent again it finds nothing to do.
    let again = apply(&shop, &go).await;
    assert_eq!(again["changed"], 0);

    let changed = row(&app, &full_id).await;
    assert_eq!(
        (changed.seat_limit, changed.seat_cap, changed.seats_used),
        (Some(2), Some(2), 3)
    );
    assert_eq!(
        changed.over_limit_until.unwrap().unix(),
        app.now() + 14 * DAY
    );
    let other = row(&app, &license_of(&app, &idle).await).await;
    assert_eq!((other.seat_limit, other.over_limit_until), (Some(2), None));
    assert_eq!(row(&app, &own_id).await.seat_limit, Some(7));
    assert_eq!(row(&app, &later_id).await.terms_id, changed.terms_id);
    let here = call(&app, "activate", &full.key, "c").await;
    assert_eq!(here.str("/valid"), "true");
    let new = call(&app, "activate", &full.key, "d").await;
    assert_eq!(new.str("/code"), "SEATS_EXHAUSTED");
    app.stop().await;
}

both!(limits_of_their_own_and_earlier_ends_change_only_when_asked);
async fn limits_of_their_own_and_earlier_ends_change_only_when_asked(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let purchase = shop.buy(&app).await;
    let id = license_of(&app, &purchase).await;
    give_own_limit(&app, &id).await;
    let before = row(&app, &id).await;
    edit(
        &shop.admin,
        &json!({ "updates_months": 1, "valid_days": 10, "overage_seats": 1 }),
    )
    .await;
    let go = json!({ "preview": false, "terms_number": 2 });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let kept = row(&app, &id).await;
    assert_eq!(
        (kept.updates_until, kept.valid_until),
        (before.updates_until, None)
    );
    assert_eq!((kept.seat_limit, kept.seat_cap), (Some(7), Some(8)));
    edit(&shop.admin, &json!({ "updates_months": 2 })).await;
    let go = json!({ "preview": false, "terms_number": 3, "seats": true, "dates": true });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let after = row(&app, &id).await;
    assert_eq!((after.seat_limit, after.seat_cap), (Some(5), Some(6)));
    assert_eq!(
        after.valid_until.unwrap().unix(),
        after.starts_at.unix() + 10 * DAY
    );
    assert!(after.updates_until < before.updates_until);
    // A longer time is given unasked.
    edit(&shop.admin, &json!({ "valid_days": 20 })).await;
    let go = json!({ "preview": false, "terms_number": 4 });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let longer = row(&app, &id).await;
    assert_eq!(
        longer.valid_until.unwrap().unix(),
        after.starts_at.unix() + 20 * DAY
    );
    app.stop().await;
}

both!(seats_of_another_kind_keep_a_license_as_it_is);
async fn seats_of_another_kind_keep_a_license_as_it_is(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let used = shop.buy(&app).await;
    let idle = shop.buy(&app).await;
    call(&app, "activate", &used.key, "a").await;
    edit(&shop.admin, &json!({ "seat_kind": "site" })).await;
    let go = json!({ "preview": false, "terms_number": 2, "over_limit_days": 1 });
    let done = apply(&shop, &go).await;
    assert_eq!(done["changed"], 1);
    let id = license_of(&app, &used).await;
    let stays = json!([{ "license": id.as_str(), "reason": "seat_kind_in_use" }]);
    assert_eq!(done["standing_still"], stays);
    let look = call(&app, "validate", &used.key, "a").await;
    assert_eq!(
        (look.str("/code"), look.str("/license/seats/kind")),
        ("VALID".into(), "device".into())
    );
    let look = call(&app, "validate", &idle.key, "a").await;
    assert_eq!(look.str("/license/seats/kind"), "site");
    app.stop().await;
}

both!(terms_are_applied_by_who_saw_them_and_each_change_is_on_record);
async fn terms_are_applied_by_who_saw_them_and_each_change_is_on_record(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let purchase = shop.buy(&app).await;
    edit(&shop.admin, &json!({ "seat_limit": 6 })).await;
    edit(&shop.admin, &json!({ "seat_limit": 7 })).await;
    let stale = json!({ "preview": false, "terms_number": 2 });
    let stale = shop
        .admin
        .post(APPLY, &stale)
        .await
        .expect_problem(412, "precondition_failed");
    assert_eq!(stale.str("/terms_number"), "3");
    for (field, body) in [
        ("terms_number", json!({ "preview": false })),
        (
            "over_limit_days",
            json!({ "preview": true, "over_limit_days": 0 }),
        ),
        (
            "over_limit_days",
            json!({ "preview": true, "over_limit_days": 400 }),
        ),
        ("limit", json!({ "preview": true, "limit": 101 })),
        ("cursor", json!({ "preview": true, "cursor": "a b" })),
        ("force", json!({ "preview": true, "force": true })),
    ] {
        let reply = shop
            .admin
            .post(APPLY, &body)
            .await
            .expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), field);
    }
    let look = json!({ "preview": true });
    for scope in [Scope::Read, Scope::Publish] {
        let other = app.token(scope).await;
        other
            .post(APPLY, &look)
            .await
            .expect_problem(403, "insufficient_scope");
    }
    shop.admin
        .post(&format!("{POLICIES}/none/apply"), &look)
        .await
        .expect_problem(404, "not_found");
    let go = json!({ "preview": false, "terms_number": 3 });
    shop.admin.post(APPLY, &go).await.expect_status(200);
    let id = license_of(&app, &purchase).await;
    assert_eq!(row(&app, &id).await.seat_limit, Some(7));
    for (action, subject) in [
        ("license.terms_changed", id.as_str()),
        ("policy.applied", shop.policy.as_str()),
        ("policy.changed", shop.policy.as_str()),
    ] {
        assert!(audited(&app, action, subject).await > 0, "{action}");
    }
    app.stop().await;
}

async fn audited(app: &TestApp, action: &'static str, subject: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Number {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let query = format!(
        "SELECT COUNT(*) AS number FROM audit_log WHERE action = '{action}' AND subject = '{subject}'"
    );
    let read = app.app.db.read_slow(move |conn| {
        let rows: Vec<Number> = sql_query(query).load(conn)?;
        Ok::<_, DbError>(rows[0].number)
    });
    read.await.unwrap()
}

both!(a_seat_taken_while_terms_are_applied_is_never_beyond_both_limits);
async fn a_seat_taken_while_terms_are_applied_is_never_beyond_both_limits(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let purchase = shop.buy(&app).await;
    call(&app, "activate", &purchase.key, "first").await;
    edit(&shop.admin, &json!({ "seat_limit": 1 })).await;
    let go = json!({ "preview": false, "terms_number": 2 });
    let apply = shop.admin.post(APPLY, &go);
    let takes = join_all((0..8).map(|n| {
        let (app, key) = (&app, purchase.key.as_str());
        async move { call(app, "activate", key, &format!("device-{n}")).await }
    }));
    let (outcome, answers) = futures_util::future::join(apply, takes).await;
    let granted = answers
        .iter()
        .filter(|reply| reply.str("/valid") == "true")
        .count();
    let license = row(&app, &license_of(&app, &purchase).await).await;
    assert_eq!(usize::try_from(license.seats_used).unwrap(), granted + 1);
    // Either it came first and no more seats were given, or it saw the seats and let all be.
    match license.seat_limit {
        Some(1) => assert_eq!((outcome.status, granted), (200, 0)),
        limit => assert_eq!((limit, granted), (Some(5), 4), "{}", outcome.text()),
    }
    app.stop().await;
}
