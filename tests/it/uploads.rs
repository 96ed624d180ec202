//! Files that come in parts: resumed after a cut, checked, seen as a whole or not at all.

mod hostile;
mod listing;
mod storage_trouble;
mod sweeping;

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use futures_util::future::join_all;
use kitward::releases::model::{ReleaseId, UploadId};
use kitward::releases::upload_artifact::{NewArtifact, UploadArtifactError, add};
use kitward::staff::Scope;
use kitward::storage::Stored;
use kitward_tests::{Actor, Kind, Reply, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Bytes of a part.
pub(crate) const PART: usize = 4 << 20;

pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Bytes that no two parts share.
pub(crate) fn file_of(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    let words = std::iter::repeat_with(next).take(length.div_ceil(4));
    words.flatten().take(length).collect()
}

/// A draft and somebody who may fill it.
pub(crate) struct Draft {
    pub(crate) publisher: Actor,
    pub(crate) id: String,
}

impl Draft {
    pub(crate) async fn open(app: &TestApp, kit: &str, version: &str) -> Self {
        let publisher = app.token(Scope::Publish).await;
        let body = json!({ "kit": kit, "version": version });
        let made = publisher.post("/v1/admin/releases", &body).await;
        let id = made.expect_status(201).str("/id");
        Self { publisher, id }
    }

    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/admin/releases/{}{rest}", self.id)
    }

    pub(crate) async fn begin(&self, name: &str, file: &[u8]) -> Reply {
        let body = json!({ "name": name, "size": file.len(), "sha256": sha256(file) });
        self.publisher.post(&self.path("/uploads"), &body).await
    }

    pub(crate) async fn send(&self, upload: &str, number: usize, bytes: &[u8]) -> Reply {
        let path = format!("/v1/admin/uploads/{upload}/parts/{number}");
        self.publisher.put(&path, bytes.to_vec()).await
    }

    pub(crate) async fn complete(&self, upload: &str) -> Reply {
        let path = format!("/v1/admin/uploads/{upload}/complete");
        self.publisher.post(&path, &json!({})).await
    }

    pub(crate) async fn show(&self, upload: &str) -> Reply {
        let path = format!("/v1/admin/uploads/{upload}");
        self.publisher.get(&path).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        let request = self.publisher.request(Method::DELETE, path);
        self.publisher.send(request).await
    }

    /// Begins and sends every part.
    pub(crate) async fn fill(&self, name: &str, file: &[u8]) -> String {
        let upload = self.begin(name, file).await.expect_status(201).str("/id");
        for (number, part) in (1..).zip(file.chunks(PART)) {
            self.send(&upload, number, part).await.expect_status(200);
        }
        upload
    }

    pub(crate) async fn artifacts(&self) -> Vec<Value> {
        let release = self.publisher.get(&self.path("")).await.expect_status(200);
        release.json()["artifacts"].as_array().unwrap().clone()
    }

    pub(crate) async fn publish(&self) -> Reply {
        self.publisher
            .post(&self.path("/publish"), &json!({}))
            .await
    }
}

pub(crate) fn blobs(app: &TestApp) -> PathBuf {
    app.folder().join("data/blobs")
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let below = entries.flatten().flat_map(|entry| {
        if entry.path().is_dir() {
            files_below(&entry.path())
        } else {
            vec![entry.path()]
        }
    });
    below.collect()
}

async fn shop(kind: Kind) -> (TestApp, Shop) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    (app, shop)
}

fn received(reply: &Reply) -> Vec<u64> {
    let view = reply.json();
    let numbers = view["received"].as_array().unwrap();
    numbers
        .iter()
        .map(|number| number.as_u64().unwrap())
        .collect()
}

both!(a_file_comes_in_parts_and_is_seen_as_a_whole);
async fn a_file_comes_in_parts_and_is_seen_as_a_whole(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let purchase = shop.buy(&app).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let file = file_of(2 * PART + 4_321, 1);
    let begun = draft.begin("kit.bin", &file).await.expect_status(201);
    assert_eq!(begun.json()["part_size"], PART);
    assert_eq!(begun.json()["part_count"], 3);
    let upload = begun.str("/id");
    let parts: Vec<&[u8]> = file.chunks(PART).collect();
    let sent = [3, 1].map(|number| draft.send(&upload, number, parts[number - 1]));
    for reply in join_all(sent).await {
        reply.expect_status(200);
    }
    let again = draft.send(&upload, 3, parts[2]).await.expect_status(200);
    assert_eq!(again.str("/sha256"), sha256(parts[2]));
    let shown = draft.show(&upload).await.expect_status(200);
    assert_eq!(received(&shown), [1, 3]);
    let early = draft.complete(&upload).await;
    let early = early.expect_problem(409, "conflict");
    assert_eq!(early.json()["missing"], json!([2]));
    assert!(draft.artifacts().await.is_empty());
    draft.send(&upload, 2, parts[1]).await.expect_status(200);
    let done = draft.complete(&upload).await.expect_status(200);
    assert_eq!(done.str("/sha256"), sha256(&file));
    assert_eq!(draft.artifacts().await.len(), 1);
    // The upload is gone, and so is all that was kept of it.
    draft.show(&upload).await.expect_problem(404, "not_found");
    draft
        .complete(&upload)
        .await
        .expect_problem(404, "not_found");
    assert_eq!(files_below(&blobs(&app)).len(), 1);
    draft.publish().await.expect_status(200);
    let path = "/v1/kits/feedback-widget/releases/1.0.0/artifacts/kit.bin";
    let got = app.kit(&purchase.key).get(path).await.expect_status(200);
    assert!(got.bytes == file, "the file is another");
    app.stop().await;
}

both!(an_upload_begun_again_goes_on_where_it_was);
async fn an_upload_begun_again_goes_on_where_it_was(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let file = file_of(PART + 1, 2);
    let first = draft.begin("kit.bin", &file).await.expect_status(201);
    let upload = first.str("/id");
    draft
        .send(&upload, 1, &file[..PART])
        .await
        .expect_status(200);
    let second = app.second().await;
    let there = second.token(Scope::Publish).await;
    let body = json!({ "name": "kit.bin", "size": file.len(), "sha256": sha256(&file) });
    let again = there.post(&draft.path("/uploads"), &body).await;
    let again = again.expect_status(200);
    assert_eq!(again.str("/id"), upload);
    assert_eq!(received(&again), [1]);
    // The same bytes said to be something else are told apart.
    let other =
        json!({ "name": "kit.bin", "size": file.len(), "sha256": sha256(&file), "kind": "docs" });
    let other = there.post(&draft.path("/uploads"), &other).await;
    assert_eq!(other.expect_problem(409, "conflict").str("/upload"), upload);
    let path = format!("/v1/admin/uploads/{upload}/parts/2");
    there
        .put(&path, file[PART..].to_vec())
        .await
        .expect_status(200);
    draft.complete(&upload).await.expect_status(200);
    // Where the answer was lost, beginning again tells that all is done.
    let present = draft.begin("kit.bin", &file).await.expect_status(200);
    assert_eq!(present.str("/artifact/sha256"), sha256(&file));
    assert_eq!(present.json()["id"], Value::Null);
    second.stop().await;
    app.stop().await;
}

both!(one_name_has_one_file_however_many_come_at_once);
async fn one_name_has_one_file_however_many_come_at_once(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let second = app.second().await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let (one, other) = (file_of(50_000, 3), file_of(50_000, 4));
    let upload = draft.fill("kit.bin", &one).await;
    let rival = draft.fill("kit.bin", &other).await;
    let there = second.token(Scope::Publish).await;
    let path = format!("/v1/admin/uploads/{upload}/complete");
    let nothing = json!({});
    let completes = (0..6).map(|n| {
        let actor = if n % 2 == 0 { &there } else { &draft.publisher };
        actor.post(&path, &nothing)
    });
    for reply in join_all(completes).await {
        // Who came last may find that it is over.
        assert!([200, 404].contains(&reply.status), "{}", reply.text());
    }
    assert_eq!(draft.artifacts().await.len(), 1);
    let late = draft.complete(&rival).await;
    let late = late.expect_problem(409, "conflict");
    assert_eq!(late.str("/sha256"), sha256(&one));
    assert_eq!(draft.artifacts().await.len(), 1);
    let put = draft
        .publisher
        .put(&draft.path("/artifacts/kit.bin"), one)
        .await;
    put.expect_status(200);
    second.stop().await;
    app.stop().await;
}

both!(bytes_the_kit_has_need_not_be_sent_and_those_of_others_must);
async fn bytes_the_kit_has_need_not_be_sent_and_those_of_others_must(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let file = file_of(30_000, 5);
    shop.release("feedback-widget", "1.0.0", "kit.bin", &file)
        .await;
    let next = Draft::open(&app, "feedback-widget", "1.1.0").await;
    let begun = next.begin("same.bin", &file).await.expect_status(201);
    assert_eq!(begun.str("/artifact/name"), "same.bin");
    assert_eq!(begun.json()["id"], Value::Null);
    // A size that does not fit the hash is a guess.
    let guess = json!({ "name": "guess.bin", "size": 29_999, "sha256": sha256(&file) });
    let guess = next.publisher.post(&next.path("/uploads"), &guess).await;
    assert_eq!(guess.expect_status(201).json()["artifact"], Value::Null);
    let foreign = Draft::open(&app, "rate-limiter", "1.0.0").await;
    let begun = foreign.begin("stolen.bin", &file).await.expect_status(201);
    assert_eq!(begun.json()["artifact"], Value::Null);
    assert!(foreign.artifacts().await.is_empty());
    assert_eq!(
        files_below(&blobs(&app)).len(),
        1,
        "equal bytes lie there once"
    );
    app.stop().await;
}

both!(bytes_that_the_storage_lost_are_sent_again);
async fn bytes_that_the_storage_lost_are_sent_again(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let file = file_of(30_000, 5);
    let out = shop.release("feedback-widget", "1.0.0", "kit.bin", &file);
    let out = Draft {
        publisher: app.token(Scope::Publish).await,
        id: out.await,
    };
    let next = Draft::open(&app, "feedback-widget", "1.1.0").await;
    let place = files_below(&blobs(&app)).remove(0);
    let damages: [&dyn Fn(); 3] = [
        &|| std::fs::remove_file(&place).unwrap(),
        &|| std::fs::write(&place, &file[..29_999]).unwrap(),
        &|| std::fs::write(&place, file_of(30_001, 5)).unwrap(),
    ];
    for damage in damages {
        // By another name in the next release, and by its own in the one that is out.
        for (draft, name) in [(&next, "same.bin"), (&out, "kit.bin")] {
            damage();
            let begun = draft.begin(name, &file).await.expect_status(201);
            assert_eq!(begun.json()["artifact"], Value::Null);
            let upload = begun.str("/id");
            draft.send(&upload, 1, &file).await.expect_status(200);
            let done = draft.complete(&upload).await.expect_status(200);
            assert_eq!(done.str("/sha256"), sha256(&file));
            assert_eq!(draft.artifacts().await.len(), 1);
            assert_eq!(files_below(&blobs(&app)), std::slice::from_ref(&place));
            assert!(std::fs::read(&place).unwrap() == file, "other bytes");
        }
        damage();
        let whole = out.path("/artifacts/kit.bin");
        let put = out.publisher.put(&whole, file.clone()).await;
        put.expect_status(200);
        assert!(std::fs::read(&place).unwrap() == file, "other bytes");
    }
    let other = out.begin("kit.bin", b"other").await;
    other.expect_problem(409, "conflict");
    let more = out.begin("more.bin", b"more").await;
    more.expect_problem(409, "conflict");
    app.stop().await;
}

both!(the_same_bytes_said_to_be_something_else_are_refused);
async fn the_same_bytes_said_to_be_something_else_are_refused(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let file = file_of(1_000, 8);
    let put = |name_and_words: &str| {
        let path = draft.path(&format!("/artifacts/{name_and_words}"));
        let (publisher, file) = (draft.publisher.clone(), file.clone());
        async move { publisher.put(&path, file).await }
    };
    let words = "app.bin?kind=app&platform=linux";
    put(words).await.expect_status(201);
    put(words).await.expect_status(200);
    for (said, field, has) in [
        ("app.bin", "kind", json!("app")),
        ("app.bin?kind=app", "platform", json!("linux")),
        (
            "app.bin?kind=app&platform=linux&arch=arm64",
            "arch",
            Value::Null,
        ),
    ] {
        let refused = put(said).await.expect_problem(409, "conflict");
        assert_eq!(refused.str("/field"), field);
        assert_eq!(refused.json()[field], has);
    }
    // In parts they are refused before one is sent, also where the storage lost the file.
    for _ in 0..2 {
        let begun = draft.begin("app.bin", &file).await;
        let begun = begun.expect_problem(409, "conflict");
        assert_eq!(begun.str("/field"), "kind");
        for lost in files_below(&blobs(&app)) {
            std::fs::remove_file(lost).unwrap();
        }
    }
    // Of two that come at once the first one counts.
    let upload = draft.fill("docs.bin", &file).await;
    put("docs.bin?kind=docs").await.expect_status(201);
    let late = draft.complete(&upload).await;
    let late = late.expect_problem(409, "conflict");
    assert_eq!(late.json()["kind"], "docs");
    app.stop().await;
}

both!(an_upload_that_is_given_up_leaves_nothing);
async fn an_upload_that_is_given_up_leaves_nothing(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let file = file_of(1_000, 6);
    let upload = draft.fill("kit.bin", &file).await;
    let path = format!("/v1/admin/uploads/{upload}");
    for _ in 0..2 {
        draft.delete(&path).await.expect_status(204);
    }
    draft
        .complete(&upload)
        .await
        .expect_problem(404, "not_found");
    let late = draft.send(&upload, 1, &file).await;
    late.expect_problem(404, "not_found");
    assert!(files_below(&blobs(&app)).is_empty());
    app.stop().await;
}

/// Bytes in their place, of which nobody has made a file yet.
async fn in_place(app: &TestApp, file: &[u8]) -> Stored {
    let entropy = app.app.entropy.as_ref();
    let upload = app.app.storage.begin_upload(entropy, 1 << 20);
    let mut upload = upload.await.unwrap();
    upload.write(file).await.unwrap();
    upload.finish(None).await.unwrap()
}

both!(an_upload_makes_one_file_and_none_once_it_was_given_up);
async fn an_upload_makes_one_file_and_none_once_it_was_given_up(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let file = file_of(1_000, 7);
    let stored = in_place(&app, &file).await;
    // The end of a completion that read its parts while others did something else.
    let end = |upload: &str| {
        let artifact = NewArtifact {
            release: ReleaseId::parse(&draft.id).unwrap(),
            name: "kit.bin".to_owned(),
            kind: "source".to_owned(),
            platform: None,
            arch: None,
            actor: kitward::audit::Actor::Operator,
        };
        add(&app.app, artifact, stored.clone(), UploadId::parse(upload))
    };
    let upload = draft.fill("kit.bin", &file).await;
    let given_up = format!("/v1/admin/uploads/{upload}");
    draft.delete(&given_up).await.expect_status(204);
    let late = end(&upload).await;
    assert!(
        matches!(late, Err(UploadArtifactError::UploadOver)),
        "{late:?}"
    );
    assert!(draft.artifacts().await.is_empty());
    let upload = draft.fill("kit.bin", &file).await;
    let (one, other) = tokio::join!(end(&upload), end(&upload));
    let is_new = [one.unwrap().is_new, other.unwrap().is_new];
    assert_eq!(is_new.iter().filter(|new| **new).count(), 1);
    draft.show(&upload).await.expect_problem(404, "not_found");
    // Taken out again, it does not come back by itself.
    let taken_out = draft.path("/artifacts/kit.bin");
    draft.delete(&taken_out).await.expect_status(204);
    let late = end(&upload).await;
    assert!(
        matches!(late, Err(UploadArtifactError::UploadOver)),
        "{late:?}"
    );
    assert!(draft.artifacts().await.is_empty());
    let log = shop.admin.get("/v1/admin/audit?limit=100").await.text();
    assert_eq!(log.matches("artifact.uploaded").count(), 1);
    app.stop().await;
}

both!(an_empty_file_is_a_file);
async fn an_empty_file_is_a_file(kind: Kind) {
    let (app, _shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let upload = draft.fill("empty.txt", b"").await;
    let done = draft.complete(&upload).await.expect_status(200);
    assert_eq!(done.json()["size"], 0);
    app.stop().await;
}

both!(a_file_is_taken_out_of_a_draft_and_only_of_a_draft);
async fn a_file_is_taken_out_of_a_draft_and_only_of_a_draft(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    for name in ["a.bin", "b.bin"] {
        let upload = draft.fill(name, name.as_bytes()).await;
        draft.complete(&upload).await.expect_status(200);
    }
    let path = draft.path("/artifacts/a.bin");
    draft.delete(&path).await.expect_status(204);
    draft.delete(&path).await.expect_problem(404, "not_found");
    // Its name is free for other bytes.
    let upload = draft.fill("a.bin", b"better").await;
    draft.complete(&upload).await.expect_status(200);
    draft.publish().await.expect_status(200);
    draft.delete(&path).await.expect_problem(409, "conflict");
    let log = shop.admin.get("/v1/admin/audit?limit=100").await.text();
    assert_eq!(log.matches("artifact.removed").count(), 1);
    app.stop().await;
}

both!(the_figures_tell_what_is_stored);
async fn the_figures_tell_what_is_stored(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    for name in ["a.bin", "b.bin"] {
        let upload = draft.fill(name, name.repeat(10).as_bytes()).await;
        draft.complete(&upload).await.expect_status(200);
    }
    draft
        .delete(&draft.path("/artifacts/a.bin"))
        .await
        .expect_status(204);
    draft.fill("c.bin", &[7; 500]).await;
    let figures = shop.admin.get("/v1/admin/storage").await.expect_status(200);
    assert_eq!(
        figures.json(),
        json!({
            "files": 2, "bytes": 100, "unused_files": 1, "unused_bytes": 50,
            "uploads": 1, "upload_bytes": 500,
        })
    );
    app.stop().await;
}
