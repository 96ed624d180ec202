//! Kits in a storage service: signed addresses, the way through the server, and a service that fails.

use std::io::Cursor;
use std::time::{Duration, Instant};

use kitward::config::{StorageConfig, StorageDelivery};
use kitward::downloads::stamp::{Piece, strip};
use kitward::downloads::store::{Download, of_license};
use kitward::licenses::model::LicenseId;
use kitward_tests::{Actor, BUYER, Fault, Kind, Purchase, Reply, S3, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

use crate::deliveries::ticket;
use crate::uploads::{Draft, PART, file_of, sha256};

const FILE: &str = "feedback widget 1.0.0.bin";
const PATH: &str =
    "/v1/kits/feedback-widget/releases/1.0.0/artifacts/feedback%20widget%201.0.0.bin";

struct Scene {
    app: TestApp,
    s3: S3,
    shop: Shop,
    purchase: Purchase,
    file: Vec<u8>,
}

/// More than two parts of an upload.
const SIZE: usize = (17 << 20) + 5;

async fn scene(kind: Kind, delivery: StorageDelivery) -> Scene {
    scene_with(kind, |storage| storage.delivery = delivery).await
}

async fn scene_with(kind: Kind, change: impl FnOnce(&mut StorageConfig)) -> Scene {
    let s3 = S3::start();
    let mut storage = s3.config();
    change(&mut storage);
    let app = TestApp::builder()
        .config(move |config| config.storage = storage.clone())
        .start(kind)
        .await;
    let shop = Shop::open(&app).await;
    let file: Vec<u8> = (0..=250).rev().cycle().take(SIZE).collect();
    shop.release(
        "feedback-widget",
        "1.0.0",
        "feedback%20widget%201.0.0.bin",
        &file,
    )
    .await;
    let purchase = shop.buy(&app).await;
    s3.asked();
    Scene {
        app,
        s3,
        shop,
        purchase,
        file,
    }
}

impl Scene {
    fn kit(&self) -> Actor {
        self.app.kit(&self.purchase.key)
    }

    async fn recorded(&self) -> Vec<Download> {
        let list = self.shop.admin.get("/v1/admin/licenses").await;
        let license = LicenseId::parse(&list.str("/items/0/id")).unwrap();
        let read = self
            .app
            .app
            .db
            .read(move |conn| of_license(conn, &license, "", 100));
        let rows = read.await.unwrap().into_iter();
        rows.map(|delivered| delivered.download).collect()
    }

    /// How many objects lie below a folder of the vendor's.
    fn stored(&self, below: &str) -> usize {
        let folder = self.s3.folder().join("vendor/files").join(below);
        let mut found = Vec::new();
        files_below(&folder, &mut found);
        found.len()
    }
}

/// Fetches a signed address as a client does that was redirected to it.
async fn elsewhere(app: &TestApp, address: &str) -> Reply {
    let anybody = app.anonymous();
    anybody.send(anybody.request(Method::GET, address)).await
}

both!(a_file_is_fetched_by_a_signed_address_of_another_host);
async fn a_file_is_fetched_by_a_signed_address_of_another_host(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Redirect).await;
    let kit = scene.kit();
    let moved = kit.get(PATH).await.expect_status(302);
    assert!(moved.bytes.is_empty());
    assert_eq!(moved.header("cache-control"), "no-store");
    assert_eq!(moved.header("referrer-policy"), "no-referrer");
    let address = moved.header("location").to_owned();
    let host = format!("http://{}/kits/vendor/files/sha256/", scene.s3.address());
    assert!(address.starts_with(&host), "{address}");
    assert!(address.contains("X-Amz-Expires=300"), "{address}");
    let reply = elsewhere(&scene.app, &address).await.expect_status(200);
    assert_eq!(reply.bytes, scene.file);
    let disposition = reply.header("content-disposition");
    assert!(
        disposition.contains(&format!("filename=\"{FILE}\"")),
        "{disposition}"
    );
    assert_eq!(reply.header("content-type"), "application/octet-stream");
    // A part of it, by the same address.
    let anybody = scene.app.anonymous().with("range", "bytes=5-9");
    let part = anybody.get(&address).await.expect_status(206);
    assert_eq!(part.bytes, &scene.file[5..10]);
    // Another file, name or key opens nothing, and neither does the license key.
    let forged = address.replace("attachment", "inline");
    elsewhere(&scene.app, &forged).await.expect_status(403);
    kit.get(&address).await.expect_status(400);
    let rows = scene.recorded().await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].completed, None,
        "what another host does is not known"
    );
    scene.app.stop().await;
}

both!(what_another_host_cannot_answer_is_answered_here);
async fn what_another_host_cannot_answer_is_answered_here(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Redirect).await;
    let kit = scene.kit();
    let head = kit
        .send(kit.request(Method::HEAD, PATH))
        .await
        .expect_status(200);
    assert_eq!(head.header("content-length"), SIZE.to_string());
    let etag = head.header("etag").to_owned();
    assert_eq!(etag.len(), 66);
    assert!(scene.s3.asked().is_empty(), "a look asks nobody");
    let known = kit
        .clone()
        .with("if-none-match", etag.clone())
        .get(PATH)
        .await;
    known.expect_status(304);
    let beyond = kit.clone().with("range", "bytes=99999999-").get(PATH).await;
    beyond.expect_problem(416, "range_not_satisfiable");
    let parts = kit
        .clone()
        .with("range", "bytes=0-4,9000000-9000004")
        .get(PATH)
        .await;
    let parts = parts.expect_status(206);
    let holds = |bytes: &[u8]| {
        parts
            .bytes
            .windows(bytes.len())
            .any(|window| window == bytes)
    };
    assert!(holds(&scene.file[0..5]) && holds(&scene.file[9_000_000..9_000_005]));
    let resumed = kit
        .clone()
        .with("range", "bytes=100-")
        .with("if-range", etag);
    let resumed = resumed.get(PATH).await.expect_status(206);
    assert_eq!(resumed.bytes, &scene.file[100..]);
    let one = kit.clone().with("range", "bytes=100-").get(PATH).await;
    one.expect_status(302);
    let sums = kit.get(&format!("{PATH}.sha256")).await.expect_status(200);
    assert!(sums.text().ends_with(&format!("  {FILE}\n")));
    scene.app.stop().await;
}

both!(parts_by_a_ticket_come_from_here_and_count_alone);
async fn parts_by_a_ticket_come_from_here_and_count_alone(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Redirect).await;
    let address = ticket(&scene.app).await;
    let anybody = scene.app.anonymous();
    anybody.get(&address).await.expect_status(302);
    // As programs ask that fetch by eight connections, or that were cut eight times.
    let eighth = SIZE / 8;
    for number in 0..8 {
        let (from, to) = (number * eighth, (number + 1) * eighth);
        let range = format!("bytes={from}-{}", to - 1);
        let part = anybody.clone().with("range", range).get(&address).await;
        let part = part.expect_status(206);
        assert!(part.bytes == scene.file[from..to], "part {number}");
    }
    let rows = scene.recorded().await;
    let asked: Vec<Option<i64>> = rows.iter().map(|row| row.bytes_asked).collect();
    let twice = i64::try_from(SIZE + 8 * eighth).unwrap();
    assert_eq!(asked, [Some(twice)]);
    // All together three times the file.
    anybody.get(&address).await.expect_status(302);
    let more = anybody.with("range", "bytes=0-99").get(&address).await;
    more.expect_problem(410, "gone");
    scene.app.stop().await;
}

both!(what_the_service_lost_is_told_by_the_service);
async fn what_the_service_lost_is_told_by_the_service(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Redirect).await;
    let mut objects = Vec::new();
    files_below(&scene.s3.folder().join("vendor/files/sha256"), &mut objects);
    std::fs::remove_file(&objects[0]).unwrap();
    // Nobody looks whether it is there before each download, so it counts as one.
    let moved = scene.kit().get(PATH).await.expect_status(302);
    let lost = elsewhere(&scene.app, moved.header("location")).await;
    assert!(lost.expect_status(404).text().contains("NoSuchKey"));
    assert_eq!(scene.recorded().await.len(), 1);
    let parts = scene.kit().with("range", "bytes=0-4,9-12").get(PATH).await;
    parts.expect_problem(500, "internal");
    scene.app.stop().await;
}

both!(files_pass_through_the_server_where_that_is_set);
async fn files_pass_through_the_server_where_that_is_set(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Proxy).await;
    let kit = scene.kit();
    let whole = kit.get(PATH).await.expect_status(200);
    assert_eq!(whole.bytes, scene.file);
    let part = kit
        .clone()
        .with("range", "bytes=8388600-8388700")
        .get(PATH)
        .await;
    assert_eq!(
        part.expect_status(206).bytes,
        &scene.file[8_388_600..8_388_701]
    );
    let asked = scene.s3.asked();
    assert!(asked.iter().all(|asked| !asked.signed_address), "{asked:?}");
    scene.app.stop().await;
}

both!(storage_that_is_slow_or_down_is_told_and_hangs_nobody);
async fn storage_that_is_slow_or_down_is_told_and_hangs_nobody(kind: Kind) {
    let scene = scene_with(kind, |storage| {
        storage.delivery = StorageDelivery::Proxy;
        storage.timeout_seconds = 3;
    });
    let scene = scene.await;
    let kit = scene.kit();
    let body = json!({ "kit": "feedback-widget", "version": "2.0.0" });
    let release = scene.shop.admin.post("/v1/admin/releases", &body).await;
    let put = format!("/v1/admin/releases/{}/artifacts/b.bin", release.str("/id"));
    for fault in [Fault::Silent, Fault::Down] {
        scene.s3.set_fault(fault);
        let started = Instant::now();
        let reply = kit.get(PATH).await.expect_problem(503, "unavailable");
        assert_eq!(reply.header("retry-after"), "5");
        assert!(started.elapsed() < Duration::from_secs(15), "{fault:?}");
        // Nobody else waits for it.
        let list = kit.get("/v1/kits/feedback-widget/releases").await;
        list.expect_status(200);
        let stored = scene.shop.admin.put(&put, b"b".to_vec()).await;
        stored.expect_problem(503, "unavailable");
    }
    scene.s3.set_fault(Fault::None);
    assert_eq!(kit.get(PATH).await.expect_status(200).bytes, scene.file);
    assert_eq!(
        scene.recorded().await.len(),
        1,
        "what was not sent is no download"
    );
    scene.app.stop().await;
}

both!(other_bytes_than_were_published_never_arrive_whole);
async fn other_bytes_than_were_published_never_arrive_whole(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Proxy).await;
    let kit = scene.kit();
    for fault in [Fault::OtherBytes, Fault::Cut] {
        scene.s3.set_fault(fault);
        let cut = kit.try_send(kit.request(Method::GET, PATH)).await;
        assert!(
            cut.is_err(),
            "{fault:?}: {:?}",
            cut.map(|reply| reply.status)
        );
    }
    scene.s3.set_fault(Fault::None);
    // Of another size, or gone.
    let mut objects = Vec::new();
    files_below(&scene.s3.folder().join("vendor/files/sha256"), &mut objects);
    assert_eq!(objects.len(), 1);
    std::fs::write(&objects[0], b"short").unwrap();
    kit.get(PATH).await.expect_problem(500, "internal");
    std::fs::remove_file(&objects[0]).unwrap();
    let gone = kit.get(PATH).await.expect_problem(500, "internal");
    assert_eq!(gone.str("/detail"), "Something went wrong on our side.");
    scene.app.stop().await;
}

fn files_below(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files_below(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

both!(what_is_refused_or_spoiled_on_the_way_leaves_nothing_in_storage);
async fn what_is_refused_or_spoiled_on_the_way_leaves_nothing_in_storage(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Redirect).await;
    let body = json!({ "kit": "feedback-widget", "version": "2.0.0" });
    let release = scene.shop.admin.post("/v1/admin/releases", &body).await;
    let put = format!("/v1/admin/releases/{}/artifacts/b.bin", release.str("/id"));
    let admin = &scene.shop.admin;
    let wrong = admin.request(Method::PUT, &put);
    let wrong = wrong.header("x-content-sha256", "0".repeat(64)).body("b");
    admin.send(wrong).await.expect_problem(422, "invalid_field");
    // What the service gives back is not what it was given: it may be worth another try.
    scene.s3.set_fault(Fault::OtherBytes);
    let spoiled = admin.put(&put, b"b".to_vec()).await;
    let spoiled = spoiled.expect_problem(503, "unavailable");
    assert_eq!(spoiled.header("retry-after"), "5");
    scene.s3.set_fault(Fault::None);
    assert_eq!((scene.stored("uploads"), scene.stored("sha256")), (0, 1));
    // The same bytes twice are one object.
    admin.put(&put, scene.file.clone()).await.expect_status(201);
    assert_eq!((scene.stored("uploads"), scene.stored("sha256")), (0, 1));
    scene.app.stop().await;
}

both!(a_button_of_the_portal_may_lead_to_where_the_files_lie);
async fn a_button_of_the_portal_may_lead_to_where_the_files_lie(kind: Kind) {
    for delivery in [StorageDelivery::Redirect, StorageDelivery::Proxy] {
        let scene = scene(kind, delivery).await;
        let browser = scene.app.customer(BUYER).await;
        let policy = |path: &'static str| {
            let browser = browser.clone();
            async move {
                let page = browser.get(path).await.expect_status(200);
                page.header("content-security-policy").to_owned()
            }
        };
        let elsewhere = match delivery {
            StorageDelivery::Redirect => format!(" http://{}", scene.s3.address()),
            StorageDelivery::Proxy => String::new(),
        };
        let own = policy("/").await;
        assert!(own.contains("; form-action 'self'; "), "{own}");
        let wanted = format!("; form-action 'self'{elsewhere}; ");
        assert_eq!(
            policy("/downloads").await,
            own.replace("; form-action 'self'; ", &wanted)
        );
        scene.app.stop().await;
    }
}

both!(files_come_in_parts_into_the_storage_service);
async fn files_come_in_parts_into_the_storage_service(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Redirect).await;
    let draft = Draft::open(&scene.app, "feedback-widget", "2.0.0").await;
    let file = file_of(2 * PART + 321, 41);
    let upload = draft.begin("kit.bin", &file).await.expect_status(201);
    let upload = upload.str("/id");
    let parts: Vec<&[u8]> = file.chunks(PART).collect();
    draft.send(&upload, 3, parts[2]).await.expect_status(200);
    // What did not arrive is sent again, and nothing else.
    scene.s3.set_fault(Fault::Down);
    let lost = draft.send(&upload, 1, parts[0]).await;
    lost.expect_problem(503, "unavailable");
    scene.s3.set_fault(Fault::None);
    let shown = draft.show(&upload).await.expect_status(200);
    assert_eq!(shown.json()["received"], json!([3]));
    for number in [1, 2] {
        let sent = draft.send(&upload, number, parts[number - 1]).await;
        sent.expect_status(200);
    }
    assert_eq!((scene.stored("uploads"), scene.stored("sha256")), (3, 1));
    // Bytes that come back otherwise than they went are told, and come once more.
    scene.s3.set_fault(Fault::OtherBytes);
    let damaged = draft.complete(&upload).await;
    let damaged = damaged.expect_problem(409, "conflict");
    assert_eq!(damaged.json()["missing"], json!([1, 2, 3]));
    scene.s3.set_fault(Fault::None);
    assert!(draft.artifacts().await.is_empty());
    for (number, part) in (1..).zip(&parts) {
        draft.send(&upload, number, part).await.expect_status(200);
    }
    let done = draft.complete(&upload).await.expect_status(200);
    assert_eq!(done.str("/sha256"), sha256(&file));
    assert_eq!((scene.stored("uploads"), scene.stored("sha256")), (0, 2));
    draft.publish().await.expect_status(200);
    let path = "/v1/kits/feedback-widget/releases/2.0.0/artifacts/kit.bin";
    let moved = scene.kit().get(path).await.expect_status(302);
    let reply = elsewhere(&scene.app, moved.header("location")).await;
    assert!(reply.expect_status(200).bytes == file, "other bytes");
    // An upload that is given up leaves nothing there.
    let next = Draft::open(&scene.app, "feedback-widget", "2.1.0").await;
    let upload = next.fill("kit.bin", &file_of(PART + 1, 42)).await;
    assert_eq!(scene.stored("uploads"), 2);
    let path = format!("/v1/admin/uploads/{upload}");
    next.delete(&path).await.expect_status(204);
    assert_eq!((scene.stored("uploads"), scene.stored("sha256")), (0, 2));
    scene.app.stop().await;
}

both!(one_wrong_answer_of_the_storage_service_costs_no_part_of_a_file);
async fn one_wrong_answer_of_the_storage_service_costs_no_part_of_a_file(kind: Kind) {
    let scene = scene(kind, StorageDelivery::Redirect).await;
    let draft = Draft::open(&scene.app, "feedback-widget", "2.0.0").await;
    let file = file_of(2 * PART + 321, 43);
    let upload = draft.fill("kit.bin", &file).await;
    scene.s3.set_fault(Fault::OtherBytesOnce);
    let wrong = draft.complete(&upload).await;
    wrong.expect_problem(503, "unavailable");
    let shown = draft.show(&upload).await.expect_status(200);
    assert_eq!(shown.json()["received"], json!([1, 2, 3]));
    let done = draft.complete(&upload).await.expect_status(200);
    assert_eq!(done.str("/sha256"), sha256(&file));
    assert_eq!((scene.stored("uploads"), scene.stored("sha256")), (0, 2));
    scene.app.stop().await;
}

both!(stamped_copies_are_made_of_files_in_the_storage_service);
async fn stamped_copies_are_made_of_files_in_the_storage_service(kind: Kind) {
    for delivery in [StorageDelivery::Redirect, StorageDelivery::Proxy] {
        let scene = scene(kind, delivery).await;
        let kit = "/v1/admin/kits/feedback-widget";
        let edited = scene
            .shop
            .admin
            .patch(kit, &json!({ "stamps": true }))
            .await;
        edited.expect_status(200);
        let zip = kitward_fakes::sample_kit_zip();
        let shop = &scene.shop;
        shop.release("feedback-widget", "2.0.0", "kit.zip", &zip)
            .await;
        let path = "/v1/kits/feedback-widget/releases/2.0.0/artifacts/kit.zip";
        // Also where others are fetched elsewhere: no other host makes copies.
        let copy = scene.kit().get(path).await.expect_status(200);
        let stripped = strip(&mut Cursor::new(&copy.bytes)).unwrap().unwrap();
        let piece = |piece: &Piece| match piece {
            Piece::Made(bytes) => bytes.clone(),
            Piece::Original(range) => {
                let at = |offset: u64| usize::try_from(offset).unwrap();
                copy.bytes[at(range.start)..at(range.end)].to_vec()
            }
        };
        let original: Vec<u8> = stripped.original.iter().flat_map(piece).collect();
        assert!(original == zip, "the original is another");
        let (from, to) = (zip.len() / 3, copy.bytes.len() - 7);
        let part = scene.kit().with("range", format!("bytes={from}-{to}"));
        let part = part.with("if-range", copy.header("etag"));
        let part = part.get(path).await.expect_status(206);
        assert_eq!(part.bytes, &copy.bytes[from..=to]);
        scene.s3.set_fault(Fault::Down);
        let down = scene.kit().get(path).await;
        down.expect_problem(503, "unavailable");
        scene.s3.set_fault(Fault::None);
        // What is no archive goes the usual way.
        let plain = scene.kit().get(PATH).await;
        let usual = if scene.app.app.storage.redirects() {
            302
        } else {
            200
        };
        plain.expect_status(usual);
        assert_eq!(scene.stored("sha256"), 2, "copies are not kept");
        scene.app.stop().await;
    }
}
