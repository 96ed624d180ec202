//! Bodies of management about licenses, policies and their texts.

use kitward_tests::{Kind, Shop, both};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Route, odd_values, opened, send, with, wrong_types};

/// Calls of one license, with a body each takes.
fn verbs() -> Vec<(&'static str, Value)> {
    let hold = json!({ "hold": "hld_01jhmz3e5afkt9ymv5n2e8wqc4", "note": "x" });
    vec![
        ("suspend", json!({ "cause": "c", "note": "n" })),
        (
            "revoke",
            json!({ "reason": "fraud", "cause": "c", "note": "n" }),
        ),
        ("reinstate", hold),
        ("reinstate", json!({ "reason": "manual", "cause": "c" })),
        ("renew", json!({ "from": "expiry" })),
        ("extend", json!({ "months": 1, "days": 1 })),
        (
            "extend",
            json!({ "valid_until": "2030-01-01T00:00:00Z", "updates_until": null }),
        ),
        (
            "transfer",
            json!({ "email": "other@example.com", "name": "Other" }),
        ),
        (
            "transfer",
            json!({ "customer": "cus_01jhmz3e5afkt9ymv5n2e8wqc4" }),
        ),
        (
            "merge",
            json!({ "into": "lic_01jhmz3e5afkt9ymv5n2e8wqc4", "add_seats": true }),
        ),
        (
            "set-policy",
            json!({ "policy": "personal", "seat_limit": 2, "dates": "restart", "over_limit_days": 3 }),
        ),
        ("note", json!({ "note": "n" })),
        ("rotate", json!({ "grace_seconds": 60 })),
        (
            "import-key",
            json!({ "source": "gumroad", "key": "AAAA-BBBB-CCCC" }),
        ),
        (
            "tokens",
            json!({
                "kind": "publishable", "name": "n", "origins": ["https://example.com"],
                "expires_at": "2028-01-01T00:00:00Z",
            }),
        ),
    ]
}

/// Calls of management about licenses, policies and tokens, with a body each takes.
async fn license_routes(shop: &Shop) -> Vec<Route> {
    let issue = json!({
        "policy": "personal", "email": "odd@example.com", "name": "Odd", "seat_limit": 3,
        "starts_at": "2027-01-01T00:00:00Z", "extra_entitlements": ["sso"],
        "metadata": { "a": "b" }, "note": "A note.",
    });
    let issued = shop.admin.post("/v1/admin/licenses", &issue).await;
    let license = issued.expect_status(201).str("/id");
    let apply = json!({
        "preview": false, "terms_number": 1, "over_limit_days": 3, "seats": true, "dates": true,
        "limit": 5, "cursor": "lic_",
    });
    let verbs = verbs().into_iter();
    let verbs = verbs.map(|(verb, body)| (format!("licenses/{license}/{verb}"), body));
    let others = [
        ("licenses".to_owned(), issue),
        ("find".to_owned(), json!({ "q": "x" })),
        ("policies/personal/apply".to_owned(), apply),
        (
            "license-texts".to_owned(),
            json!({ "name": "EULA", "body": "Text." }),
        ),
    ];
    let posts = verbs.chain(others);
    let mut routes: Vec<Route> = posts
        .map(|(path, body)| route(Method::POST, &path, body))
        .collect();
    let edit = json!({
        "seat_limit": 2, "over_limit_days": 3, "extra_entitlements": ["a"],
        "add_entitlements": ["b"], "remove_entitlements": ["c"], "metadata": { "a": "b" },
    });
    routes.push(route(Method::PATCH, &format!("licenses/{license}"), edit));
    let terms = shop.admin.get("/v1/admin/policies/personal").await.json();
    let mut terms = terms.as_object().unwrap().clone();
    for own in [
        "id",
        "version",
        "terms_id",
        "terms_number",
        "created_at",
        "template",
    ] {
        terms.remove(own);
    }
    routes.push(route(Method::PATCH, "policies/personal", terms.into()));
    routes
}

fn route(method: Method, path: &str, body: Value) -> Route {
    Route {
        method,
        path: format!("/v1/admin/{path}"),
        body,
        required: &[],
        is_lenient: false,
    }
}

both!(no_field_about_licenses_makes_the_server_fail);
async fn no_field_about_licenses_makes_the_server_fail(kind: Kind) {
    let (app, shop, _purchase) = opened(kind).await;
    for route in license_routes(&shop).await {
        let fields: Vec<String> = route.body.as_object().unwrap().keys().cloned().collect();
        for field in &fields {
            for value in odd_values().into_iter().chain(wrong_types()) {
                let body = with(&route.body, field, value);
                let reply = send(&shop.admin, &route, body.to_string()).await;
                let shown: String = body.to_string().chars().take(300).collect();
                let what = format!("{} {field} {shown}", route.path);
                assert!(
                    reply.status < 500,
                    "{what}: {} {}",
                    reply.status,
                    reply.text()
                );
            }
        }
    }
    app.anonymous().get("/readyz").await.expect_status(200);
    app.stop().await;
}

#[test]
fn a_text_of_metadata_that_is_given_twice_is_refused() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let (app, shop, _purchase) = opened(kind).await;
        for route in license_routes(&shop).await {
            if route.body.get("metadata").is_none() {
                continue;
            }
            let twice = route.body.to_string();
            let twice = twice.replace(r#"{"a":"b"}"#, r#"{"a":"b","a":"c"}"#);
            let reply = send(&shop.admin, &route, twice).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert!(
                reply.str("/field").starts_with("metadata"),
                "{}",
                reply.text()
            );
        }
        app.stop().await;
    });
}
