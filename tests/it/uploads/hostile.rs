//! Names, numbers, sizes and hashes that nobody honest would send; connections that end anywhere.

use kitward::staff::Scope;
use kitward_tests::{Kind, TestApp, both, run_on};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Draft, PART, blobs, file_of, files_below, received, sha256, shop};

#[test]
fn names_that_could_hurt_are_refused_before_a_byte_is_sent() {
    run_on(Kind::Sqlite, |kind| async move {
        let (app, _shop) = shop(kind).await;
        let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
        let long = "n".repeat(4_096);
        for name in [
            "",
            ".",
            "..",
            "../evil.bin",
            "a/b.bin",
            "a\\b.bin",
            "a\0b",
            "CON",
            "con.txt",
            "LPT1",
            ".hidden",
            "end.",
            "a:b",
            "\u{202e}piz.exe",
            "a\u{200f}b",
            "a\nb",
            long.as_str(),
        ] {
            let reply = draft.begin(name, b"x").await;
            assert_eq!(
                reply.expect_problem(422, "invalid_field").str("/field"),
                "name"
            );
        }
        draft.begin("kit.bin", b"x").await.expect_status(201);
        let taken = draft.fill("twin.bin", b"y").await;
        draft.complete(&taken).await.expect_status(200);
        let twin = draft.begin("TWIN.bin", b"z").await;
        assert_eq!(
            twin.expect_problem(409, "conflict").str("/name"),
            "twin.bin"
        );
        app.stop().await;
    });
}

#[test]
fn sizes_and_hashes_that_cannot_be_are_refused() {
    run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::builder()
            .config(|c| c.limits.artifact_bytes = 1_000_000)
            .start(kind)
            .await;
        kitward_tests::Shop::open(&app).await;
        let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
        let path = draft.path("/uploads");
        let sha = sha256(b"x");
        for size in [json!(-1), json!(1.5), json!("1"), json!(null), json!(1e300)] {
            let body = json!({ "name": "a.bin", "size": size, "sha256": sha });
            let reply = draft.publisher.post(&path, &body).await;
            reply.expect_problem(422, "invalid_field");
        }
        for size in [1_000_001, u64::MAX, 1 << 63] {
            let body = json!({ "name": "a.bin", "size": size, "sha256": sha });
            let reply = draft.publisher.post(&path, &body).await;
            reply.expect_problem(413, "payload_too_large");
        }
        for bad in [
            "",
            "0",
            "../../../etc/passwd",
            &"g".repeat(64),
            &"0".repeat(65),
        ] {
            let body = json!({ "name": "a.bin", "size": 1, "sha256": bad });
            let reply = draft.publisher.post(&path, &body).await;
            assert_eq!(
                reply.expect_problem(422, "invalid_field").str("/field"),
                "sha256"
            );
        }
        let kind = json!({ "name": "a.bin", "size": 1, "sha256": sha, "kind": "A/B" });
        let reply = draft.publisher.post(&path, &kind).await;
        reply.expect_problem(422, "invalid_field");
        let odd = json!({ "name": "a.bin", "size": 1, "sha256": sha, "path": "/etc" });
        let reply = draft.publisher.post(&path, &odd).await;
        reply.expect_problem(422, "invalid_field");
        assert!(files_below(&blobs(&app)).is_empty());
        app.stop().await;
    });
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    run_on(Kind::Sqlite, |kind| async move {
        let (app, _shop) = shop(kind).await;
        let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
        let file = file_of(PART + 100, 11);
        let begun = draft.begin("kit.bin", &file).await.expect_status(201);
        let upload = begun.str("/id");
        for number in [
            "0",
            "3",
            "-1",
            "10001",
            "99999999999999999999",
            "x",
            "1%00",
            "1.0",
            "%2e%2e",
        ] {
            let path = format!("/v1/admin/uploads/{upload}/parts/{number}");
            let reply = draft.publisher.put(&path, vec![1; 100]).await;
            assert!(
                [404, 422].contains(&reply.status),
                "{number}: {}",
                reply.text()
            );
        }
        for length in [0, 1, 99] {
            let reply = draft.send(&upload, 2, &file[PART..PART + length]).await;
            reply.expect_problem(422, "invalid_field");
        }
        let long = draft.send(&upload, 2, &[1; 101]).await;
        long.expect_problem(413, "payload_too_large");
        let path = format!("/v1/admin/uploads/{upload}/parts/2");
        let put = |sha: String| {
            let request = draft.publisher.request(reqwest::Method::PUT, &path);
            request
                .header("x-content-sha256", sha)
                .body(file[PART..].to_vec())
        };
        let wrong = draft.publisher.send(put("0".repeat(64))).await;
        let wrong = wrong.expect_problem(422, "invalid_field");
        assert_eq!(wrong.str("/received_sha256"), sha256(&file[PART..]));
        let no_hash = draft.publisher.send(put("no".to_owned())).await;
        no_hash.expect_problem(422, "invalid_field");
        assert!(received(&draft.show(&upload).await).is_empty());
        let right = draft.publisher.send(put(sha256(&file[PART..]))).await;
        right.expect_status(200);
        let other = draft.send(&upload, 2, &[9; 100]).await;
        let other = other.expect_problem(409, "conflict");
        assert_eq!(other.str("/sha256"), sha256(&file[PART..]));
        app.stop().await;
    });
}

both!(a_file_that_is_not_what_was_announced_is_dropped);
async fn a_file_that_is_not_what_was_announced_is_dropped(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let announced = draft.begin("kit.bin", b"announced").await;
    let upload = announced.expect_status(201).str("/id");
    draft
        .send(&upload, 1, b"delivered")
        .await
        .expect_status(200);
    let refused = draft.complete(&upload).await;
    let refused = refused.expect_problem(422, "invalid_field");
    assert_eq!(refused.str("/received_sha256"), sha256(b"delivered"));
    draft.show(&upload).await.expect_problem(404, "not_found");
    assert!(draft.artifacts().await.is_empty());
    assert!(files_below(&blobs(&app)).is_empty());
    app.stop().await;
}

both!(only_publishers_upload_and_only_to_drafts);
async fn only_publishers_upload_and_only_to_drafts(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let upload = draft.fill("late.bin", b"late").await;
    let body = json!({ "name": "a.bin", "size": 1, "sha256": sha256(b"x") });
    for (actor, status) in [
        (app.anonymous(), 401),
        (app.token(Scope::Read).await, 403),
        (app.token(Scope::Support).await, 403),
    ] {
        let part = format!("/v1/admin/uploads/{upload}/parts/1");
        let complete = format!("/v1/admin/uploads/{upload}/complete");
        for reply in [
            actor.post(&draft.path("/uploads"), &body).await,
            actor.get(&format!("/v1/admin/uploads/{upload}")).await,
            actor.put(&part, b"x".to_vec()).await,
            actor.post(&complete, &json!({})).await,
            actor
                .send(actor.request(
                    reqwest::Method::DELETE,
                    &format!("/v1/admin/uploads/{upload}"),
                ))
                .await,
            actor
                .send(actor.request(reqwest::Method::DELETE, &draft.path("/artifacts/a.bin")))
                .await,
        ] {
            assert_eq!(reply.status, status, "{}", reply.text());
        }
    }
    // Ids of other things are no uploads.
    for id in [
        draft.id.as_str(),
        "upl_00000000000000000000000000",
        "%00",
        "upl_",
        "a%2Fb",
    ] {
        let shown = draft.show(id).await;
        shown.expect_problem(404, "not_found");
        let sent = draft.send(id, 1, b"x").await;
        sent.expect_problem(404, "not_found");
    }
    let first = draft.fill("kit.bin", b"kit").await;
    draft.complete(&first).await.expect_status(200);
    draft.publish().await.expect_status(200);
    let begun = draft.begin("more.bin", b"more").await;
    begun.expect_problem(409, "conflict");
    let completed = draft.complete(&upload).await;
    completed.expect_problem(409, "conflict");
    assert_eq!(draft.artifacts().await.len(), 1);
    let unknown = shop.admin.post(
        "/v1/admin/releases/rel_00000000000000000000000000/uploads",
        &body,
    );
    unknown.await.expect_problem(404, "not_found");
    app.stop().await;
}

both!(a_release_has_a_bounded_number_of_uploads_under_way);
async fn a_release_has_a_bounded_number_of_uploads_under_way(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let begins = (0..70).map(|n| async move { n });
    let mut begun = 0;
    for n in futures_util::future::join_all(begins).await {
        let reply = draft
            .begin(&format!("{n}.bin"), format!("{n}").as_bytes())
            .await;
        begun += usize::from(reply.status == 201);
        assert!([201, 409].contains(&reply.status));
    }
    assert_eq!(begun, 64);
    app.stop().await;
}

/// Sends a request's head and some bytes of its body, then goes away.
async fn cut(app: &TestApp, (method, path): (&str, &str), token: &str, body: &[u8], sent: usize) {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {token}\r\n\
         content-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n",
        app.app.authority(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..sent]).await.unwrap();
    if sent.is_multiple_of(2) {
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        // Whatever is answered, nothing was taken in.
        let _ = stream.read_to_end(&mut rest).await;
    }
}

#[test]
fn an_upload_cut_at_any_byte_shows_nothing_and_goes_on() {
    run_on(Kind::Sqlite, |kind| async move {
        let (app, _shop) = shop(kind).await;
        let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
        let file = file_of(PART + 70_000, 12);
        let upload = draft
            .begin("kit.bin", &file)
            .await
            .expect_status(201)
            .str("/id");
        draft
            .send(&upload, 1, &file[..PART])
            .await
            .expect_status(200);
        let token = draft.publisher.header_text("authorization");
        let last = &file[PART..];
        let whole = draft.path("/artifacts/plain.bin");
        let part = format!("/v1/admin/uploads/{upload}/parts/2");
        let mut at = 0;
        while at < last.len() {
            cut(&app, ("PUT", &part), &token, last, at).await;
            cut(&app, ("PUT", &whole), &token, last, at).await;
            at = at * 2 + 1;
        }
        cut(&app, ("PUT", &part), &token, last, last.len() - 1).await;
        assert_eq!(received(&draft.show(&upload).await), [1]);
        assert!(draft.artifacts().await.is_empty());
        draft.send(&upload, 2, last).await.expect_status(200);
        draft.complete(&upload).await.expect_status(200);
        assert_eq!(draft.artifacts().await[0]["sha256"], sha256(&file));
        // What was cut goes with its connection.
        let end = std::time::Instant::now() + std::time::Duration::from_secs(40);
        while files_below(&blobs(&app)).len() > 1 {
            assert!(
                std::time::Instant::now() < end,
                "{:?}",
                files_below(&blobs(&app))
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        app.stop().await;
    });
}
