//! How files leave: parts, addresses, limits, what is recorded.

mod limits;
mod records;

use std::time::Duration;

use data_encoding::BASE64;
use kitward::downloads::model::CredentialForm;
use kitward::downloads::record::sweep;
use kitward::downloads::store::{Download, of_license};
use kitward::licenses::model::LicenseId;
use kitward_tests::{Kind, Purchase, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::seats::{number, sql};

const FILE: &str = "feedback-widget-1.0.0.bin";

/// A shop with one release of a file of this many bytes, and a license.
async fn shop(app: &TestApp, size: usize) -> (Shop, Purchase, Vec<u8>) {
    let shop = Shop::open(app).await;
    let file: Vec<u8> = (0..=250).rev().cycle().take(size).collect();
    shop.release("feedback-widget", "1.0.0", FILE, &file).await;
    let purchase = shop.buy(app).await;
    (shop, purchase, file)
}

fn path(name: &str) -> String {
    format!("/v1/kits/feedback-widget/releases/1.0.0/artifacts/{name}")
}

async fn license(shop: &Shop) -> LicenseId {
    let list = shop.admin.get("/v1/admin/licenses").await;
    LicenseId::parse(&list.str("/items/0/id")).unwrap()
}

/// Deliveries of the only license, oldest first.
pub(crate) async fn recorded(app: &TestApp, shop: &Shop) -> Vec<Download> {
    let license = license(shop).await;
    let read = app
        .app
        .db
        .read(move |conn| of_license(conn, &license, "", 500));
    let rows = read.await.unwrap().into_iter().rev();
    rows.map(|delivered| delivered.download).collect()
}

/// Gives the policy other terms, and its license these.
pub(crate) async fn limit(shop: &Shop, terms: &Value) {
    let policy = "/v1/admin/policies/personal";
    shop.admin.patch(policy, terms).await.expect_status(200);
    let apply = format!("{policy}/apply");
    let look = shop.admin.post(&apply, &json!({ "preview": true })).await;
    let number = look.json()["terms_number"].clone();
    let go = json!({ "preview": false, "terms_number": number });
    let done = shop.admin.post(&apply, &go).await.expect_status(200);
    assert_eq!(done.str("/changed"), "1", "{}", done.text());
}

/// The parts of a multipart answer: what each says it covers, and its bytes.
fn parts(content_type: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let boundary = content_type.split_once("boundary=").unwrap().1;
    let mark = format!("\r\n--{boundary}");
    let mut found = Vec::new();
    let mut rest = body;
    while let Some(at) = find(rest, mark.as_bytes()) {
        rest = &rest[at + mark.len()..];
        if rest.starts_with(b"--\r\n") {
            return found;
        }
        let head = find(rest, b"\r\n\r\n").unwrap();
        let text = String::from_utf8(rest[..head].to_vec()).unwrap();
        let covered = text.split_once("Content-Range: ").unwrap().1.to_owned();
        let end = find(&rest[head..], mark.as_bytes()).unwrap() + head;
        found.push((covered, rest[head + 4..end].to_vec()));
        rest = &rest[end..];
    }
    panic!("no closing boundary")
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Publishes a release with these files.
async fn publish_files(shop: &Shop, version: &str, files: &[(String, Vec<u8>)]) {
    let body = json!({ "kit": "feedback-widget", "version": version });
    let release = shop.admin.post("/v1/admin/releases", &body).await;
    let id = release.expect_status(201).str("/id");
    let release = format!("/v1/admin/releases/{id}");
    for (name, bytes) in files {
        let put = format!("{release}/artifacts/{name}");
        let put = shop.admin.put(&put, bytes.clone()).await;
        put.expect_status(201);
    }
    let publish = format!("{release}/publish");
    let published = shop.admin.post(&publish, &json!({})).await;
    published.expect_status(200);
}

both!(several_ranges_come_as_parts_of_one_answer);
async fn several_ranges_come_as_parts_of_one_answer(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_shop, purchase, file) = shop(&app, 700_000).await;
    let kit = app.kit(&purchase.key);
    let range = "bytes=600000-600009, 0-4, 3-9, -5, 9999999-";
    let reply = kit.clone().with("range", range).get(&path(FILE)).await;
    let reply = reply.expect_status(206);
    let kind_of = reply.header("content-type").to_owned();
    assert!(
        kind_of.starts_with("multipart/byteranges; boundary="),
        "{kind_of}"
    );
    assert_eq!(
        reply.header("content-length"),
        reply.bytes.len().to_string()
    );
    assert_eq!(reply.header("content-range"), "");
    let expected = [(0, 10), (600_000, 600_010), (699_995, 700_000)];
    let found = parts(&kind_of, &reply.bytes);
    assert_eq!(found.len(), expected.len());
    for ((covered, bytes), (from, to)) in found.iter().zip(expected) {
        assert_eq!(*covered, format!("bytes {from}-{}/700000", to - 1));
        assert_eq!(bytes, &file[from..to]);
    }
    // What becomes one part is one part.
    let reply = kit
        .clone()
        .with("range", "bytes=5-9,0-4")
        .get(&path(FILE))
        .await;
    let reply = reply.expect_status(206);
    assert_eq!(reply.header("content-range"), "bytes 0-9/700000");
    assert_eq!(reply.bytes, &file[..10]);
    let many = |count: usize| {
        let each: Vec<String> = (0..count).map(|n| format!("{}-{}", n * 2, n * 2)).collect();
        format!("bytes={}", each.join(","))
    };
    let reply = kit.clone().with("range", many(64)).get(&path(FILE)).await;
    let kind_of = reply.header("content-type").to_owned();
    assert_eq!(parts(&kind_of, &reply.expect_status(206).bytes).len(), 64);
    let reply = kit.clone().with("range", many(65)).get(&path(FILE)).await;
    assert_eq!(reply.expect_status(200).bytes, file);
    app.stop().await;
}

both!(a_head_tells_all_and_sends_nothing);
async fn a_head_tells_all_and_sends_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, file) = shop(&app, 1_000).await;
    let kit = app.kit(&purchase.key);
    let whole = kit.get(&path(FILE)).await.expect_status(200);
    let head = kit
        .request(Method::HEAD, &path(FILE))
        .header("range", "bytes=0-9");
    let head = kit.send(head).await.expect_status(200);
    assert!(head.bytes.is_empty());
    for name in [
        "content-length",
        "content-type",
        "content-disposition",
        "etag",
        "accept-ranges",
        "cache-control",
        "vary",
        "repr-digest",
    ] {
        assert!(!whole.header(name).is_empty(), "{name}");
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    assert_eq!(head.header("content-length"), file.len().to_string());
    let hash = whole.header("etag").trim_matches('"').to_owned();
    let hash = data_encoding::HEXLOWER.decode(hash.as_bytes()).unwrap();
    let digest = format!("sha-256=:{}:", BASE64.encode(&hash));
    assert_eq!(whole.header("repr-digest"), digest);
    assert_eq!(
        recorded(&app, &shop).await.len(),
        1,
        "a look is no download"
    );
    app.stop().await;
}

both!(every_form_of_credential_opens_a_file_and_is_recorded);
async fn every_form_of_credential_opens_a_file_and_is_recorded(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, file) = shop(&app, 1_000).await;
    let key = &purchase.key;
    let license = license(&shop).await;
    let made = format!("/v1/admin/licenses/{license}/tokens");
    let made = shop
        .admin
        .post(&made, &json!({ "kind": "download", "name": "mirror" }))
        .await;
    let token = made.expect_status(201).str("/token");
    let basic = |text: String| format!("Basic {}", BASE64.encode(text.as_bytes()));
    let forms = [
        (format!("License {key}"), CredentialForm::License),
        (format!("Bearer {key}"), CredentialForm::Bearer),
        (basic(format!("anything:{key}")), CredentialForm::Basic),
        (basic(format!("{key}:")), CredentialForm::Basic),
        (key.clone(), CredentialForm::Bare),
        (token.clone(), CredentialForm::Bare),
    ];
    for (header, form) in forms {
        let actor = app.anonymous().with("authorization", header);
        let reply = actor.get(&path(FILE)).await.expect_status(200);
        assert_eq!(reply.bytes, file, "{form}");
        // Ids are in the order of time, which stands still.
        app.clock.advance(1);
        let head = actor.send(actor.request(Method::HEAD, &path(FILE))).await;
        assert_eq!(head.expect_status(200).header("content-length"), "1000");
    }
    let in_path = format!("/k/{token}{}", path(FILE));
    let reply = app.anonymous().get(&in_path).await.expect_status(200);
    assert_eq!(reply.bytes, file);
    let rows = recorded(&app, &shop).await;
    // What goes on in the same form is one delivery.
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.credential, row.token_id.is_some(), row.bytes_asked))
        .collect();
    assert_eq!(
        told,
        [
            (CredentialForm::License, false, Some(1_000)),
            (CredentialForm::Bearer, false, Some(1_000)),
            (CredentialForm::Basic, false, Some(2_000)),
            (CredentialForm::Bare, false, Some(1_000)),
            (CredentialForm::Bare, true, Some(1_000)),
            (CredentialForm::Path, true, Some(1_000)),
        ]
    );
    assert!(
        rows.iter()
            .all(|row| row.network.as_deref() == Some("127.0.0.0/24"))
    );
    let continues: Vec<bool> = rows.iter().map(|row| row.continues).collect();
    assert_eq!(continues, [false, true, true, true, true, true]);
    for header in ["${KIT_TOKEN}", "Bearer ${KIT_TOKEN}", "Bearer $(cat key)"] {
        let actor = app.anonymous().with("authorization", header);
        let reply = actor.get(&path(FILE)).await;
        reply.expect_problem(401, "variable_not_set");
        let head = actor.send(actor.request(Method::HEAD, &path(FILE))).await;
        head.expect_status(401);
    }
    app.stop().await;
}

both!(names_beside_a_file_and_its_kind_lead_to_it);
async fn names_beside_a_file_and_its_kind_lead_to_it(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, file) = shop(&app, 1_000).await;
    let kit = app.kit(&purchase.key);
    let hash = kit
        .get(&path(FILE))
        .await
        .header("etag")
        .trim_matches('"')
        .to_owned();
    let sums = kit
        .get(&path(&format!("{FILE}.sha256")))
        .await
        .expect_status(200);
    assert_eq!(sums.text(), format!("{hash}  {FILE}\n"));
    assert_eq!(sums.header("content-type"), "text/plain; charset=utf-8");
    for version in ["latest", "1", "1.0", "1.0.0"] {
        for (name, stable) in [
            ("source", FILE.to_owned()),
            ("source.sha256", format!("{FILE}.sha256")),
            ("source.minisig", format!("{FILE}.minisig")),
        ] {
            let address = format!("/v1/kits/feedback-widget/releases/{version}/artifacts/{name}");
            let moved = kit.get(&address).await.expect_status(302);
            let location = moved.header("location");
            assert!(location.ends_with(&path(&stable)), "{location}");
            assert_eq!(moved.header("cache-control"), "no-store");
            kit.get(location).await.expect_status(200);
        }
    }
    for unknown in ["binary", "binary.sha256", "a.bin", ".sha256"] {
        let reply = kit.get(&path(unknown)).await;
        reply.expect_problem(404, "not_found");
    }
    // Two files of a kind: neither is meant.
    let files = ["a.bin", "b.bin"].map(|name| (name.to_owned(), file.clone()));
    publish_files(&shop, "1.1.0", &files).await;
    let address = "/v1/kits/feedback-widget/releases/latest/artifacts/source";
    let reply = kit.get(address).await.expect_problem(404, "not_found");
    assert_eq!(reply.json()["names"], json!(["a.bin", "b.bin"]));
    app.stop().await;
}

/// The address that a button of the portal leads to.
pub(crate) async fn ticket(app: &TestApp) -> String {
    let browser = app.customer(kitward_tests::BUYER).await;
    let page = browser.get("/downloads").await.expect_status(200).text();
    let at = page
        .find("action=\"/downloads/")
        .expect("a download button");
    let action: String = page[at + 8..].chars().take_while(|c| *c != '"').collect();
    let redirect = browser.form(&action, &[]).await.expect_status(303);
    redirect.header("location").to_owned()
}

/// Waits until the only delivery says how it ended.
async fn ended(app: &TestApp, shop: &Shop) -> Option<bool> {
    for _ in 0..100 {
        let rows = recorded(app, shop).await;
        if let Some(completed) = rows.last().and_then(|row| row.completed) {
            return Some(completed);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

both!(a_delivery_says_whether_all_was_sent);
async fn a_delivery_says_whether_all_was_sent(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, file) = shop(&app, 64 << 20).await;
    let kit = app.kit(&purchase.key);
    let request = kit.request(Method::GET, &path(FILE));
    let mut cut = request.send().await.unwrap();
    assert!(cut.chunk().await.unwrap().is_some());
    drop(cut);
    assert_eq!(ended(&app, &shop).await, Some(false));
    app.clock.advance(1);
    assert_eq!(kit.get(&path(FILE)).await.expect_status(200).bytes, file);
    assert_eq!(ended(&app, &shop).await, Some(true));
    app.stop().await;
}

both!(a_stored_file_that_is_gone_or_another_is_our_failure);
async fn a_stored_file_that_is_gone_or_another_is_our_failure(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, _file) = shop(&app, 1_000).await;
    let kit = app.kit(&purchase.key);
    let hash = kit
        .get(&path(FILE))
        .await
        .header("etag")
        .trim_matches('"')
        .to_owned();
    let stored = format!("data/blobs/sha256/{}/{}", &hash[..2], &hash[2..]);
    let stored = app.folder().join(stored);
    std::fs::write(&stored, b"shorter").unwrap();
    for _ in 0..2 {
        let reply = kit.get(&path(FILE)).await.expect_problem(500, "internal");
        assert_eq!(reply.str("/detail"), "Something went wrong on our side.");
        assert!(!reply.text().contains(&hash), "nothing of ours is told");
        let _ = std::fs::remove_file(&stored);
    }
    let rows = recorded(&app, &shop).await;
    assert_eq!(rows.len(), 1, "what was not sent is no download");
    app.stop().await;
}

both!(networks_of_deliveries_are_forgotten_after_their_days);
async fn networks_of_deliveries_are_forgotten_after_their_days(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.retention.download_networks_days = 30)
        .start(kind)
        .await;
    let (shop, purchase, _file) = shop(&app, 1_000).await;
    let kit = app.kit(&purchase.key);
    let address = ticket(&app).await;
    app.anonymous().get(&address).await.expect_status(200);
    // More than one slice of them.
    let many = "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 1100) \
                INSERT INTO downloads (id, artifact_id, network, started_at) \
                SELECT 'dld_0000000' || (1000000000000000000 + n), artifact_id, network, started_at FROM many, downloads";
    sql(&app, many.to_owned()).await;
    let known = || {
        let query = "SELECT COUNT(*) AS number FROM downloads WHERE network IS NOT NULL";
        number(&app, query.to_owned())
    };
    let tickets = || {
        let query = "SELECT COUNT(*) AS number FROM download_tickets";
        number(&app, query.to_owned())
    };
    app.clock.advance(29 * 86_400);
    kit.get(&path(FILE)).await.expect_status(200);
    sweep(&app.app).await.unwrap();
    assert_eq!((known().await, tickets().await), (1_102, 0));
    app.clock.advance(86_401);
    sweep(&app.app).await.unwrap();
    assert_eq!(known().await, 1);
    // All else stays, and what is recent.
    let rows = recorded(&app, &shop).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.bytes_asked, row.network.as_deref()))
        .collect();
    assert_eq!(
        told,
        [(Some(1_000), None), (Some(1_000), Some("127.0.0.0/24"))]
    );
    app.stop().await;
}
