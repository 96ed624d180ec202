//! Archives are looked into before they count.

use std::io::{Cursor, Write as _};

use kitward_tests::{Actor, Kind, Shop, TestApp, both};
use serde_json::json;

fn zip(names: &[&str]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(b"text").unwrap();
    }
    writer.finish().unwrap().into_inner()
}

async fn draft(admin: &Actor, version: &str) -> String {
    let release = json!({ "kit": "feedback-widget", "version": version });
    let created = admin.post("/v1/admin/releases", &release).await;
    created.expect_status(201).str("/id")
}

both!(a_hostile_archive_is_refused_by_the_name_of_its_entry);
async fn a_hostile_archive_is_refused_by_the_name_of_its_entry(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = Shop::open(&app).await.admin;
    let id = draft(&admin, "1.0.0").await;
    let path = |name: &str| format!("/v1/admin/releases/{id}/artifacts/{name}");
    let good = zip(&["kit/a", "kit/b"]);
    for (name, bytes, reason, entry) in [
        (
            "a.zip",
            zip(&["kit/a", "../evil"]),
            "parent_name",
            Some("../evil"),
        ),
        ("a.zip", zip(&["kit/CON"]), "device_name", Some("kit/CON")),
        ("a.zip", zip(&["a", "A"]), "twin", Some("A")),
        ("a.zip", b"no zip".to_vec(), "not_an_archive", None),
        ("a.zip", good[..good.len() - 9].to_vec(), "malformed", None),
        ("a.zip", [&good[..], b"more"].concat(), "trailing", None),
        ("a.tar.gz", b"no tar".to_vec(), "not_an_archive", None),
        ("a.tgz", b"no tar".to_vec(), "not_an_archive", None),
        ("a.tar.zst", b"no tar".to_vec(), "not_an_archive", None),
        // Whatever it is called.
        (
            "a.bin",
            zip(&["/etc/passwd"]),
            "absolute_name",
            Some("/etc/passwd"),
        ),
    ] {
        let reply = admin.put(&path(name), bytes).await;
        let reply = reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), "file");
        assert_eq!(reply.str("/reason"), reason, "{name}");
        assert_eq!(reply.json()["entry"].as_str(), entry, "{name}");
    }
    let release = admin.get(&format!("/v1/admin/releases/{id}")).await;
    assert_eq!(release.expect_status(200).json()["artifacts"], json!([]));
    let kept = admin.put(&path("a.zip"), good).await.expect_status(201);
    let kept = kept.json();
    assert_eq!(kept["archive"], "zip");
    assert_eq!(
        (&kept["archive_entries"], &kept["archive_bytes"]),
        (&json!(2), &json!(8))
    );
    let text = admin.put(&path("a.txt"), b"text".to_vec()).await;
    assert_eq!(text.expect_status(201).json()["archive"], json!(null));
    app.stop().await;
}

/// A tar of one file, whatever its name is.
fn tarred(name: &str) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(4);
    header.set_cksum();
    [&header.as_bytes()[..], b"text", &[0; 508 + 1024]].concat()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// In Zstandard, as one stored block in a window of 1 MiB.
fn in_zstandard(bytes: &[u8]) -> Vec<u8> {
    let block = (u32::try_from(bytes.len()).unwrap() << 3) | 1;
    let head = b"\x28\xb5\x2f\xfd\x00\x50";
    [&head[..], &block.to_le_bytes()[..3], bytes].concat()
}

both!(a_packed_tar_is_looked_into_whatever_it_is_called);
async fn a_packed_tar_is_looked_into_whatever_it_is_called(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = Shop::open(&app).await.admin;
    let id = draft(&admin, "1.0.0").await;
    let path = |name: &str| format!("/v1/admin/releases/{id}/artifacts/{name}");
    let (evil, good) = (tarred("../evil"), tarred("kit/a"));
    for (name, bytes) in [
        ("kit-1.0.0.crate", gzipped(&evil)),
        ("kit.gz", gzipped(&evil)),
        ("kit.tar.gzip", gzipped(&evil)),
        ("kit.zst", in_zstandard(&evil)),
    ] {
        let reply = admin.put(&path(name), bytes).await;
        let reply = reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/reason"), "parent_name", "{name}");
        assert_eq!(reply.str("/entry"), "../evil", "{name}");
    }
    for (name, bytes, archive) in [
        ("kit-1.0.0.crate", gzipped(&good), json!("tar.gz")),
        ("kit.zst", in_zstandard(&good), json!("tar.zst")),
        ("notes.gz", gzipped(b"text"), json!(null)),
        ("notes.zst", in_zstandard(b"text"), json!(null)),
    ] {
        let kept = admin.put(&path(name), bytes).await.expect_status(201);
        assert_eq!(kept.json()["archive"], archive, "{name}");
    }
    app.stop().await;
}

both!(a_kit_that_stamps_publishes_nothing_that_has_the_stamps_name);
async fn a_kit_that_stamps_publishes_nothing_that_has_the_stamps_name(kind: Kind) {
    let app = TestApp::start(kind).await;
    let admin = Shop::open(&app).await.admin;
    let kit = "/v1/admin/kits/feedback-widget";
    let edited = admin.patch(kit, &json!({ "stamps": true })).await;
    assert_eq!(edited.expect_status(200).json()["stamps"], true);
    let id = draft(&admin, "1.0.0").await;
    let path = format!("/v1/admin/releases/{id}/artifacts/kit.zip");
    let taken = zip(&["license-kitward.json"]);
    admin.put(&path, taken).await.expect_status(201);
    let publish = format!("/v1/admin/releases/{id}/publish");
    let refused = admin.post(&publish, &json!({})).await;
    let refused = refused.expect_problem(409, "conflict");
    assert_eq!(refused.str("/name"), "kit.zip");
    admin
        .patch(kit, &json!({ "stamps": false }))
        .await
        .expect_status(200);
    admin.post(&publish, &json!({})).await.expect_status(200);
    app.stop().await;
}
