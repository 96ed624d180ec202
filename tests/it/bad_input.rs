//! Whatever is sent, the answer is a documented refusal and never a failure of the server.

mod addresses;
mod licenses;

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

/// Who calls it: kits have their key in the body, and no credential beside it.
fn caller(app: &TestApp, shop: &Shop, route: &Route) -> Actor {
    if route.is_lenient {
        app.anonymous()
    } else {
        shop.admin.clone()
    }
}

async fn opened(kind: Kind) -> (TestApp, Shop, Purchase) {
    let app = TestApp::builder()
        .without_request_limits()
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
        let caller = caller(&app, &shop, &route);
        let fields: Vec<String> = route.body.as_object().unwrap().keys().cloned().collect();
        for field in &fields {
            for value in odd_values().into_iter().chain(wrong_types()) {
                let body = with(&route.body, field, value);
                let reply = send(&caller, &route, body.to_string()).await;
                let shown: String = body.to_string().chars().take(300).collect();
                expect_documented(&reply, &format!("{} {field} {shown}", route.path));
            }
        }
        // The server is well.
        let right = send(&caller, &route, route.body.to_string()).await;
        expect_documented(&right, &route.path);
    }
    app.anonymous().get("/readyz").await.expect_status(200);
    app.stop().await;
}

both!(a_field_of_a_wrong_type_or_left_out_is_named);
async fn a_field_of_a_wrong_type_or_left_out_is_named(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    for route in routes(&purchase, "CI") {
        let caller = caller(&app, &shop, &route);
        for (field, right) in route.body.as_object().unwrap() {
            let wrong = if right.is_string() {
                json!(7)
            } else {
                json!("x")
            };
            let body = with(&route.body, field, wrong).to_string();
            let reply = send(&caller, &route, body).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert_eq!(&reply.str("/field"), field, "{}", route.path);
        }
        for field in route.required {
            let body = without(&route.body, field).to_string();
            let reply = send(&caller, &route, body).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert!(reply.str("/detail").contains(field), "{}", reply.text());
            let body = with(&route.body, field, Value::Null).to_string();
            let reply = send(&caller, &route, body).await;
            reply.expect_problem(422, "invalid_field");
        }
    }
    app.stop().await;
}

both!(a_body_that_is_no_such_body_is_told_so);
async fn a_body_that_is_no_such_body_is_told_so(kind: Kind) {
    let (app, shop, purchase) = opened(kind).await;
    for route in routes(&purchase, "CI") {
        let caller = caller(&app, &shop, &route);
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
            let reply = send(&caller, &route, body.as_str()).await;
            reply.expect_problem(status, code);
        }
        let reply = send(&caller, &route, deep).await;
        reply.expect_problem(422, "invalid_field");
        // JSON, but no text.
        let (first, _) = route.body.as_object().unwrap().iter().next().unwrap();
        let body = with(&route.body, first, json!("@")).to_string();
        let reply = send(&caller, &route, body.replace("\"@\"", "\"\\ud800\"")).await;
        reply.expect_problem(422, "invalid_field");
        let unknown = format!("{{{inside},\"of_a_newer_version\":[[1]]}}");
        let reply = send(&caller, &route, unknown).await;
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
            let request = caller.request(route.method.clone(), &route.path);
            let request = request.header("content-type", media).body(right.clone());
            let reply = caller.send(request).await;
            reply.expect_problem(415, "unsupported_media_type");
        }
        let broken = caller.request(route.method.clone(), &route.path);
        let broken = broken.header("content-type", "application/json; charset=utf-8");
        let reply = caller
            .send(broken.body(b"{\"key\":\"\xff\"}".to_vec()))
            .await;
        reply.expect_problem(400, "malformed_json");
    }
    app.stop().await;
}
