//! A patch is source: who takes one is given parts of both archives.

use futures_util::future::join_all;
use kitward::comparisons::compare::{CompareError, Pair, compare, patch};
use kitward::downloads::model::CredentialForm;
use kitward::releases::model::ReleaseId;
use kitward::releases::store::artifacts_of;
use kitward_tests::{BUYER, Kind, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

use super::kits::zip_of;
use super::{KIT, bought, path, two_versions};
use crate::deliveries::{limit, recorded};
use crate::seats::{number, sql};

fn file(version: &str) -> String {
    format!("/v1/kits/{KIT}/releases/{version}/artifacts/kit-{version}.zip")
}

/// The archives of two releases.
async fn pair(app: &TestApp, shop: &Shop) -> Pair {
    let mut found = Vec::new();
    for version in ["1.0.0", "1.1.0"] {
        let list = format!("/v1/admin/releases?kit={KIT}");
        let list = shop.admin.get(&list).await.expect_status(200).json();
        let items = list["items"].as_array().unwrap().iter();
        let release = items.clone().find(|item| item["version"] == version);
        let id = release.unwrap()["id"].as_str().unwrap();
        let ids = [ReleaseId::parse(id).unwrap()];
        let read = app.app.db.read(move |conn| artifacts_of(conn, &ids));
        found.push(read.await.unwrap().remove(0));
    }
    let new = found.pop().unwrap();
    let old = found.pop().unwrap();
    Pair { old, new }
}

both!(a_patch_is_recorded_as_a_delivery_of_both_archives);
async fn a_patch_is_recorded_as_a_delivery_of_both_archives(kind: Kind) {
    let (app, shop, purchase) = two_versions(kind).await;
    let kit = app.kit(&purchase.key);
    let range = path("1.0.0...1.1.0.patch");
    // Names and figures are none of the source, and neither is what does not differ.
    kit.get(&path("1.0.0...1.1.0")).await.expect_status(200);
    kit.get(&path("1.1.0...1.1.0.patch"))
        .await
        .expect_status(200);
    let head = kit.send(kit.request(Method::HEAD, &range)).await;
    head.expect_status(200);
    assert!(recorded(&app, &shop).await.is_empty());
    let whole = kit.get(&range).await.expect_status(200);
    let etag = whole.header("etag").to_owned();
    kit.clone()
        .with("if-none-match", etag.clone())
        .get(&range)
        .await
        .expect_status(304);
    app.clock.advance(1);
    // What was cut goes on.
    let rest = kit
        .clone()
        .with("range", "bytes=10-")
        .with("if-range", etag);
    let rest = rest.get(&range).await.expect_status(206);
    assert_eq!(rest.bytes, &whole.bytes[10..]);
    assert_eq!(rest.header("patch-complete"), "true");
    app.clock.advance(1);
    let browser = app.customer(BUYER).await;
    let page = format!("/downloads/{KIT}/compare/1.0.0...1.1.0");
    browser.get(&page).await.expect_status(200);
    let mine = browser.get(&format!("{page}.patch")).await;
    assert_eq!(mine.expect_status(200).bytes, whole.bytes);
    let size = i64::try_from(whole.bytes.len()).unwrap();
    let pair = pair(&app, &shop).await;
    let mut sides = [pair.old.id, pair.new.id];
    sides.sort();
    let rows = recorded(&app, &shop).await;
    for both in rows.chunks(2) {
        let mut found: Vec<_> = both.iter().map(|row| row.artifact_id.clone()).collect();
        found.sort();
        assert_eq!(found, sides);
    }
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            assert_eq!(row.stamp_nonce, None);
            (row.credential, row.bytes_asked, row.continues)
        })
        .collect();
    assert_eq!(
        told,
        [
            (CredentialForm::License, Some(size + size - 10), false),
            (CredentialForm::License, Some(size + size - 10), false),
            (CredentialForm::Ticket, Some(size), true),
            (CredentialForm::Ticket, Some(size), true),
        ]
    );
    app.stop().await;
}

both!(what_needs_no_bytes_of_a_patch_reads_none);
async fn what_needs_no_bytes_of_a_patch_reads_none(kind: Kind) {
    let (app, shop, purchase) = two_versions(kind).await;
    let kit = app.kit(&purchase.key);
    let told = kit.get(&path("1.0.0...1.1.0")).await.expect_status(200);
    // Whoever reads the patch notices.
    let spoil = "UPDATE comparisons SET patch = 'none'";
    sql(&app, spoil.to_owned()).await;
    let range = path("1.0.0...1.1.0.patch");
    kit.get(&range).await.expect_problem(500, "internal");
    let head = kit.send(kit.request(Method::HEAD, &range)).await;
    let head = head.expect_status(200);
    assert_eq!(head.header("content-length"), told.str("/patch/size"));
    let etag = head.header("etag").to_owned();
    let known = kit.clone().with("if-none-match", etag).get(&range).await;
    known.expect_status(304);
    let beyond = kit.clone().with("range", "bytes=9999999-");
    let beyond = beyond.get(&range).await;
    beyond.expect_problem(416, "range_not_satisfiable");
    assert!(recorded(&app, &shop).await.is_empty());
    app.stop().await;
}

both!(a_patch_counts_as_a_download_of_the_day);
async fn a_patch_counts_as_a_download_of_the_day(kind: Kind) {
    let (app, shop, purchase) = two_versions(kind).await;
    let newest = zip_of("kit-1.2.0", &[("a.txt", "one\ntwo\nthree\n")]);
    shop.release(KIT, "1.2.0", "kit-1.2.0.zip", &newest).await;
    limit(&shop, &json!({ "downloads_per_day": 2 })).await;
    let kit = app.kit(&purchase.key);
    let patch = |range: &str| path(&format!("{range}.patch"));
    kit.get(&patch("1.0.0...1.1.0")).await.expect_status(200);
    // The archives of which it was made are the same downloads, whichever way; another one is not.
    for version in ["1.0.0", "1.1.0"] {
        kit.get(&file(version)).await.expect_status(200);
    }
    kit.get(&patch("1.1.0...1.0.0")).await.expect_status(200);
    let refused = kit.get(&file("1.2.0")).await;
    refused.expect_problem(429, "download_limit");
    let browser = app.customer(BUYER).await;
    for range in ["1.1.0...1.2.0", "1.2.0...1.1.0"] {
        let refused = kit.get(&patch(range)).await;
        refused.expect_problem(429, "download_limit");
        let page = format!("/downloads/{KIT}/compare/{range}");
        assert_eq!(browser.get(&format!("{page}.patch")).await.status, 429);
        browser.get(&page).await.expect_status(200);
        kit.get(&path(range)).await.expect_status(200);
    }
    app.clock.advance(86_400);
    kit.get(&file("1.2.0")).await.expect_status(200);
    // Two more are too many, and then neither is counted.
    let refused = kit.get(&patch("1.0.0...1.1.0")).await;
    refused.expect_problem(429, "download_limit");
    kit.get(&patch("1.2.0...1.0.0")).await.expect_status(200);
    app.stop().await;
}

both!(a_download_token_in_the_path_opens_comparisons);
async fn a_download_token_in_the_path_opens_comparisons(kind: Kind) {
    let (app, shop, purchase) = two_versions(kind).await;
    let list = shop.admin.get("/v1/admin/licenses").await;
    let tokens = format!("/v1/admin/licenses/{}/tokens", list.str("/items/0/id"));
    let token = json!({ "kind": "download", "name": "mirror" });
    let token = shop.admin.post(&tokens, &token).await.expect_status(201);
    let before = format!("/k/{}", token.str("/token"));
    let anybody = app.anonymous();
    let range = path("1.0.0...latest");
    let told = anybody.get(&format!("{before}{range}")).await;
    let same = app.kit(&purchase.key).get(&range).await;
    assert_eq!(told.expect_status(200).json(), same.json());
    let range = path("1.0.0...1.1.0.patch");
    let patch = anybody.get(&format!("{before}{range}")).await;
    assert!(patch.expect_status(200).text().contains("+zwei"));
    let rows = recorded(&app, &shop).await;
    assert_eq!(rows.len(), 2, "one for each archive");
    for row in rows {
        assert_eq!(row.credential, CredentialForm::Path);
        assert!(row.token_id.is_some());
    }
    // Neither a key nor somebody else's kit.
    let key = anybody.get(&format!("/k/{}{range}", purchase.key)).await;
    key.expect_problem(401, "key_unknown");
    let other = anybody
        .get(&format!(
            "{before}/v1/kits/rate-limiter/compare/1.0.0...1.1.0"
        ))
        .await;
    other.expect_problem(403, "kit_not_covered");
    app.stop().await;
}

both!(a_patch_belongs_to_the_comparison_that_was_told);
async fn a_patch_belongs_to_the_comparison_that_was_told(kind: Kind) {
    let (app, shop, _purchase) = two_versions(kind).await;
    let pair = pair(&app, &shop).await;
    let told = compare(&app.app, &pair, "x").await.unwrap();
    let whole = patch(&app.app, &pair, &told, "x").await.unwrap();
    assert_eq!(whole.len().to_string(), told.patch_size.to_string());
    // A newer edition of the program puts another in its place, or it makes room.
    for change in [
        "UPDATE comparisons SET patch_sha256 = 'other'",
        "DELETE FROM comparisons",
    ] {
        sql(&app, change.to_owned()).await;
        let found = patch(&app.app, &pair, &told, "x").await;
        assert!(matches!(found, Err(CompareError::Replaced)), "{found:?}");
    }
    app.stop().await;
}

both!(whoever_asks_for_many_comparisons_at_once_gets_all);
async fn whoever_asks_for_many_comparisons_at_once_gets_all(kind: Kind) {
    let (app, shop, purchase) = bought(kind).await;
    let versions: Vec<String> = (0..4).map(|minor| format!("1.{minor}.0")).collect();
    for version in &versions {
        let archive = zip_of(&format!("kit-{version}"), &[("version.txt", version)]);
        shop.release(KIT, version, &format!("kit-{version}.zip"), &archive)
            .await;
    }
    let kit = app.kit(&purchase.key);
    let ranges = versions.iter().flat_map(|from| {
        let others = versions.iter().filter(move |to| *to != from);
        others.map(move |to| path(&format!("{from}...{to}")))
    });
    let asked = ranges.map(|range| {
        let kit = kit.clone();
        async move { kit.get(&range).await }
    });
    for reply in join_all(asked).await {
        assert_eq!(
            reply.expect_status(200).str("/summary/counts/modified"),
            "1"
        );
    }
    let kept = "SELECT COUNT(*) AS number FROM comparisons";
    assert_eq!(number(&app, kept.to_owned()).await, 12);
    app.stop().await;
}
