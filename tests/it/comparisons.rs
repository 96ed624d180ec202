//! What changed between two versions: the patch does what it says, and only who may have both gets it.

pub(crate) mod kits;
mod patches;
mod portal;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kitward::kits::store::Terms;
use kitward_tests::{Actor, Kind, Purchase, Reply, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

use crate::seats::{number, sql};
use kits::{Files, new_kit, old_kit, tar_gz, zip, zip_of};

const KIT: &str = "feedback-widget";

fn path(range: &str) -> String {
    format!("/v1/kits/{KIT}/compare/{range}")
}

async fn bought(kind: Kind) -> (TestApp, Shop, Purchase) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    (app, shop, purchase)
}

/// A shop with two versions of a small kit, and who bought it.
async fn two_versions(kind: Kind) -> (TestApp, Shop, Purchase) {
    let (app, shop, purchase) = bought(kind).await;
    let old = zip_of("kit-1.0.0", &[("a.txt", "one\ntwo\n"), ("b.txt", "same\n")]);
    let new = zip_of(
        "kit-1.1.0",
        &[("a.txt", "one\nzwei\n"), ("b.txt", "same\n")],
    );
    shop.release(KIT, "1.0.0", "kit-1.0.0.zip", &old).await;
    shop.release(KIT, "1.1.0", "kit-1.1.0.zip", &new).await;
    (app, shop, purchase)
}

fn git_apply(folder: &Path, patch: &[u8]) -> Result<(), String> {
    let mut git = Command::new("git")
        .arg("apply")
        .current_dir(folder)
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Git may stop reading what it does not take.
    let _ = git.stdin.take().unwrap().write_all(patch);
    let done = git.wait_with_output().unwrap();
    if done.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// Makes an archive of files below a folder.
type Pack = fn(&str, &Files) -> Vec<u8>;

both!(a_patch_applied_by_git_to_the_old_archive_gives_the_new_one);
async fn a_patch_applied_by_git_to_the_old_archive_gives_the_new_one(kind: Kind) {
    let (app, shop, purchase) = bought(kind).await;
    let kit = app.kit(&purchase.key);
    let pack: [(&str, Pack); 2] = [("zip", zip), ("tar.gz", tar_gz)];
    for (major, (ending, pack)) in (1..).zip(pack) {
        let (from, to) = (format!("{major}.0.0"), format!("{major}.1.0"));
        for (version, files) in [(&from, old_kit()), (&to, new_kit())] {
            let folder = format!("kit-{version}");
            let name = format!("{folder}.{ending}");
            shop.release(KIT, version, &name, &pack(&folder, &files))
                .await;
        }
        let told = kit
            .get(&path(&format!("{from}...{to}")))
            .await
            .expect_status(200);
        assert_eq!(told.str("/summary/complete"), "true", "{}", told.text());
        assert_eq!(told.str("/summary/from_folder"), format!("kit-{from}"));
        assert_eq!(told.str("/from/name"), format!("kit-{from}.{ending}"));
        let patch = kit.get(&told.str("/patch/url")).await.expect_status(200);
        assert_eq!(patch.header("content-type"), "text/x-diff");
        assert_eq!(patch.header("patch-complete"), "true");
        assert_eq!(
            patch.header("patch-folders"),
            format!("kit-{from} kit-{to}")
        );
        assert_eq!(
            patch.header("etag"),
            format!("\"{}\"", told.str("/patch/sha256"))
        );
        assert_eq!(patch.bytes.len().to_string(), told.str("/patch/size"));
        // What a customer has: the archive as it was delivered, unpacked.
        let old = kits::unpack(&download(&kit, &told.str("/from/url")).await, ending);
        let new = kits::unpack(&download(&kit, &told.str("/to/url")).await, ending);
        let mine = old.path().join(format!("kit-{from}"));
        git_apply(&mine, &patch.bytes).unwrap();
        let wanted = new.path().join(format!("kit-{to}"));
        assert_eq!(kits::read(&mine), kits::read(&wanted));
        assert_eq!(kits::read(&mine), new_kit());
        for (count, least) in [("added", 3), ("removed", 2), ("renamed", 3), ("binary", 2)] {
            let found: u64 = told
                .str(&format!("/summary/counts/{count}"))
                .parse()
                .unwrap();
            assert!(found >= least, "{count}: {found}");
        }
    }
    app.stop().await;
}

async fn download(kit: &Actor, url: &str) -> Vec<u8> {
    kit.get(url).await.expect_status(200).bytes
}

both!(a_version_to_itself_is_nothing_and_latest_is_a_version);
async fn a_version_to_itself_is_nothing_and_latest_is_a_version(kind: Kind) {
    let (app, _shop, purchase) = two_versions(kind).await;
    let kit = app.kit(&purchase.key);
    let same = kit.get(&path("1.0.0...1.0.0")).await.expect_status(200);
    assert_eq!(same.json()["summary"]["files"], json!([]));
    assert_eq!(same.str("/summary/complete"), "true");
    let patch = kit
        .get(&path("1.0.0...1.0.0.patch"))
        .await
        .expect_status(200);
    assert!(patch.bytes.is_empty());
    let exact = kit.get(&path("1.0.0...1.1.0")).await.expect_status(200);
    for range in ["1.0.0...latest", "1.0.0...1", "1.0.0...1.1", "1.0...latest"] {
        let found = kit.get(&path(range)).await.expect_status(200);
        assert_eq!(found.json(), exact.json(), "{range}");
    }
    let etag = exact.header("etag").to_owned();
    let again = kit
        .clone()
        .with("if-none-match", etag)
        .get(&path("1.0.0...1.1.0"))
        .await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    let patch = kit
        .get(&path("1.0.0...1.1.0.patch"))
        .await
        .expect_status(200);
    assert_eq!(
        patch.text(),
        "diff --git a/a.txt b/a.txt\n\
         index 814f4a422927b82f5f8a43f8fab6d3839e3983f2..672c2052daa2f42e053295a12663b101bd032ad9 100644\n\
         --- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n"
    );
    let etag = patch.header("etag").to_owned();
    let again = kit
        .clone()
        .with("if-none-match", etag)
        .get(&path("1.0.0...1.1.0.patch"))
        .await;
    assert_eq!((again.status, again.bytes.len()), (304, 0));
    let head = kit
        .send(kit.request(Method::HEAD, &path("1.0.0...1.1.0.patch")))
        .await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    app.stop().await;
}

both!(only_who_may_have_both_versions_is_told);
async fn only_who_may_have_both_versions_is_told(kind: Kind) {
    let (app, shop, purchase) = two_versions(kind).await;
    let rate = zip_of("kit", &[("a", "a")]);
    shop.release("rate-limiter", "1.0.0", "r.zip", &rate).await;
    app.clock.advance(400 * 86_400);
    let newer = zip_of("kit-2.0.0", &[("a.txt", "secret\n")]);
    shop.release(KIT, "2.0.0", "kit-2.0.0.zip", &newer).await;
    let kit = app.kit(&purchase.key);
    for end in ["", ".patch"] {
        let at = |range: &str| format!("{}{end}", path(range));
        app.anonymous()
            .get(&at("1.0.0...1.1.0"))
            .await
            .expect_problem(401, "unauthorized");
        app.kit("kwl_unknown")
            .get(&at("1.0.0...1.1.0"))
            .await
            .expect_problem(401, "key_unknown");
        let foreign = format!("/v1/kits/rate-limiter/compare/1.0.0...1.0.0{end}");
        kit.get(&foreign)
            .await
            .expect_problem(403, "kit_not_covered");
        let missing = format!("/v1/kits/no-such-kit/compare/1.0.0...1.0.0{end}");
        kit.get(&missing)
            .await
            .expect_problem(403, "kit_not_covered");
        for range in ["1.0.0...2.0.0", "2.0.0...1.0.0", "2.0.0...2.0.0"] {
            let reply = kit.get(&at(range)).await;
            let reply = reply.expect_problem(403, "version_not_covered");
            assert_eq!(reply.str("/last_entitled_version"), "1.1.0");
            assert!(reply.str("/renew_url").contains("/licenses/lic_"));
            assert!(!reply.text().contains("secret"));
        }
        for range in [
            "1.0.0...9.9.9",
            "9.9.9...1.0.0",
            "1.0.0...",
            "...1.0.0",
            "1.0.0...1.1.0...1.2.0",
            "1.0.0...%2e%2e%2f%2e%2e%2fetc",
            "..%2f...1.0.0",
            "%00...1.0.0",
            "1.0.0...v1.1.0%0d%0aX:1",
            &format!("{}...1.0.0", "1".repeat(500)),
        ] {
            let reply = kit.get(&at(range)).await;
            assert_eq!(reply.status, 404, "{range}: {}", reply.text());
        }
        for header in [format!("Bearer {}", purchase.key), purchase.key.clone()] {
            let actor = app.anonymous().with("authorization", header);
            actor.get(&at("1.0.0...1.1.0")).await.expect_status(200);
        }
    }
    let reach = number(
        &app,
        "SELECT COUNT(*) AS number FROM comparisons".to_owned(),
    )
    .await;
    assert_eq!(reach, 1);
    app.stop().await;
}

both!(a_withdrawn_version_is_gone_and_a_yanked_one_is_had_by_name);
async fn a_withdrawn_version_is_gone_and_a_yanked_one_is_had_by_name(kind: Kind) {
    let (app, _shop, purchase) = two_versions(kind).await;
    let kit = app.kit(&purchase.key);
    kit.get(&path("1.0.0...1.1.0")).await.expect_status(200);
    let yank = "UPDATE releases SET yanked_at = published_at WHERE version = '1.1.0'";
    sql(&app, yank.to_owned()).await;
    kit.get(&path("1.0.0...1.1.0")).await.expect_status(200);
    let latest = kit.get(&path("1.0.0...latest")).await.expect_status(200);
    assert_eq!(latest.str("/to/version"), "1.0.0");
    let withdraw = "UPDATE releases SET withdrawn_at = published_at WHERE version = '1.1.0'";
    sql(&app, withdraw.to_owned()).await;
    // What is kept is given no more.
    for range in ["1.0.0...1.1.0", "1.1.0...1.0.0", "1.0.0...1.1.0.patch"] {
        kit.get(&path(range)).await.expect_problem(410, "gone");
    }
    app.stop().await;
}

both!(a_comparison_is_computed_once_for_everybody);
async fn a_comparison_is_computed_once_for_everybody(kind: Kind) {
    let (app, shop, purchase) = two_versions(kind).await;
    let other = shop.issue(&app, Terms::default()).await;
    let actors = [app.kit(&purchase.key), app.kit(&other.key)];
    let asked = (0..16).map(|number| {
        let actor = &actors[number % 2];
        let end = if number % 3 == 0 { ".patch" } else { "" };
        async move { actor.get(&format!("{}{end}", path("1.0.0...1.1.0"))).await }
    });
    for reply in join_all(asked).await {
        reply.expect_status(200);
    }
    // Nobody reads the archives again: they may as well be gone.
    let blobs = app.app.config.data_dir.join("blobs");
    std::fs::rename(&blobs, blobs.with_extension("away")).unwrap();
    for actor in &actors {
        let kept = actor.get(&path("1.0.0...1.1.0")).await.expect_status(200);
        assert_eq!(kept.str("/summary/counts/modified"), "1");
        actor
            .get(&path("1.0.0...1.1.0.patch"))
            .await
            .expect_status(200);
    }
    // What is not kept needs them; a failure of the storage is none of the archives.
    let reply = actors[0].get(&path("1.1.0...1.0.0")).await;
    assert!(reply.status >= 500, "{}", reply.text());
    std::fs::rename(blobs.with_extension("away"), &blobs).unwrap();
    actors[0]
        .get(&path("1.1.0...1.0.0"))
        .await
        .expect_status(200);
    app.stop().await;
}

both!(what_cannot_be_compared_names_the_files_to_compare_yourself);
async fn what_cannot_be_compared_names_the_files_to_compare_yourself(kind: Kind) {
    let (app, shop, purchase) = two_versions(kind).await;
    let kit = app.kit(&purchase.key);
    shop.release(KIT, "1.2.0", "kit-1.2.0.pdf", b"no archive")
        .await;
    let refused = |reply: Reply| {
        let reply = reply.expect_problem(422, "not_comparable");
        assert_eq!(reply.str("/reason"), "unreadable");
        assert!(
            reply
                .str("/files/0")
                .ends_with("/1.1.0/artifacts/kit-1.1.0.zip")
        );
        assert!(
            reply
                .str("/files/1")
                .ends_with("/1.2.0/artifacts/kit-1.2.0.pdf")
        );
        reply.str("/detail")
    };
    let detail = refused(kit.get(&path("1.1.0...1.2.0")).await);
    assert_eq!(
        detail,
        "The new archive cannot be compared: it is no zip, tar, tar.gz or tar.zst."
    );
    assert_eq!(refused(kit.get(&path("1.1.0...1.2.0.patch")).await), detail);
    let kept = "SELECT COUNT(*) AS number FROM comparisons WHERE outcome = 'unreadable'";
    assert_eq!(number(&app, kept.to_owned()).await, 1);
    // What an earlier edition of the program kept is computed anew.
    let old = "UPDATE comparisons SET edition = 0, outcome = 'too_large', summary = 'x'";
    sql(&app, old.to_owned()).await;
    refused(kit.get(&path("1.1.0...1.2.0")).await);
    // What took too long is tried again after an hour.
    let slow = "UPDATE comparisons SET outcome = 'too_slow', summary = 'It took too long.'";
    sql(&app, slow.to_owned()).await;
    let reply = kit.get(&path("1.1.0...1.2.0")).await;
    let reply = reply.expect_problem(422, "not_comparable");
    assert_eq!(reply.str("/reason"), "too_slow");
    app.clock.advance(3_601);
    refused(kit.get(&path("1.1.0...1.2.0")).await);
    app.stop().await;
}

both!(the_archives_that_are_alike_by_name_are_compared);
async fn the_archives_that_are_alike_by_name_are_compared(kind: Kind) {
    let (app, shop, purchase) = bought(kind).await;
    let text = |text: &str| zip_of("kit", &[("a.txt", text)]);
    for version in ["1.0.0", "1.1.0"] {
        let release = json!({ "kit": KIT, "version": version });
        let release = shop.admin.post("/v1/admin/releases", &release).await;
        let id = release.expect_status(201).str("/id");
        for (name, kind, bytes) in [
            (format!("docs-{version}.zip"), "docs", text("docs")),
            (format!("kit-{version}-full.zip"), "source", text(version)),
            (format!("lite-{version}.zip"), "source", text("lite")),
        ] {
            let path = format!("/v1/admin/releases/{id}/artifacts/{name}?kind={kind}");
            let put = shop.admin.put(&path, bytes).await;
            assert!(put.status < 300, "{}", put.text());
        }
        let publish = format!("/v1/admin/releases/{id}/publish");
        shop.admin
            .post(&publish, &json!({}))
            .await
            .expect_status(200);
    }
    let kit = app.kit(&purchase.key);
    let told = kit.get(&path("1.0.0...1.1.0")).await.expect_status(200);
    assert_eq!(told.str("/from/name"), "kit-1.0.0-full.zip");
    assert_eq!(told.str("/to/name"), "kit-1.1.0-full.zip");
    assert_eq!(told.str("/summary/counts/modified"), "1");
    app.stop().await;
}

/// On one database: the archives are what takes its time.
#[test]
fn large_archives_are_compared_in_time_and_beyond_the_limits_refused() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let (app, shop, purchase) = bought(kind).await;
        let kit = app.kit(&purchase.key);
        let many = |count: usize, text: &str| {
            let names: Vec<String> = (0..count)
                .map(|n| format!("src/{}/{n}.ts", n % 100))
                .collect();
            let files: Vec<(&str, &str)> = names.iter().map(|name| (&**name, text)).collect();
            zip_of("kit", &files)
        };
        shop.release(KIT, "1.0.0", "kit-1.0.0.zip", &many(20_000, "old\n"))
            .await;
        shop.release(KIT, "1.1.0", "kit-1.1.0.zip", &many(20_000, "new\n"))
            .await;
        let started = Instant::now();
        let told = kit.get(&path("1.0.0...1.1.0")).await.expect_status(200);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(30), "{took:?}");
        assert_eq!(told.str("/summary/counts/modified"), "20000");
        assert_eq!(
            told.json()["summary"]["files"].as_array().unwrap().len(),
            5_000
        );
        assert_eq!(told.str("/summary/files_left_out"), "15000");
        assert_eq!(told.str("/summary/complete"), "true");
        shop.release(KIT, "1.2.0", "kit-1.2.0.zip", &many(50_001, ""))
            .await;
        let reply = kit.get(&path("1.1.0...1.2.0")).await;
        let reply = reply.expect_problem(422, "not_comparable");
        assert_eq!(reply.str("/reason"), "too_many_files");
        // A file that is too large for the patch is named, and git refuses to guess.
        let large = "0123456789abcde\n".repeat(300_000);
        let files = [("small.txt", "a\n"), ("large.txt", &*large)];
        shop.release(
            KIT,
            "1.3.0",
            "kit-1.3.0.zip",
            &zip_of("kit", &[("small.txt", "b\n")]),
        )
        .await;
        shop.release(KIT, "1.4.0", "kit-1.4.0.zip", &zip_of("kit", &files))
            .await;
        let patch = kit
            .get(&path("1.3.0...1.4.0.patch"))
            .await
            .expect_status(200);
        assert_eq!(patch.header("patch-complete"), "false");
        assert!(
            patch
                .text()
                .contains("Binary files /dev/null and b/large.txt differ\n")
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("small.txt"), "b\n").unwrap();
        assert!(git_apply(folder.path(), &patch.bytes).is_err());
        app.stop().await;
    });
}
