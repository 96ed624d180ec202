//! Conventions of every route.

use std::io::{Read, Write};
use std::net::TcpStream;

use kitward::staff::Scope;
use kitward_tests::{Kind, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

#[test]
fn a_wrong_host_is_told_the_right_address() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        for path in [
            "/",
            "/sign-in",
            "/v1/licenses/validate",
            "/.well-known/jwks.json",
        ] {
            let reply = app.anonymous().with("host", "evil.example").get(path).await;
            let reply = reply.expect_problem(421, "wrong_host");
            assert_eq!(reply.str("/public_url"), format!("{}/", app.origin()));
        }
        for path in ["/healthz", "/readyz"] {
            app.anonymous()
                .with("host", "10.0.0.7")
                .get(path)
                .await
                .expect_status(200);
        }
        // What proxies may forward is not believed.
        let actor = app.anonymous().with("x-forwarded-host", "evil.example");
        let page = actor.get("/sign-in").await.expect_status(200).text();
        assert!(!page.contains("evil.example"));
        app.stop().await;
    });
}

#[test]
fn unknown_addresses_and_methods_are_problems() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let anyone = app.anonymous();
        anyone
            .get("/v1/nothing")
            .await
            .expect_problem(404, "not_found");
        anyone
            .get("/v1/admin/nothing")
            .await
            .expect_problem(404, "not_found");
        for (method, path) in [
            (Method::GET, "/v1/licenses/activate"),
            (Method::DELETE, "/v1/admin/kits"),
            (Method::GET, "/webhooks/stripe"),
            (Method::PUT, "/v1/kits/a/updates"),
        ] {
            let reply = anyone.send(anyone.request(method.clone(), path)).await;
            reply.expect_problem(405, "method_not_allowed");
        }
        app.stop().await;
    });
}

#[test]
fn a_malformed_request_does_not_take_the_worker() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let address = app.address();
        let answers = tokio::task::spawn_blocking(move || {
            let raw: [&[u8]; 4] = [
                b"GET / HTTP/1.1\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                b"POST /v1/licenses/validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                b"\x16\x03\x01\x02\x00",
            ];
            raw.map(|bytes| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream
                    .set_read_timeout(Some(std::time::Duration::from_secs(3)))
                    .unwrap();
                stream.write_all(bytes).unwrap();
                let mut answer = [0; 12];
                let count = stream.read(&mut answer).unwrap_or(0);
                String::from_utf8_lossy(&answer[..count]).into_owned()
            })
        });
        for answer in answers.await.unwrap() {
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
                "{answer}"
            );
        }
        app.anonymous().get("/healthz").await.expect_status(200);
        app.stop().await;
    });
}

#[test]
fn metrics_have_a_listener_of_their_own_and_patterns_for_labels() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::builder()
            .config(|config| {
                let address = ([127, 0, 0, 1], kitward_tests::free_port());
                config.metrics_listen = Some(address.into());
            })
            .start(kind)
            .await;
        app.anonymous()
            .get("/v1/kits/secret-path/updates?version=1.0.0")
            .await
            .expect_status(401);
        let address = app.app.config.metrics_listen.unwrap();
        let page = app
            .anonymous()
            .get(&format!("http://{address}/metrics"))
            .await
            .expect_status(200)
            .text();
        assert!(page.contains("kitward_http_requests_total"), "{page}");
        assert!(page.contains("/v1/kits/{kit}/updates") && !page.contains("secret-path"));
        app.anonymous().get("/metrics").await.expect_status(404);
        app.stop().await;
    });
}

#[test]
fn a_stopping_process_is_not_ready() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        app.anonymous().get("/readyz").await.expect_status(200);
        app.app.stop();
        app.anonymous()
            .get("/readyz")
            .await
            .expect_problem(503, "unavailable");
        app.anonymous().get("/healthz").await.expect_status(200);
        app.stop().await;
    });
}

#[test]
fn a_wrong_method_is_told_the_right_ones() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let anyone = app.anonymous();
        for (method, path, allow) in [
            (Method::GET, "/v1/licenses/activate", "POST"),
            (Method::DELETE, "/v1/admin/kits", "GET, HEAD, POST"),
            (Method::PUT, "/v1/admin/kits/a", "GET, HEAD, PATCH"),
            (Method::GET, "/webhooks/stripe", "POST"),
            (Method::POST, "/v1/kits/a/updates", "GET, HEAD"),
            (Method::POST, "/healthz", "GET, HEAD"),
            (Method::PUT, "/sign-in", "GET, HEAD, POST"),
        ] {
            let browser = anyone.clone().browser();
            let reply = browser
                .send(browser.request(method.clone(), path))
                .await
                .expect_status(405);
            assert_eq!(reply.header("allow"), allow, "{method} {path}");
        }
        for path in [
            "/healthz",
            "/readyz",
            "/.well-known/jwks.json",
            "/.well-known/kitward-keyring.jwt",
            "/.well-known/kitward.json",
            "/docs/errors",
        ] {
            let head = anyone.send(anyone.request(Method::HEAD, path)).await;
            assert!(head.expect_status(200).bytes.is_empty(), "{path}");
        }
        let page = anyone.get("/docs/errors").await.expect_status(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.text().contains("id=\"request_timeout\""));
        app.stop().await;
    });
}

#[test]
fn one_authorization_header_is_taken_not_two() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let admin = app.token(Scope::Admin).await;
        admin.get("/v1/admin/kits").await.expect_status(200);
        for path in ["/v1/admin/kits", "/v1/kits/a/updates?version=1.0.0"] {
            let reply = admin.clone().with("authorization", "License kwl_a");
            reply
                .get(path)
                .await
                .expect_problem(400, "malformed_request");
        }
        app.stop().await;
    });
}

#[test]
fn the_scope_counts_before_the_body() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let reader = app.token(Scope::Read).await;
        let wrong = json!({ "banana": 1 });
        for path in [
            "/v1/admin/kits",
            "/v1/admin/policies",
            "/v1/admin/prices",
            "/v1/admin/releases",
        ] {
            let reply = reader.post(path, &wrong).await;
            reply.expect_problem(403, "insufficient_scope");
            let reply = app.anonymous().post(path, &wrong).await;
            reply.expect_problem(401, "unauthorized");
        }
        let reply = reader.patch("/v1/admin/kits/a", &wrong).await;
        reply.expect_problem(403, "insufficient_scope");
        app.stop().await;
    });
}

#[test]
fn a_body_that_never_ends_is_answered_and_the_connection_closed() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let (address, origin) = (app.address(), app.origin());
        let host = origin.trim_start_matches("http://").to_owned();
        let ask = |head: &str, body: &'static [u8]| {
            let head = format!("{head} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n");
            tokio::task::spawn_blocking(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream
                    .set_read_timeout(Some(std::time::Duration::from_secs(25)))
                    .unwrap();
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(body).unwrap();
                let mut answer = String::new();
                // Ends only because the server closes.
                stream.read_to_string(&mut answer).unwrap();
                answer
            })
        };
        let json = ask(
            "POST /v1/licenses/validate",
            b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        );
        let form = ask(
            "POST /sign-in",
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ne",
        );
        for answer in [json.await.unwrap(), form.await.unwrap()] {
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
            assert!(answer.contains("request_timeout"), "{answer}");
        }
        app.stop().await;
    });
}

both!(a_nul_finds_nothing_on_any_database);
async fn a_nul_finds_nothing_on_any_database(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.release("feedback-widget", "1.0.0", "a.bin", b"a")
        .await;
    let purchase = shop.buy(&app).await;
    let kit = app.kit(&purchase.key);
    for (path, status) in [
        ("/v1/kits/%00/updates?version=1.0.0", 403),
        ("/v1/kits/a%00b/releases", 403),
        ("/v1/kits/a%00b/releases/latest", 403),
        ("/v1/kits/feedback-widget/releases/%00", 404),
        ("/v1/kits/feedback-widget/releases/1.0.0/artifacts/%00", 404),
        ("/v1/kits/feedback-widget/releases?cursor=%00", 422),
        ("/v1/downloads/%00", 404),
    ] {
        assert_eq!(kit.get(path).await.status, status, "{path}");
    }
    for list in ["kits", "policies", "prices", "orders", "events", "releases"] {
        let path = format!("/v1/admin/{list}?cursor=%00");
        let reply = shop.admin.get(&path).await;
        reply.expect_problem(422, "invalid_field");
    }
    for (path, status) in [
        ("/v1/admin/kits/%00", 404),
        ("/v1/admin/kits/kit_%00", 404),
        ("/v1/admin/policies/%00", 404),
        ("/v1/admin/prices/%00", 404),
        ("/v1/admin/orders/%00", 404),
        ("/v1/admin/releases/%00", 404),
        ("/v1/admin/releases?kit=%00", 422),
    ] {
        assert_eq!(shop.admin.get(path).await.status, status, "{path}");
    }
    let policy = json!({ "name": "p", "edition": "P", "scope": "kits", "kits": ["\0"] });
    let price = json!({ "external_id": "price_nul", "policies": ["\0"] });
    let release = json!({ "kit": "a\0", "version": "1.0.0" });
    let named = json!({ "slug": "nul", "name": "a\0" });
    for (path, body) in [
        ("/v1/admin/policies", policy),
        ("/v1/admin/prices", price),
        ("/v1/admin/releases", release),
        ("/v1/admin/kits", named),
    ] {
        let reply = shop.admin.post(path, &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    let question = json!({
        "key": purchase.key, "kit": "a\0",
        "device": { "kind": "device", "id": "d\0", "name": "n\0" },
    });
    for path in ["activate", "validate", "deactivate"] {
        let reply = shop
            .admin
            .post(&format!("/v1/licenses/{path}"), &question)
            .await;
        assert!(reply.status < 500, "{path}: {}", reply.text());
    }
    let browser = app.browser();
    for (path, fields) in [
        ("/sign-in", [("email", "a\0@example.com")]),
        ("/sign-in", [("email", "\"\0\"@example.com")]),
        ("/sign-in/code", [("code", "\0")]),
        ("/sign-in/link", [("token", "\0")]),
    ] {
        let reply = browser.form(path, &fields).await;
        assert!(reply.status < 500, "{path} {fields:?}: {}", reply.text());
    }
    app.stop().await;
}

both!(hidden_characters_and_stale_changes_are_refused);
async fn hidden_characters_and_stale_changes_are_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    for hidden in [
        "a\u{200b}b",
        "a\u{202e}b",
        "\u{feff}a",
        "a\u{ad}b",
        "\u{3164}",
    ] {
        let kit = json!({ "slug": "hidden", "name": hidden });
        let named = json!({ "name": hidden, "edition": "P", "scope": "all" });
        let edition = json!({ "name": "p", "edition": hidden, "scope": "all" });
        for (path, body) in [
            ("/v1/admin/kits", kit),
            ("/v1/admin/policies", named),
            ("/v1/admin/policies", edition),
        ] {
            let reply = shop.admin.post(path, &body).await;
            reply.expect_problem(422, "invalid_field");
        }
    }
    let path = "/v1/admin/kits/feedback-widget";
    let etag = shop.admin.get(path).await.header("etag").to_owned();
    let change = json!({ "name": "Feedback" });
    let careful = shop.admin.clone().with("if-match", etag);
    careful.patch(path, &change).await.expect_status(200);
    let stale = careful.patch(path, &change).await;
    stale.expect_problem(412, "precondition_failed");
    app.stop().await;
}
