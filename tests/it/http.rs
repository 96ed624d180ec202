//! Conventions of every route.

use std::io::{Read, Write};
use std::net::TcpStream;

use kitward_tests::{Kind, TestApp};
use reqwest::Method;

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
                let port = std::net::TcpListener::bind(("127.0.0.1", 0))
                    .unwrap()
                    .local_addr()
                    .unwrap();
                config.metrics_listen = Some(port);
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
