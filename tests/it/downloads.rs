//! Releases, gated files, update checks.

use kitward::staff::Scope;
use kitward_keys::{Expected, Jwks, PublicKeys};
use kitward_tests::{BUYER, Kind, Purchase, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

const FILE: &str = "feedback-widget-1.0.0.zip";

async fn shop(kind: Kind) -> (TestApp, Shop, Purchase, Vec<u8>) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let zip = kitward_fakes::sample_kit_zip();
    shop.release("feedback-widget", "1.0.0", FILE, &zip).await;
    let purchase = shop.buy(&app).await;
    (app, shop, purchase, zip)
}

fn file_path(version: &str, name: &str) -> String {
    format!("/v1/kits/feedback-widget/releases/{version}/artifacts/{name}")
}

both!(a_key_fetches_the_covered_file);
async fn a_key_fetches_the_covered_file(kind: Kind) {
    let (app, _shop, purchase, zip) = shop(kind).await;
    let kit = app.kit(&purchase.key);
    for version in ["1.0.0", "latest"] {
        let mut reply = kit.get(&file_path(version, FILE)).await;
        if version == "latest" {
            let stable = reply.expect_status(302).header("location").to_owned();
            assert!(stable.ends_with(&file_path("1.0.0", FILE)), "{stable}");
            reply = kit.get(&stable).await;
        }
        let reply = reply.expect_status(200);
        assert_eq!(reply.bytes, zip);
        assert_eq!(reply.header("accept-ranges"), "bytes");
        assert!(
            reply
                .header("content-disposition")
                .starts_with("attachment")
        );
        assert!(reply.header("content-disposition").contains(FILE));
        assert_eq!(
            reply.header("cache-control"),
            "private, max-age=31536000, immutable"
        );
        let etag = reply.header("etag").to_owned();
        assert_eq!(etag.len(), 66, "{etag}");
        let again = kit
            .clone()
            .with("if-none-match", etag)
            .get(&file_path("1.0.0", FILE))
            .await;
        assert_eq!((again.status, again.bytes.len()), (304, 0));
    }
    let head = kit
        .send(kit.request(Method::HEAD, &file_path("1.0.0", FILE)))
        .await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_eq!(head.header("content-length"), zip.len().to_string());
    for header in [
        format!("Bearer {}", purchase.key),
        purchase.key.clone(),
        format!("license  {}", purchase.key),
    ] {
        let actor = app.anonymous().with("authorization", header);
        actor
            .get(&file_path("1.0.0", FILE))
            .await
            .expect_status(200);
    }
    app.stop().await;
}

both!(single_ranges_are_served_and_bad_ones_are_told);
async fn single_ranges_are_served_and_bad_ones_are_told(kind: Kind) {
    let (app, _shop, purchase, zip) = shop(kind).await;
    let kit = app.kit(&purchase.key);
    let size = zip.len();
    let path = file_path("1.0.0", FILE);
    let cases = [
        ("bytes=0-9".to_owned(), 0, 10),
        ("bytes=10-10".to_owned(), 10, 11),
        (format!("bytes={}-", size - 5), size - 5, size),
        ("bytes=-7".to_owned(), size - 7, size),
        (format!("bytes=5-{}", size + 100), 5, size),
    ];
    for (range, from, to) in cases {
        let reply = kit
            .clone()
            .with("range", range.clone())
            .get(&path)
            .await
            .expect_status(206);
        assert_eq!(reply.bytes, &zip[from..to], "{range}");
        assert_eq!(
            reply.header("content-range"),
            format!("bytes {from}-{}/{size}", to - 1)
        );
    }
    for range in [format!("bytes={size}-"), "bytes=-0".to_owned()] {
        let reply = kit
            .clone()
            .with("range", range)
            .get(&path)
            .await
            .expect_status(416);
        assert_eq!(reply.header("content-range"), format!("bytes */{size}"));
    }
    for range in ["bytes=9-0", "bytes=a-b", "lines=0-1", "bytes=0-1,x"] {
        let reply = kit
            .clone()
            .with("range", range)
            .get(&path)
            .await
            .expect_status(200);
        assert_eq!(reply.bytes.len(), size, "{range}");
    }
    let stale = kit
        .clone()
        .with("range", "bytes=0-9")
        .with("if-range", "\"other\"");
    assert_eq!(stale.get(&path).await.expect_status(200).bytes.len(), size);
    app.stop().await;
}

both!(whoever_may_not_have_a_file_is_told_why);
async fn whoever_may_not_have_a_file_is_told_why(kind: Kind) {
    let (app, shop, purchase, zip) = shop(kind).await;
    shop.release("rate-limiter", "1.0.0", "rate.zip", &zip)
        .await;
    let path = file_path("1.0.0", FILE);
    let kit = app.kit(&purchase.key);
    let reply = app
        .anonymous()
        .get(&path)
        .await
        .expect_problem(401, "unauthorized");
    assert!(reply.header("www-authenticate").starts_with("Basic"));
    app.kit("${KIT_TOKEN}")
        .get(&path)
        .await
        .expect_problem(401, "variable_not_set");
    app.kit("kwl_unknown")
        .get(&path)
        .await
        .expect_problem(401, "key_unknown");
    let foreign = "/v1/kits/rate-limiter/releases/1.0.0/artifacts/rate.zip";
    kit.get(foreign)
        .await
        .expect_problem(403, "kit_not_covered");
    let missing = kit
        .get("/v1/kits/no-such-kit/releases/1.0.0/artifacts/a.bin")
        .await;
    missing.expect_problem(403, "kit_not_covered");
    kit.get(&file_path("9.9.9", FILE))
        .await
        .expect_problem(404, "not_found");
    kit.get(&file_path("1.0.0", "other.zip"))
        .await
        .expect_problem(404, "not_found");
    app.stop().await;
}

both!(updates_end_with_the_window_and_what_was_covered_stays);
async fn updates_end_with_the_window_and_what_was_covered_stays(kind: Kind) {
    let (app, shop, purchase, zip) = shop(kind).await;
    app.clock.advance(400 * 86_400);
    shop.release(
        "feedback-widget",
        "2.0.0",
        "feedback-widget-2.0.0.bin",
        b"newer",
    )
    .await;
    let kit = app.kit(&purchase.key);
    assert_eq!(
        kit.get(&file_path("1.0.0", FILE))
            .await
            .expect_status(200)
            .bytes,
        zip
    );
    let latest = kit.get(&file_path("latest", FILE)).await.expect_status(302);
    assert!(
        latest
            .header("location")
            .ends_with(&file_path("1.0.0", FILE))
    );
    let locked = kit
        .get(&file_path("2.0.0", "feedback-widget-2.0.0.bin"))
        .await;
    let locked = locked.expect_problem(403, "version_not_covered");
    assert_eq!(locked.str("/last_entitled_version"), "1.0.0");
    assert!(locked.str("/renew_url").contains("/licenses/lic_"));
    let list = kit
        .get("/v1/kits/feedback-widget/releases")
        .await
        .expect_status(200);
    assert!(!list.text().contains("2.0.0"));
    let check = kit
        .get("/v1/kits/feedback-widget/updates?version=1.0.0")
        .await
        .expect_status(200);
    assert_eq!(
        (check.str("/available"), check.str("/last_entitled_version")),
        ("false".into(), "1.0.0".into())
    );
    app.stop().await;
}

both!(an_update_check_is_signed_also_when_there_is_none);
async fn an_update_check_is_signed_also_when_there_is_none(kind: Kind) {
    let (app, shop, purchase, _zip) = shop(kind).await;
    shop.release("feedback-widget", "1.2.0-beta.1", "beta.bin", b"beta")
        .await;
    let kit = app.kit(&purchase.key);
    let jwks: Jwks =
        serde_json::from_value(kit.get("/.well-known/jwks.json").await.json()).unwrap();
    let keys = PublicKeys::from_jwks(&jwks).unwrap();
    let issuer = app.app.installation_id.clone();
    let expected = Expected {
        issuer: Some(&issuer),
        audience: "feedback-widget",
        now: app.now(),
        leeway: 0,
        nonce: Some("abc"),
    };
    for (version, available) in [("0.9.0", true), ("1.0.0", false), ("3.0.0", false)] {
        let path = format!("/v1/kits/feedback-widget/updates?version={version}&nonce=abc");
        let answer = kit.get(&path).await.expect_status(200);
        assert_eq!(answer.str("/available"), available.to_string(), "{version}");
        let kept = answer.header("cache-control");
        assert_eq!(kept, "private, max-age=0, must-revalidate");
        assert_eq!(answer.header("vary"), "Authorization");
        let head = kit.send(kit.request(Method::HEAD, &path)).await;
        assert!(head.expect_status(200).bytes.is_empty());
        let claims =
            kitward_keys::verify_update(&answer.str("/manifest"), &keys, &expected).unwrap();
        assert_eq!(claims.available, available);
        assert_eq!(claims.exp, app.now() + 86_400);
        if available {
            assert_eq!(answer.str("/release/version"), "1.0.0");
            let url = answer.str("/release/artifacts/0/url");
            assert_eq!(
                kit.get(&url)
                    .await
                    .expect_status(200)
                    .header("etag")
                    .trim_matches('"'),
                answer.str("/release/artifacts/0/sha256")
            );
        }
    }
    kit.get("/v1/kits/feedback-widget/updates")
        .await
        .expect_problem(422, "invalid_field");
    let bad = "/v1/kits/feedback-widget/updates?version=banana";
    kit.get(bad).await.expect_problem(422, "invalid_field");
    app.stop().await;
}

both!(drafts_are_invisible_and_published_files_never_change);
async fn drafts_are_invisible_and_published_files_never_change(kind: Kind) {
    let (app, _shop, purchase, zip) = shop(kind).await;
    let publisher = app.token(Scope::Publish).await;
    let body = json!({ "kit": "feedback-widget", "version": "1.1.0" });
    let id = publisher
        .post("/v1/admin/releases", &body)
        .await
        .expect_status(201)
        .str("/id");
    publisher
        .post("/v1/admin/releases", &body)
        .await
        .expect_problem(409, "conflict");
    let list = publisher.get("/v1/admin/releases").await;
    assert!(list.expect_status(200).text().contains(&id));
    let one = publisher.get(&format!("/v1/admin/releases/{id}")).await;
    assert_eq!(one.expect_status(200).str("/version"), "1.1.0");
    let path = |name: &str| format!("/v1/admin/releases/{id}/artifacts/{name}");
    let publish = format!("/v1/admin/releases/{id}/publish");
    let empty = publisher.post(&publish, &json!({})).await;
    assert!([409, 422].contains(&empty.status), "{}", empty.status);
    assert!(publisher.put(&path("a.bin"), zip.clone()).await.status < 300);
    assert!(
        publisher.put(&path("a.bin"), zip.clone()).await.status < 300,
        "equal bytes again"
    );
    publisher
        .put(&path("a.bin"), b"other".to_vec())
        .await
        .expect_problem(409, "conflict");
    let wrong = publisher.request(Method::PUT, &path("b.bin"));
    let wrong = wrong.header("x-content-sha256", "0".repeat(64)).body("b");
    publisher
        .send(wrong)
        .await
        .expect_problem(422, "invalid_field");
    let kit = app.kit(&purchase.key);
    kit.get(&file_path("1.1.0", "a.bin"))
        .await
        .expect_problem(404, "not_found");
    for _ in 0..2 {
        publisher
            .post(&publish, &json!({}))
            .await
            .expect_status(200);
    }
    assert_eq!(
        kit.get(&file_path("1.1.0", "a.bin"))
            .await
            .expect_status(200)
            .bytes,
        zip
    );
    publisher
        .put(&path("c.bin"), b"late".to_vec())
        .await
        .expect_problem(409, "conflict");
    app.stop().await;
}

#[test]
fn file_names_and_versions_that_could_hurt_are_refused() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let (app, shop, purchase, _zip) = shop(kind).await;
        for version in ["1", "v1.0.0", "1.0", "", "1.0.0/../2"] {
            let body = json!({ "kit": "feedback-widget", "version": version });
            shop.admin
                .post("/v1/admin/releases", &body)
                .await
                .expect_problem(422, "invalid_field");
        }
        let body = json!({ "kit": "feedback-widget", "version": "7.0.0" });
        let id = shop
            .admin
            .post("/v1/admin/releases", &body)
            .await
            .expect_status(201)
            .str("/id");
        let long = "n".repeat(300);
        for name in [
            "..%2Fevil.zip",
            "%2E%2E%2Fevil.zip",
            "a%5Cb.zip",
            "a%00b",
            "CON",
            ".hidden",
            "con.txt",
            "%E2%80%AEpiz.exe",
            long.as_str(),
        ] {
            let path = format!("/v1/admin/releases/{id}/artifacts/{name}");
            let reply = shop.admin.put(&path, b"x".to_vec()).await;
            assert!(
                [404, 422].contains(&reply.status),
                "{name}: {}",
                reply.status
            );
        }
        let kit = app.kit(&purchase.key);
        for name in [
            "..%2F..%2Fmaster.key",
            "%2e%2e/%2e%2e/kitward.sqlite",
            "..%5C..%5Cmaster.key",
        ] {
            let reply = kit.get(&file_path("1.0.0", name)).await;
            assert_eq!(reply.status, 404, "{name}");
        }
        app.stop().await;
    });
}

#[test]
fn an_artifact_over_the_limit_leaves_nothing_behind() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::builder()
            .config(|c| c.limits.artifact_bytes = 1_000)
            .start(kind)
            .await;
        let shop = Shop::open(&app).await;
        let body = json!({ "kit": "feedback-widget", "version": "1.0.0" });
        let id = shop
            .admin
            .post("/v1/admin/releases", &body)
            .await
            .expect_status(201)
            .str("/id");
        let path = format!("/v1/admin/releases/{id}/artifacts/a.bin");
        shop.admin
            .put(&path, vec![7; 2_000])
            .await
            .expect_problem(413, "payload_too_large");
        assert_eq!(files_below(&app.folder().join("data/blobs")), 0);
        assert!(shop.admin.put(&path, vec![7; 1_000]).await.status < 300);
        assert_eq!(files_below(&app.folder().join("data/blobs")), 1);
        app.stop().await;
    });
}

fn files_below(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| {
            if entry.path().is_dir() {
                files_below(&entry.path())
            } else {
                1
            }
        })
        .sum()
}

both!(a_customer_downloads_by_a_ticket);
async fn a_customer_downloads_by_a_ticket(kind: Kind) {
    let (app, shop, _purchase, zip) = shop(kind).await;
    let browser = app.customer(BUYER).await;
    let page = browser.get("/downloads").await.expect_status(200).text();
    let at = page
        .find("action=\"/downloads/")
        .expect("a download button");
    let action: String = page[at + 8..].chars().take_while(|c| *c != '"').collect();
    let redirect = browser.form(&action, &[]).await.expect_status(303);
    let ticket = redirect.header("location").to_owned();
    let reply = app.anonymous().get(&ticket).await.expect_status(200);
    assert_eq!(reply.bytes, zip);
    // What was the former owner's ends with a transfer.
    let license = shop
        .admin
        .get("/v1/admin/licenses")
        .await
        .str("/items/0/id");
    let transfer = format!("/v1/admin/licenses/{license}/transfer");
    for owner in ["new-owner@example.com", BUYER] {
        let to = json!({ "email": owner });
        shop.admin.post(&transfer, &to).await.expect_status(200);
    }
    let lost = app.anonymous().get(&ticket).await;
    lost.expect_problem(404, "not_found");
    let redirect = browser.form(&action, &[]).await.expect_status(303);
    let ticket = redirect.header("location").to_owned();
    app.anonymous().get(&ticket).await.expect_status(200);
    app.clock.advance(601);
    let ended = app.anonymous().get(&ticket).await;
    assert!([404, 410].contains(&ended.status), "{}", ended.status);
    app.anonymous()
        .get("/v1/downloads/forged")
        .await
        .expect_problem(404, "not_found");
    let stranger = app.customer("stranger@example.com").await;
    let refused = stranger.form(&action, &[]).await;
    assert_eq!(refused.status, 404);
    app.stop().await;
}

both!(two_files_that_some_systems_take_for_one_are_refused);
async fn two_files_that_some_systems_take_for_one_are_refused(kind: Kind) {
    let (app, shop, _purchase, _zip) = shop(kind).await;
    let body = json!({ "kit": "feedback-widget", "version": "1.1.0" });
    let release = shop.admin.post("/v1/admin/releases", &body).await;
    let id = release.expect_status(201).str("/id");
    let path = |name: &str| format!("/v1/admin/releases/{id}/artifacts/{name}");
    // NFC; below the same in NFD and in capitals.
    for name in ["a.bin", "%C3%BC.bin"] {
        let put = shop.admin.put(&path(name), b"a".to_vec()).await;
        put.expect_status(201);
    }
    for (name, twin) in [("A.bin", "a.bin"), ("u%CC%88.bin", "ü.bin")] {
        let put = shop.admin.put(&path(name), b"a".to_vec()).await;
        assert_eq!(put.expect_problem(409, "conflict").str("/name"), twin);
    }
    let again = shop.admin.put(&path("a.bin"), b"a".to_vec()).await;
    again.expect_status(200);
    app.stop().await;
}
