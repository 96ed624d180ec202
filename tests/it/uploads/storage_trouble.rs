//! A storage that is full, or gives other bytes than were put into it.

use std::process::Command;

use kitward_tests::{Kind, both, run_on};
use serde_json::json;

use super::{Draft, PART, blobs, file_of, files_below, sha256, shop};

both!(parts_that_the_storage_damaged_are_asked_for_again);
async fn parts_that_the_storage_damaged_are_asked_for_again(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let file = file_of(2 * PART + 5, 21);
    let upload = draft.fill("kit.bin", &file).await;
    let folder = blobs(&app).join("uploads").join(&upload);
    let part = |number: usize| {
        let found = files_below(&folder).into_iter().find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(&format!("{number}-"))
        });
        found.unwrap()
    };
    let damages: [&dyn Fn(); 4] = [
        &|| std::fs::write(part(1), file_of(PART, 99)).unwrap(),
        &|| std::fs::write(part(1), b"short").unwrap(),
        &|| std::fs::write(part(1), file_of(2 * PART, 98)).unwrap(),
        &|| std::fs::remove_file(part(1)).unwrap(),
    ];
    for damage in damages {
        damage();
        let refused = draft.complete(&upload).await;
        let refused = refused.expect_problem(409, "conflict");
        assert_eq!(refused.json()["missing"], json!([1]));
        assert!(draft.artifacts().await.is_empty());
        draft
            .send(&upload, 1, &file[..PART])
            .await
            .expect_status(200);
    }
    let done = draft.complete(&upload).await.expect_status(200);
    assert_eq!(done.str("/sha256"), sha256(&file));
    assert_eq!(files_below(&blobs(&app)).len(), 1);
    app.stop().await;
}

/// A small file system of its own, where this user may mount one.
struct Small(std::path::PathBuf);

impl Small {
    fn mount(at: std::path::PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&at)
            .output();
        mounted
            .is_ok_and(|out| out.status.success())
            .then_some(Self(at))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_refuses_parts_and_files_and_recovers() {
    run_on(Kind::Sqlite, |kind| async move {
        let (app, _shop) = shop(kind).await;
        let Some(disk) = Small::mount(blobs(&app), "10m") else {
            eprintln!("skipped: no file system can be mounted here");
            return;
        };
        let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
        let file = file_of(2 * PART, 22);
        let upload = draft.fill("kit.bin", &file).await;
        // Its parts are there; the whole does not fit beside them.
        let full = draft.complete(&upload).await;
        full.expect_problem(507, "insufficient_storage");
        assert!(draft.artifacts().await.is_empty());
        let whole = draft.path("/artifacts/plain.bin");
        let full = draft.publisher.put(&whole, file_of(PART, 23)).await;
        full.expect_problem(507, "insufficient_storage");
        let big = file_of(PART, 24);
        let other = draft
            .begin("other.bin", &big)
            .await
            .expect_status(201)
            .str("/id");
        let full = draft.send(&other, 1, &big).await;
        full.expect_problem(507, "insufficient_storage");
        assert_eq!(
            files_below(&blobs(&app)).len(),
            2,
            "the parts, and nothing else"
        );
        let grown = Command::new("mount")
            .args(["-o", "remount,size=64m"])
            .arg(&disk.0)
            .status();
        assert!(grown.unwrap().success());
        draft.complete(&upload).await.expect_status(200);
        draft.send(&other, 1, &big).await.expect_status(200);
        draft.complete(&other).await.expect_status(200);
        assert_eq!(files_below(&blobs(&app)).len(), 2);
        app.stop().await;
    });
}
