//! What is left in the storage goes, and nothing that somebody is about to refer to.

use std::time::{Duration, SystemTime};

use kitward::releases::sweep::{Swept, claim_next, remove_claimed, sweep};
use kitward_tests::{Kind, TestApp, both};

use super::{Draft, PART, blobs, file_of, files_below, sha256, shop};

const DAY: i64 = 86_400;

async fn swept(app: &TestApp) -> Swept {
    sweep(&app.app).await.unwrap()
}

async fn add(draft: &Draft, name: &str, file: &[u8]) {
    let path = draft.path(&format!("/artifacts/{name}"));
    draft
        .publisher
        .put(&path, file.to_vec())
        .await
        .expect_status(201);
}

both!(bytes_nothing_refers_to_go_a_day_later);
async fn bytes_nothing_refers_to_go_a_day_later(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    add(&draft, "one.bin", b"twice").await;
    add(&draft, "two.bin", b"twice").await;
    draft
        .delete(&draft.path("/artifacts/one.bin"))
        .await
        .expect_status(204);
    app.clock.advance(2 * DAY);
    assert_eq!(
        swept(&app).await,
        Swept::default(),
        "another file has these bytes"
    );
    draft
        .delete(&draft.path("/artifacts/two.bin"))
        .await
        .expect_status(204);
    app.clock.advance(DAY - 1);
    assert_eq!(swept(&app).await, Swept::default(), "a day is not over");
    // Somebody comes with the same bytes, and goes.
    let other = Draft::open(&app, "rate-limiter", "1.0.0").await;
    add(&other, "back.bin", b"twice").await;
    app.clock.advance(2 * DAY);
    assert_eq!(swept(&app).await, Swept::default());
    other
        .delete(&other.path("/artifacts/back.bin"))
        .await
        .expect_status(204);
    app.clock.advance(DAY + 1);
    let gone = swept(&app).await;
    assert_eq!((gone.removed, gone.removed_bytes), (1, 5));
    assert!(files_below(&blobs(&app)).is_empty());
    assert_eq!(swept(&app).await, Swept::default());
    // And may come again.
    add(&draft, "one.bin", b"twice").await;
    app.stop().await;
}

both!(uploads_nobody_goes_on_with_end_after_a_day);
async fn uploads_nobody_goes_on_with_end_after_a_day(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let file = file_of(PART + 10, 31);
    let left = draft.fill("left.bin", b"left").await;
    let slow = draft
        .begin("slow.bin", &file)
        .await
        .expect_status(201)
        .str("/id");
    app.clock.advance(DAY / 2);
    draft.send(&slow, 1, &file[..PART]).await.expect_status(200);
    app.clock.advance(DAY / 2 + 1);
    let ended = swept(&app).await;
    assert_eq!((ended.uploads, ended.stray_parts), (1, 0));
    draft.show(&left).await.expect_problem(404, "not_found");
    assert_eq!(files_below(&blobs(&app)).len(), 1);
    draft.send(&slow, 2, &file[PART..]).await.expect_status(200);
    draft.complete(&slow).await.expect_status(200);
    app.stop().await;
}

both!(a_file_that_cannot_be_deleted_keeps_no_other);
async fn a_file_that_cannot_be_deleted_keeps_no_other(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    for (name, file) in [("one.bin", &b"stuck"[..]), ("two.bin", &b"other"[..])] {
        add(&draft, name, file).await;
        let path = draft.path(&format!("/artifacts/{name}"));
        draft.delete(&path).await.expect_status(204);
        app.clock.advance(1);
    }
    let place = |file: &[u8]| {
        let sha = sha256(file);
        blobs(&app).join("sha256").join(&sha[..2]).join(&sha[2..])
    };
    // A folder is not deleted as a file is.
    let stuck = place(b"stuck");
    std::fs::remove_file(&stuck).unwrap();
    std::fs::create_dir(&stuck).unwrap();
    app.clock.advance(DAY + 1);
    sweep(&app.app).await.unwrap_err();
    assert!(!place(b"other").exists());
    // Nobody claims the bytes any more: they may come again.
    std::fs::remove_dir(&stuck).unwrap();
    add(&draft, "one.bin", b"stuck").await;
    app.clock.advance(2 * DAY);
    assert_eq!(swept(&app).await, Swept::default());
    assert!(stuck.exists());
    app.stop().await;
}

both!(a_sweep_that_was_stopped_deletes_nothing_that_came_again);
async fn a_sweep_that_was_stopped_deletes_nothing_that_came_again(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let path = draft.path("/artifacts/kit.bin");
    add(&draft, "kit.bin", b"kit").await;
    draft.delete(&path).await.expect_status(204);
    app.clock.advance(DAY + 1);
    let stopped = claim_next(&app.app).await.unwrap().unwrap();
    app.clock.advance(16 * 60);
    assert_eq!(swept(&app).await.removed, 1, "by somebody else");
    add(&draft, "kit.bin", b"kit").await;
    assert!(!remove_claimed(&app.app, &stopped).await.unwrap());
    assert_eq!(files_below(&blobs(&app)).len(), 1);
    draft.delete(&path).await.expect_status(204);
    app.clock.advance(DAY + 1);
    // Its own still, and too old to begin with.
    let slow = claim_next(&app.app).await.unwrap().unwrap();
    app.clock.advance(5 * 60);
    assert!(!remove_claimed(&app.app, &slow).await.unwrap());
    assert_eq!(files_below(&blobs(&app)).len(), 1);
    assert_eq!(swept(&app).await.removed, 0, "it is claimed");
    app.clock.advance(11 * 60);
    let claim = claim_next(&app.app).await.unwrap().unwrap();
    // Fresh, and another's.
    assert!(!remove_claimed(&app.app, &slow).await.unwrap());
    assert!(remove_claimed(&app.app, &claim).await.unwrap());
    assert!(files_below(&blobs(&app)).is_empty());
    app.stop().await;
}

/// As old or young as this makes it: the clock of the installation is not that of the disk.
fn write(path: &std::path::Path, bytes: &[u8], age: i64, app: &TestApp) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    let seconds = u64::try_from(app.now() - age).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

both!(what_nobody_owns_is_found_reported_and_removed);
async fn what_nobody_owns_is_found_reported_and_removed(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let alive = draft.fill("alive.bin", b"alive").await;
    let folder = blobs(&app);
    let sha = sha256(b"orphan");
    let orphan = folder.join("sha256").join(&sha[..2]).join(&sha[2..]);
    write(&orphan, b"orphan", DAY + 1, &app);
    let young_sha = sha256(b"young");
    let young = folder
        .join("sha256")
        .join(&young_sha[..2])
        .join(&young_sha[2..]);
    write(&young, b"young", DAY - 60, &app);
    let dead = folder.join("uploads/upl_00000000000000000000000001/1-abc");
    write(&dead, b"part", DAY + 1, &app);
    write(&folder.join("uploads/word"), b"whole", DAY + 1, &app);
    // What a killed process was writing.
    write(&folder.join("uploads/word2#1"), b"half", DAY + 1, &app);
    write(&folder.join("uploads/word3#1"), b"half", DAY - 60, &app);
    write(
        &folder.join(format!("sha256/{}/x#12", &sha[..2])),
        b"half",
        DAY + 1,
        &app,
    );
    let found = swept(&app).await;
    assert_eq!((found.orphans, found.stray_parts, found.removed), (1, 4, 0));
    assert!(orphan.exists(), "it has a day left");
    let metrics = app.app.metrics.render(0);
    assert!(
        metrics.contains("kitward_storage_strays_total 5"),
        "{metrics}"
    );
    app.clock.advance(DAY + 1);
    let found = swept(&app).await;
    // A day later the young ones are old.
    assert_eq!((found.orphans, found.stray_parts, found.removed), (1, 1, 1));
    assert!(!orphan.exists() && young.exists());
    assert_eq!(found.uploads, 1, "{alive}");
    app.clock.advance(DAY + 1);
    assert_eq!(swept(&app).await.removed, 1);
    assert!(
        files_below(&folder).is_empty(),
        "{:?}",
        files_below(&folder)
    );
    app.stop().await;
}

both!(an_orphan_that_an_upload_wants_becomes_its_file);
async fn an_orphan_that_an_upload_wants_becomes_its_file(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let sha = sha256(b"wanted");
    let orphan = blobs(&app).join("sha256").join(&sha[..2]).join(&sha[2..]);
    write(&orphan, b"wanted", DAY + 1, &app);
    assert_eq!(swept(&app).await.orphans, 1);
    app.clock.advance(DAY - 1);
    add(&draft, "wanted.bin", b"wanted").await;
    app.clock.advance(2 * DAY);
    assert_eq!(swept(&app).await, Swept::default());
    assert!(orphan.exists());
    app.stop().await;
}

both!(a_sweep_takes_nothing_from_who_comes_at_the_same_time);
async fn a_sweep_takes_nothing_from_who_comes_at_the_same_time(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let second = app.second().await;
    // The disk has a clock of its own: what is on its way now must not look old by ours.
    app.clock.advance(-300 * DAY);
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let path = draft.path("/artifacts/kit.bin");
    let sha = sha256(b"contended");
    let file = blobs(&app).join("sha256").join(&sha[..2]).join(&sha[2..]);
    for round in 0..40_u64 {
        let put = || draft.publisher.put(&path, b"contended".to_vec());
        put().await.expect_status(201);
        draft.delete(&path).await.expect_status(204);
        app.clock.advance(DAY + 1);
        let late = async {
            tokio::time::sleep(Duration::from_micros(round * 150)).await;
            put().await
        };
        let (one, other, came) = tokio::join!(sweep(&app.app), sweep(&second.app), late);
        one.unwrap();
        other.unwrap();
        let mut came = came;
        while came.status == 503 {
            came = put().await;
        }
        came.expect_status(201);
        assert!(file.exists(), "round {round}: a file without its bytes");
        draft.delete(&path).await.expect_status(204);
    }
    second.stop().await;
    app.stop().await;
}
