//! Whatever is sent, the answer is a documented refusal and never a failure of the server.

use kitward::http::Code;
use kitward_tests::{Actor, Kind, Purchase, Reply, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// An address with a body it takes.
struct Route {
    method: Method,
    path: String,
    body: Value,
    required: &'static [&'static str],
    /// Whether a newer caller may send what this server does not know.
    is_lenient: bool,
}

fn routes(purchase: &Purchase, token: &str) -> Vec<Route> {
    let mut routes = Vec::new();
    let mut add = |method, path: &str, body, required| {
        routes.push(Route {
            method,
            path: path.to_owned(),
            body,
            required,
            is_lenient: path.starts_with("/v1/licenses"),
        });
    };
    for verb in ["activate", "validate", "deactivate"] {
        let ask = json!({
            "key": purchase.key, "kit": "feedback-widget", "device": "machine", "name": "Laptop",
            "version": "1.0.0", "platform": "linux", "nonce": "n",
        });
        add(
            Method::POST,
            &format!("/v1/licenses/{verb}"),
            ask,
            &["key", "kit"],
        );
    }
    for kind in ["site", "user", "project"] {
        let ask = json!({ "key": purchase.key, "kit": "feedback-widget", kind: "example.com" });
        add(Method::POST, "/v1/licenses/activate", ask, &["key", "kit"]);
    }
    let kit = json!({
        "slug": "changelog", "name": "Changelog", "description": "A kit.", "ecosystems": ["npm"],
        "homepage": "https://example.com", "status": "released",
    });
    add(
        Method::POST,
        "/v1/admin/kits",
        kit.clone(),
        &["slug", "name"],
    );
    let mut edit = kit;
    edit.as_object_mut().unwrap().remove("ecosystems");
    add(Method::PATCH, "/v1/admin/kits/rate-limiter", edit, &[]);
    let policy = json!({
        "name": "team", "edition": "Team", "scope": "kits", "kits": ["feedback-widget"],
        "seat_kind": "device", "seat_limit": 5, "updates_months": 12, "valid_months": 12,
        "license_file_days": 14,
    });
    add(
        Method::POST,
        "/v1/admin/policies",
        policy,
        &["name", "edition"],
    );
    let price = json!({
        "external_id": "price_x", "policies": ["personal"], "quantity_rule": "seats",
    });
    add(
        Method::POST,
        "/v1/admin/prices",
        price,
        &["external_id", "policies"],
    );
    let release = json!({
        "kit": "feedback-widget", "version": "1.0.0", "channel": "stable", "severity": "normal",
        "notes": "Better.",
    });
    add(
        Method::POST,
        "/v1/admin/releases",
        release,
        &["kit", "version"],
    );
    let new = json!({ "name": token, "scopes": ["read"], "expires_at": "2028-01-01T00:00:00Z" });
    add(Method::POST, "/v1/admin/tokens", new, &["name", "scopes"]);
    routes
}

/// Values of a type that some field does not take.
fn wrong_types() -> Vec<Value> {
    vec![
        json!(true),
        json!(1.5),
        json!(-1),
        json!(u64::MAX),
        json!({}),
        json!([[]]),
        json!([null]),
        json!([{ "a": 1 }]),
    ]
}

/// Values of the right type for one field or another, all of them odd.
fn odd_values() -> Vec<Value> {
    let mut values = vec![
        Value::Null,
        json!(0),
        json!(i32::MAX),
        json!(i64::MAX),
        json!(i64::MIN),
        json!([]),
        json!([""]),
        json!(["a\u{0}b"]),
        json!(vec!["x"; 10_000]),
        json!(["x".repeat(60_000)]),
    ];
    let texts = [
        "",
        " ",
        "a\u{0}b",
        "\u{0}",
        "\u{1b}[31m",
        "a\nb",
        "a\u{202e}b",
        "\u{feff}",
        "\u{fffd}",
        "\u{10ffff}",
        "ex\u{430}mple.com",
        "http://[::1]:99999",
        "xn--\u{430}",
        "xn--a",
        ".",
        "..",
        "../../etc/passwd",
        "%00",
        "' OR 1=1 --",
        "${KIT_TOKEN}",
        "9999-12-31T23:59:59.999999999Z",
        "2027-06-30T23:59:60Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0000-01-01T00:00:00+23:59",
        "99999999999999999999.0.0",
        "-1",
    ];
    values.extend(texts.map(Value::from));
    values.push(Value::from("x".repeat(60_000)));
    values.push(Value::from("\u{fdfa}".repeat(20_000)));
    values.push(Value::from("ü.".repeat(100)));
    values
}

#[track_caller]
fn expect_documented(reply: &Reply, what: &str) {
    assert!(
        reply.status < 500,
        "{what}: {} {}",
        reply.status,
        reply.text()
    );
    if reply.status < 400 {
        return;
    }
    assert_eq!(reply.header("content-type"), "application/problem+json");
    let code = reply.str("/code");
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    let known = known.unwrap_or_else(|| panic!("{what}: the code {code} is not listed"));
    assert_eq!(known.status(), reply.status, "{what}");
    let expected = [400, 404, 409, 413, 415, 422];
    assert!(expected.contains(&reply.status), "{what}: {}", reply.text());
}

async fn send(actor: &Actor, route: &Route, body: impl Into<String>) -> Reply {
    let request = actor.request(route.method.clone(), &route.path);
    let request = request.header("content-type", "application/json");
    actor.send(request.body(body.into())).await
}

fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

fn without(body: &Value, field: &str) -> Value {
    let mut members: Map<String, Value> = body.as_object().unwrap().clone();
    members.remove(field);
    members.into()
}

async fn opened(kind: Kind) -> (TestApp, Shop, Purchase) {
    let app = TestApp::builder()
        .config(|config| {
            config.limits.key_misses_per_minute = 0;
            config.limits.token_requests_per_minute = 0;
        })
        .start(kind)
        .await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    (app, shop, purchase)
}

both!(no_field_of_any_body_makes_the_server_fail);
async fn no_field_of_any_body_makes_the_server_fail(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    for route in routes(&purchase, "CI") {
        let fields: Vec<String> = route.body.as_object().unwrap().keys().cloned().collect();
        for field in &fields {
            for value in odd_values().into_iter().chain(wrong_types()) {
                let body = with(&route.body, field, value);
                let reply = send(&shop.admin, &route, body.to_string()).await;
                let shown: String = body.to_string().chars().take(300).collect();
                expect_documented(&reply, &format!("{} {field} {shown}", route.path));
            }
        }
        // The server is well.
        let right = send(&shop.admin, &route, route.body.to_string()).await;
        expect_documented(&right, &route.path);
    }
    app.anonymous().get("/readyz").await.expect_status(200);
    app.stop().await;
}

both!(a_field_of_a_wrong_type_or_left_out_is_named);
async fn a_field_of_a_wrong_type_or_left_out_is_named(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    for route in routes(&purchase, "CI") {
        for (field, right) in route.body.as_object().unwrap() {
            let wrong = if right.is_string() {
                json!(7)
            } else {
                json!("x")
            };
            let body = with(&route.body, field, wrong).to_string();
            let reply = send(&shop.admin, &route, body).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert_eq!(&reply.str("/field"), field, "{}", route.path);
        }
        for field in route.required {
            let body = without(&route.body, field).to_string();
            let reply = send(&shop.admin, &route, body).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert!(reply.str("/detail").contains(field), "{}", reply.text());
            let body = with(&route.body, field, Value::Null).to_string();
            let reply = send(&shop.admin, &route, body).await;
            reply.expect_problem(422, "invalid_field");
        }
    }
    app.stop().await;
}

both!(a_body_that_is_no_such_body_is_told_so);
async fn a_body_that_is_no_such_body_is_told_so(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    for route in routes(&purchase, "CI") {
        let right = route.body.to_string();
        let inside = &right[1..right.len() - 1];
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        for (body, status, code) in [
            (String::new(), 400, "malformed_request"),
            (" ".to_owned(), 400, "malformed_json"),
            ("{".to_owned(), 400, "malformed_json"),
            (format!("{right}x"), 400, "malformed_json"),
            (format!("{{{inside},}}"), 400, "malformed_json"),
            ("[]".to_owned(), 422, "invalid_field"),
            ("null".to_owned(), 422, "invalid_field"),
            ("\"x\"".to_owned(), 422, "invalid_field"),
            (format!("{{{inside},{inside}}}"), 422, "invalid_field"),
            (
                format!("{right}{}", " ".repeat(64 * 1024)),
                413,
                "payload_too_large",
            ),
        ] {
            let reply = send(&shop.admin, &route, body.as_str()).await;
            reply.expect_problem(status, code);
        }
        let reply = send(&shop.admin, &route, deep).await;
        reply.expect_problem(422, "invalid_field");
        // JSON, but no text.
        let (first, _) = route.body.as_object().unwrap().iter().next().unwrap();
        let body = with(&route.body, first, json!("@")).to_string();
        let reply = send(&shop.admin, &route, body.replace("\"@\"", "\"\\ud800\"")).await;
        reply.expect_problem(422, "invalid_field");
        let unknown = format!("{{{inside},\"of_a_newer_version\":[[1]]}}");
        let reply = send(&shop.admin, &route, unknown).await;
        if route.is_lenient {
            reply.expect_status(200);
        } else {
            reply.expect_problem(422, "invalid_field");
        }
        for media in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
            "\u{ff}",
        ] {
            let request = shop.admin.request(route.method.clone(), &route.path);
            let request = request.header("content-type", media).body(right.clone());
            let reply = shop.admin.send(request).await;
            reply.expect_problem(415, "unsupported_media_type");
        }
        let broken = shop.admin.request(route.method.clone(), &route.path);
        let broken = broken.header("content-type", "application/json; charset=utf-8");
        let reply = shop
            .admin
            .send(broken.body(b"{\"key\":\"\xff\"}".to_vec()))
            .await;
        reply.expect_problem(400, "malformed_json");
    }
    app.stop().await;
}

const WORDS: [&str; 13] = [
    "%00",
    "a%00b",
    "%ff%fe",
    "%20",
    "%2e%2e%2f",
    "..%2f..",
    "%E2%80%AE",
    "'",
    "1e999",
    "-1",
    "18446744073709551616",
    "1.2.3.4",
    "%F0%9F%8E%89",
];

const MANAGEMENT: [&str; 12] = [
    "kits/{}",
    "policies/{}",
    "prices/{}",
    "orders/{}",
    "releases/{}",
    "tokens/{}",
    "kits?limit={}",
    "kits?cursor={}",
    "releases?kit={}",
    "tokens?cursor={}",
    "events?x={}",
    "orders?cursor={}&limit=1",
];

const VERBS: [&str; 4] = [
    "orders/{}/fulfil",
    "events/{}/retry",
    "releases/{}/publish",
    "tokens/{}/revoke",
];

const GATED: [&str; 10] = [
    "{}/updates?version=1.0.0",
    "feedback-widget/updates?version={}",
    "feedback-widget/updates?version=1.0.0&channel={}",
    "feedback-widget/updates?version=1.0.0&nonce={}",
    "feedback-widget/releases?cursor={}",
    "feedback-widget/releases?limit={}",
    "feedback-widget/releases/{}",
    "feedback-widget/releases/{}/artifacts/kit.bin",
    "feedback-widget/releases/1.0.0/artifacts/{}",
    "{}/releases/1.0.0/artifacts/kit.bin",
];

both!(no_path_or_query_makes_the_server_fail);
async fn no_path_or_query_makes_the_server_fail(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"x")
        .await;
    let kit = app.kit(&purchase.key);
    let long = "x".repeat(5_000);
    for word in WORDS.into_iter().chain([long.as_str()]) {
        for pattern in MANAGEMENT {
            let path = format!("/v1/admin/{}", pattern.replace("{}", word));
            expect_documented(&shop.admin.get(&path).await, &path);
        }
        for pattern in VERBS {
            let path = format!("/v1/admin/{}", pattern.replace("{}", word));
            let reply = shop.admin.post(&path, &json!({})).await;
            reply.expect_problem(404, "not_found");
        }
        for pattern in GATED {
            let path = format!("/v1/kits/{}", pattern.replace("{}", word));
            let reply = kit.get(&path).await;
            // A kit that is not there is one that is not owned.
            if reply.status == 403 {
                reply.expect_problem(403, "kit_not_covered");
            } else {
                expect_documented(&reply, &path);
            }
        }
        let path = format!("/v1/downloads/{word}");
        expect_documented(&app.anonymous().get(&path).await, &path);
    }
    app.stop().await;
}

both!(no_header_makes_the_server_fail);
async fn no_header_makes_the_server_fail(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"x")
        .await;
    let kit = app.kit(&purchase.key);
    let values: [&[u8]; 6] = [b"", b"\xff\xfe", b"a b", b"\"", b"Bearer", &[b'x'; 4_000]];
    let body = json!({ "slug": "feedback-widget", "name": "A" });
    let names = [
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-forwarded-for",
        "range",
        "accept",
        "x-content-sha256",
    ];
    for (name, value) in names.into_iter().flat_map(|n| values.map(|v| (n, v))) {
        let post = shop.admin.request(Method::POST, "/v1/admin/kits");
        let patch = shop
            .admin
            .request(Method::PATCH, "/v1/admin/kits/rate-limiter");
        let file = "/v1/kits/feedback-widget/releases/1.0.0/artifacts/kit.bin";
        for request in [
            post.json(&body),
            patch.json(&json!({})),
            kit.request(Method::GET, file),
        ] {
            let reply = shop.admin.send(request.header(name, value)).await;
            assert!(reply.status < 500, "{name} {value:?}: {}", reply.text());
            assert_ne!(reply.status, 201, "{name} {value:?}");
        }
    }
    let anyone = app.anonymous();
    for value in values {
        for path in ["/v1/admin/kits", "/v1/kits/feedback-widget/releases"] {
            let request = anyone.request(Method::GET, path);
            let reply = anyone.send(request.header("authorization", value)).await;
            assert_eq!(reply.status, 401, "{value:?}: {}", reply.text());
        }
    }
    app.stop().await;
}

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

both!(no_address_makes_the_server_fail);
async fn no_address_makes_the_server_fail(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    let kit = app.kit(&purchase.key);
    let license = shop
        .admin
        .get("/v1/admin/licenses")
        .await
        .str("/items/0/id");
    for odd in [
        "%00",
        "a%00b",
        "%ff",
        "%2e%2e%2f",
        "%F0%9F%98%80",
        "-1",
        "9223372036854775808",
    ] {
        for list in [
            "kits",
            "policies",
            "license-texts",
            "prices",
            "orders",
            "events",
            "licenses",
            "customers",
            "releases",
            "tokens",
            "audit",
        ] {
            for path in [
                format!("/v1/admin/{list}/{odd}"),
                format!("/v1/admin/{list}?cursor={odd}"),
                format!("/v1/admin/{list}?limit={odd}"),
            ] {
                let reply = shop.admin.get(&path).await;
                assert!(reply.status < 500, "{path}: {}", reply.text());
            }
        }
        for path in [
            format!("/v1/admin/policies/{odd}/versions?cursor={odd}"),
            format!("/v1/admin/policies/personal/versions?cursor={odd}"),
            format!("/v1/admin/find?q={odd}"),
            format!("/v1/admin/licenses?kit={odd}"),
            format!("/v1/admin/licenses?policy={odd}"),
            format!("/v1/admin/licenses?customer={odd}"),
            format!("/v1/admin/licenses?expiring={odd}"),
            format!("/v1/admin/licenses/export.csv?kit={odd}"),
            format!("/v1/admin/customers?email={odd}@example.com"),
            format!("/v1/admin/licenses/{license}/history?cursor={odd}"),
            format!("/v1/admin/licenses/{license}/keys?cursor={odd}"),
            format!("/v1/admin/licenses/{license}/seats?cursor={odd}"),
            format!("/v1/admin/licenses/{license}/tokens?cursor={odd}"),
            format!("/v1/admin/orders?customer={odd}"),
            format!("/v1/admin/audit?subject={odd}"),
        ] {
            let reply = shop.admin.get(&path).await;
            assert!(reply.status < 500, "{path}: {}", reply.text());
        }
        for path in [
            format!("/v1/kits/{odd}/releases"),
            format!("/v1/kits/feedback-widget/releases?cursor={odd}"),
            format!("/v1/kits/feedback-widget/releases/{odd}"),
            format!("/v1/kits/feedback-widget/releases/1.0.0/artifacts/{odd}"),
            format!("/v1/kits/feedback-widget/updates?version=1.0.0&nonce={odd}"),
            format!("/v1/downloads/{odd}"),
            format!("/k/{odd}/v1/kits/feedback-widget/releases"),
        ] {
            let reply = kit.get(&path).await;
            assert!(reply.status < 500, "{path}: {}", reply.text());
        }
    }
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
