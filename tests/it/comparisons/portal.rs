//! Downloads and comparisons as customers see them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use kitward_tests::{BUYER, Kind, Shop, TestApp, both};
use serde_json::json;

use super::kits::{zip, zip_of};
use super::{KIT, bought, kits, two_versions};
use crate::seats::number;

fn weight(text: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

async fn release(shop: &Shop, version: &str, notes: &str) {
    let release = json!({ "kit": KIT, "version": version, "notes": notes });
    let created = shop.admin.post("/v1/admin/releases", &release).await;
    let id = created.expect_status(201).str("/id");
    let path = format!("/v1/admin/releases/{id}/artifacts/kit-{version}.zip");
    let file = zip_of(&format!("kit-{version}"), &[("version.txt", version)]);
    let put = shop.admin.put(&path, file).await;
    assert!(put.status < 300, "{}", put.text());
    let publish = format!("/v1/admin/releases/{id}/publish");
    shop.admin
        .post(&publish, &json!({}))
        .await
        .expect_status(200);
}

/// Addresses of links whose words begin so.
fn links(page: &str, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in page.split("<a ").skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        if rest.starts_with(words) {
            let href = tag
                .split("href=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            found.push(href.replace("&#38;", "&").replace("&amp;", "&"));
        }
    }
    found
}

both!(a_customer_reads_what_changed_and_takes_the_patch);
async fn a_customer_reads_what_changed_and_takes_the_patch(kind: Kind) {
    let (app, shop, purchase) = bought(kind).await;
    for (version, files) in [("1.0.0", kits::old_kit()), ("1.1.0", kits::new_kit())] {
        let archive = zip(&format!("kit-{version}"), &files);
        shop.release(KIT, version, &format!("kit-{version}.zip"), &archive)
            .await;
    }
    let browser = app.customer(BUYER).await;
    let downloads = browser.get("/downloads").await.expect_status(200).text();
    let address = links(&downloads, "What changed since 1.0.0").remove(0);
    assert_eq!(address, format!("/downloads/{KIT}/compare/1.0.0...1.1.0"));
    let page = browser.get(&address).await.expect_status(200).text();
    for shown in [
        "What changed from 1.0.0 to 1.1.0",
        "src/ui/widget.ts",
        "<ins>+zwo</ins>",
        "<del>-zwei</del>",
        "It is now a program.",
        "Not shown by line: 12009 bytes before, 12009 now.",
        "the folder <code>kit-1.0.0</code>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(weight(&page) <= 14 * 1024, "{}", weight(&page));
    let patch = links(&page, "Download the patch").remove(0);
    let mine = browser.get(&patch).await.expect_status(200);
    let same = format!("/v1/kits/{KIT}/compare/1.0.0...1.1.0.patch");
    let same = app.kit(&purchase.key).get(&same).await.expect_status(200);
    assert_eq!(mine.bytes, same.bytes);
    assert!(
        mine.header("content-disposition")
            .contains("feedback-widget-1.0.0-to-1.1.0.patch")
    );
    app.stop().await;
}

both!(nobody_else_reads_what_changed);
async fn nobody_else_reads_what_changed(kind: Kind) {
    let (app, shop, _purchase) = two_versions(kind).await;
    app.clock.advance(400 * 86_400);
    shop.release(
        KIT,
        "2.0.0",
        "kit-2.0.0.zip",
        &zip_of("kit-2.0.0", &[("s", "secret")]),
    )
    .await;
    let mine = app.customer(BUYER).await;
    let stranger = app.customer("stranger@example.com").await;
    for end in ["", ".patch"] {
        let at = |range: &str| format!("/downloads/{KIT}/compare/{range}{end}");
        mine.get(&at("1.0.0...1.1.0")).await.expect_status(200);
        assert_eq!(stranger.get(&at("1.0.0...1.1.0")).await.status, 404);
        let away = app
            .browser()
            .get(&at("1.0.0...1.1.0"))
            .await
            .expect_status(303);
        assert!(away.header("location").starts_with("/sign-in"));
        for range in ["1.0.0...2.0.0", "2.0.0...1.0.0"] {
            let locked = mine.get(&at(range)).await.expect_status(403);
            assert!(!locked.text().contains("secret"));
        }
        for range in [
            "1.0.0...9.0.0",
            "1.0.0...%2e%2e",
            "...1.0.0",
            "1.0.0...",
            "latest...%00",
        ] {
            assert_eq!(mine.get(&at(range)).await.status, 404, "{range}");
        }
        // A key is no session, and a session is no key.
        let api = format!("/v1/kits/{KIT}/compare/1.0.0...1.1.0{end}");
        mine.get(&api).await.expect_problem(401, "unauthorized");
    }
    app.stop().await;
}

async fn issue(shop: &Shop, policy: &str) -> String {
    let license = json!({ "policy": policy, "email": BUYER });
    let issued = shop.admin.post("/v1/admin/licenses", &license).await;
    issued.expect_status(201).str("/id")
}

both!(two_versions_are_compared_by_one_license_that_opens_both);
async fn two_versions_are_compared_by_one_license_that_opens_both(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let terms = json!({ "entitlements": ["pro"], "updates_months": 1 });
    Shop::policy(&shop.admin, "pro", &terms).await;
    issue(&shop, "pro").await;
    let archive = zip_of("kit-1.0.0", &[("version.txt", "1.0.0")]);
    let id = shop.release(KIT, "1.0.0", "kit-1.0.0.zip", &archive).await;
    let needs = json!({ "required_entitlements": ["pro"] });
    let edited = format!("/v1/admin/releases/{id}");
    shop.admin.patch(&edited, &needs).await.expect_status(200);
    // One license opens the first version alone, the other one all others.
    app.clock.advance(40 * 86_400);
    issue(&shop, "personal").await;
    for version in ["1.1.0", "1.2.0"] {
        release(&shop, version, "").await;
    }
    let browser = app.customer(BUYER).await;
    let [older, newer] =
        ["1.0.0...1.1.0", "1.1.0...1.2.0"].map(|range| format!("/downloads/{KIT}/compare/{range}"));
    let patch = format!("{older}.patch");
    for refused in [&older, &patch] {
        browser.get(refused).await.expect_status(403);
    }
    let list = format!("/downloads?kit={KIT}");
    let page = browser.get(&list).await.expect_status(200).text();
    assert_eq!(links(&page, "What changed since"), [newer.as_str()]);
    let page = browser.get(&newer).await.expect_status(200).text();
    assert!(links(&page, "From 1.0.0").is_empty());
    // A license for both is taken, though newer ones open one of them.
    app.clock.advance(1);
    let both = issue(&shop, "pro").await;
    app.clock.advance(1);
    issue(&shop, "personal").await;
    let page = browser.get(&list).await.expect_status(200).text();
    assert_eq!(
        links(&page, "What changed since"),
        [newer.clone(), older.clone()]
    );
    let page = browser.get(&newer).await.expect_status(200).text();
    assert_eq!(links(&page, "From 1.0.0").len(), 1);
    browser.get(&older).await.expect_status(200);
    browser.get(&patch).await.expect_status(200);
    let rows = "SELECT COUNT(*) AS number FROM downloads";
    let own = format!("{rows} WHERE license_id = '{both}'");
    let counted = (number(&app, rows.to_owned()).await, number(&app, own).await);
    assert_eq!(counted, (2, 2));
    app.stop().await;
}

both!(downloads_are_listed_by_major_version_and_channel);
async fn downloads_are_listed_by_major_version_and_channel(kind: Kind) {
    let (app, shop, _purchase) = bought(kind).await;
    for version in ["1.0.0", "1.1.0", "2.0.0", "2.1.0-beta.1"] {
        release(&shop, version, "Better.").await;
    }
    let browser = app.customer(BUYER).await;
    let shows = |page: &str, version: &str| page.contains(&format!(">{version}</h4>"));
    let all = browser.get("/downloads").await.expect_status(200).text();
    assert!(shows(&all, "2.0.0") && !shows(&all, "1.1.0") && !shows(&all, "2.1.0-beta.1"));
    let kit = browser
        .get(&links(&all, "All releases of")[0])
        .await
        .expect_status(200)
        .text();
    assert!(shows(&kit, "2.0.0") && !shows(&kit, "1.1.0") && !shows(&kit, "2.1.0-beta.1"));
    let first = browser
        .get(&links(&kit, "Version 1")[0])
        .await
        .expect_status(200)
        .text();
    assert!(shows(&first, "1.1.0") && shows(&first, "1.0.0") && !shows(&first, "2.0.0"));
    let beta = browser
        .get(&links(&kit, "Also beta")[0])
        .await
        .expect_status(200)
        .text();
    assert!(shows(&beta, "2.1.0-beta.1") && shows(&beta, "2.0.0"));
    assert!(beta.contains("compare/2.0.0...2.1.0-beta.1\""));
    // What is not understood is left out; a kit of nobody's is not there.
    for odd in [
        "major=x",
        "channel=x",
        "major=99",
        "after=x",
        "major=-1",
        "after=%00&channel=",
    ] {
        browser
            .get(&format!("/downloads?kit={KIT}&{odd}"))
            .await
            .expect_status(200);
    }
    for kit in ["rate-limiter", "no-such-kit", "", "%00"] {
        assert_eq!(
            browser.get(&format!("/downloads?kit={kit}")).await.status,
            404
        );
    }
    app.stop().await;
}

both!(a_locked_release_leads_to_its_renewal);
async fn a_locked_release_leads_to_its_renewal(kind: Kind) {
    let (app, shop, _purchase) = bought(kind).await;
    release(&shop, "1.0.0", "").await;
    app.clock.advance(400 * 86_400);
    release(&shop, "2.0.0", "").await;
    let browser = app.customer(BUYER).await;
    let page = browser.get("/downloads").await.expect_status(200).text();
    let way_out = links(&page, "Renew the updates").remove(0);
    assert!(way_out.starts_with("/licenses/lic_"), "{way_out}");
    assert!(page.contains("It came out after the updates of your license ended."));
    assert!(!page.contains("What changed since"));
    let change = json!({ "renew_url": "https://example.com/renew" });
    let policy = format!("/v1/admin/policies/{}", shop.policy);
    shop.admin.patch(&policy, &change).await.expect_status(200);
    let page = browser.get("/downloads").await.expect_status(200).text();
    assert_eq!(
        links(&page, "Renew the updates"),
        ["https://example.com/renew"]
    );
    app.stop().await;
}

both!(notes_are_shown_as_markdown_and_run_nothing);
async fn notes_are_shown_as_markdown_and_run_nothing(kind: Kind) {
    let (app, shop, _purchase) = bought(kind).await;
    let hostile = "# New\n\n**fast** [out](javascript:alert(1)) ![x](https://evil.example/x.png)\n\
                   <script>alert(1)</script> \u{202e}turned\n\n[docs](https://example.com/docs)";
    release(&shop, "1.0.0", hostile).await;
    release(&shop, "2.0.0", &"x".repeat(20_000)).await;
    let browser = app.customer(BUYER).await;
    let page = browser
        .get(&format!("/downloads?kit={KIT}&major=1"))
        .await
        .expect_status(200)
        .text();
    assert!(page.contains("<h5>New</h5>") && page.contains("<strong>fast</strong>"));
    assert_eq!(links(&page, "docs"), ["https://example.com/docs"]);
    assert!(page.contains("rel=\"nofollow noopener\""));
    for bad in [
        "<script>alert",
        "javascript:",
        "evil.example",
        "\u{202e}",
        "<img",
    ] {
        assert!(!page.contains(bad), "{bad}");
    }
    let page = browser.get("/downloads").await.expect_status(200).text();
    let whole = links(&page, "Read all of the notes").remove(0);
    let whole = browser.get(&whole).await.expect_status(200);
    assert_eq!(whole.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.text().len(), 20_000);
    let stranger = app.customer("stranger@example.com").await;
    let notes = format!("/downloads/{KIT}/notes/2.0.0");
    assert_eq!(stranger.get(&notes).await.status, 404);
    app.stop().await;
}

/// On one database: the pages are what is weighed.
#[test]
fn a_page_of_downloads_stays_light_however_much_was_released() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let (app, shop, _purchase): (TestApp, _, _) = bought(kind).await;
        let mut state = 1_u32;
        let mut noise = |length: usize| -> String {
            let letters = (0..length).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b'a' + u8::try_from((state >> 16) % 26).unwrap())
            });
            letters.collect()
        };
        for minor in 0..40 {
            release(&shop, &format!("1.{minor}.0"), &noise(5_000)).await;
        }
        let browser = app.customer(BUYER).await;
        let mut address = format!("/downloads?kit={KIT}");
        let mut seen = std::collections::BTreeSet::new();
        loop {
            let page = browser.get(&address).await.expect_status(200).text();
            assert!(weight(&page) <= 14 * 1024, "{address}: {}", weight(&page));
            for part in page.split("</h4>") {
                if let Some((_, version)) = part.rsplit_once("<h4 class=\"mono\">") {
                    assert!(seen.insert(version.to_owned()), "{version} twice");
                }
            }
            match links(&page, "Earlier releases").pop() {
                Some(next) => address = next,
                None => break,
            }
        }
        assert_eq!(seen.len(), 40);
        app.stop().await;
    });
}
