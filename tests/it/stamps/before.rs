//! Files that came before anybody looked into files.

use std::time::Duration;

use futures_util::future::join_all;
use kitward_tests::{Kind, TestApp, both};
use serde_json::json;

use super::{FILE, KIT, Stamping, path, sha256, sql, tar_gz};
use crate::uploads::blobs;

/// Makes files what they were before anybody looked into files that came.
async fn forget_layouts(app: &TestApp) {
    let before = "UPDATE artifacts SET examined = FALSE, archive = NULL, archive_entries = NULL, \
                  archive_bytes = NULL, zip_end = NULL, blake2b = NULL";
    sql(app, before.to_owned()).await;
}

both!(files_that_nobody_looked_into_are_stamped_as_all_others);
async fn files_that_nobody_looked_into_are_stamped_as_all_others(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let first = stamping.fetch(FILE).await.bytes;
    let tar = stamping.fetch("kit.tar.gz").await.bytes;
    forget_layouts(&stamping.app).await;
    let second = stamping.app.second().await;
    let (kit, there) = (
        stamping.app.kit(&stamping.purchase.key),
        second.kit(&stamping.purchase.key),
    );
    let asked = path(FILE);
    let at_once = (0..6).map(|n| {
        let actor = if n % 2 == 0 { &kit } else { &there };
        actor.get(&asked)
    });
    for reply in join_all(at_once).await {
        assert!(reply.expect_status(200).bytes == first, "another copy");
    }
    assert_eq!(stamping.fetch("kit.tar.gz").await.bytes, tar);
    assert_eq!(stamping.fetch("notes.txt").await.bytes, b"text");
    assert_eq!(stamping.fetch("package.tgz").await.bytes, stamping.tar);
    // It is known from then on.
    let count = "UPDATE artifacts SET examined = TRUE WHERE examined = FALSE AND kind <> 'npm'";
    assert_eq!(sql(&stamping.app, count.to_owned()).await, 0);
    second.stop().await;
    stamping.app.stop().await;
}

both!(a_packed_file_of_any_name_is_told_as_it_is_given);
async fn a_packed_file_of_any_name_is_told_as_it_is_given(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let (app, admin) = (&stamping.app, &stamping.shop.admin);
    let release = json!({ "kit": "feedback-widget", "version": "1.0.1" });
    let created = admin.post("/v1/admin/releases", &release).await;
    let id = created.expect_status(201).str("/id");
    for (name, bytes) in [
        ("kit.unitypackage", tar_gz(b"text")),
        ("kit.bin", b"\x1f\x8b, but not packed".to_vec()),
    ] {
        let put = format!("/v1/admin/releases/{id}/artifacts/{name}");
        admin.put(&put, bytes).await.expect_status(201);
    }
    let publish = format!("/v1/admin/releases/{id}/publish");
    admin.post(&publish, &json!({})).await.expect_status(200);
    let kit = app.kit(&stamping.purchase.key);
    let one = "/v1/kits/feedback-widget/releases/1.0.1";
    let check = "/v1/kits/feedback-widget/updates?version=1.0.0";
    for (address, at) in [(one, "/artifacts"), (check, "/release/artifacts")] {
        forget_layouts(app).await;
        let shown = kit.get(address).await.expect_status(200).json();
        for file in shown.pointer(at).unwrap().as_array().unwrap() {
            let name = file["name"].as_str().unwrap();
            let given = kit.get(&format!("{one}/artifacts/{name}")).await;
            let is_own = sha256(&given.expect_status(200).bytes) != file["sha256"];
            assert_eq!(is_own, name == "kit.unitypackage", "{name}");
            assert_eq!(file["stamped"] == json!(true), is_own, "{address} {name}");
        }
    }
    stamping.app.stop().await;
}

both!(a_file_of_before_that_is_no_archive_by_now_never_leaves_without_a_stamp);
async fn a_file_of_before_that_is_no_archive_by_now_never_leaves_without_a_stamp(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    forget_layouts(&stamping.app).await;
    let renamed = "UPDATE artifacts SET name = 'notes.zip' WHERE name = 'notes.txt'";
    sql(&stamping.app, renamed.to_owned()).await;
    let kit = stamping.app.kit(&stamping.purchase.key);
    for _ in 0..2 {
        let refused = kit.get(&path("notes.zip")).await;
        refused.expect_problem(409, "conflict");
    }
    let edited = stamping
        .shop
        .admin
        .patch(KIT, &json!({ "stamps": false }))
        .await;
    edited.expect_status(200);
    assert_eq!(stamping.fetch("notes.zip").await.bytes, b"text");
    stamping.app.stop().await;
}

both!(a_file_of_before_that_the_storage_damaged_is_refused_until_it_is_mended);
async fn a_file_of_before_that_the_storage_damaged_is_refused_until_it_is_mended(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let first = stamping.fetch(FILE).await.bytes;
    forget_layouts(&stamping.app).await;
    let hash = sha256(&stamping.zip);
    let folder = blobs(&stamping.app).join("sha256").join(&hash[..2]);
    let stored = folder.join(&hash[2..]);
    let kit = stamping.app.kit(&stamping.purchase.key);
    std::fs::write(&stored, vec![b'x'; stamping.zip.len()]).unwrap();
    for _ in 0..2 {
        let refused = kit.get(&path(FILE)).await;
        refused.expect_problem(503, "unavailable");
    }
    std::fs::write(&stored, &stamping.zip).unwrap();
    assert!(stamping.fetch(FILE).await.bytes == first, "another copy");
    stamping.app.stop().await;
}

both!(a_file_that_takes_too_long_to_look_into_is_not_tried_at_every_download);
async fn a_file_that_takes_too_long_to_look_into_is_not_tried_at_every_download(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let (app, admin) = (&stamping.app, &stamping.shop.admin);
    let release = json!({ "kit": "feedback-widget", "version": "1.0.1" });
    let created = admin.post("/v1/admin/releases", &release).await;
    let id = created.expect_status(201).str("/id");
    let put = format!("/v1/admin/releases/{id}/artifacts/large.tar.gz");
    let bytes = (0..16 << 20).map(|n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]);
    let large = tar_gz(&bytes.collect::<Vec<u8>>());
    admin.put(&put, large).await.expect_status(201);
    let publish = format!("/v1/admin/releases/{id}/publish");
    admin.post(&publish, &json!({})).await.expect_status(200);
    forget_layouts(app).await;
    let kit = app.kit(&stamping.purchase.key);
    let asked = "/v1/kits/feedback-widget/releases/1.0.1/artifacts/large.tar.gz";
    // Each step is longer than a look may take; all that fit between the refusal and its reading are
    // shorter than the rest that follows it.
    let minutes_pass = async {
        loop {
            app.clock.advance(121);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let refused = tokio::select! {
        reply = kit.get(asked) => reply,
        () = minutes_pass => unreachable!(),
    };
    refused.expect_problem(503, "unavailable");
    // Now it would not take long, and is not asked.
    kit.get(asked).await.expect_problem(503, "unavailable");
    app.clock.advance(3_600);
    kit.get(asked).await.expect_status(200);
    stamping.app.stop().await;
}

both!(a_draft_of_before_is_looked_into_before_it_goes_out);
async fn a_draft_of_before_is_looked_into_before_it_goes_out(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let admin = &stamping.shop.admin;
    let release = json!({ "kit": "feedback-widget", "version": "1.1.0" });
    let id = admin.post("/v1/admin/releases", &release).await.str("/id");
    let put = format!("/v1/admin/releases/{id}/artifacts/odd.txt");
    admin.put(&put, b"text".to_vec()).await.expect_status(201);
    forget_layouts(&stamping.app).await;
    let renamed = "UPDATE artifacts SET name = 'odd.zip' WHERE name = 'odd.txt'";
    sql(&stamping.app, renamed.to_owned()).await;
    let publish = format!("/v1/admin/releases/{id}/publish");
    let refused = admin.post(&publish, &json!({})).await;
    let refused = refused.expect_problem(409, "conflict");
    assert_eq!(refused.str("/name"), "odd.zip");
    assert_eq!(refused.str("/reason"), "not_an_archive");
    stamping.app.stop().await;
}
