//! Stamps: each customer's copy names its license, and can be undone.

mod before;
mod given;

use std::io::Cursor;

use data_encoding::BASE64URL_NOPAD;
use diesel::{RunQueryDsl, sql_query};
use kitward::audit::Actor as AuditActor;
use kitward::db::{DbError, Shard};
use kitward::downloads::stamp::{Piece, Stripped, read_document, strip};
use kitward::licenses::model::LicenseId;
use kitward::licenses::reveal::{RevealKey, reveal_key};
use kitward_keys::{ArtifactClaims, Expected, Jwks, PublicKeys, StampClaims, verify_update};
use kitward_tests::{Actor, BUYER, Kind, Purchase, Reply, Shop, TestApp, both, command};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::signatures::commands;

const FILE: &str = "feedback-widget-1.0.0.zip";
const KIT: &str = "/v1/admin/kits/feedback-widget";

fn path(name: &str) -> String {
    format!("/v1/kits/feedback-widget/releases/1.0.0/artifacts/{name}")
}

/// Runs a statement; how many rows it changed.
async fn sql(app: &TestApp, statement: String) -> usize {
    let done = app.app.db.write(Shard::Wide, move |tx| {
        Ok::<_, DbError>(sql_query(&statement).execute(tx.conn())?)
    });
    done.await.unwrap()
}

fn tar_gz(content: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, "kit/a", content).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}

fn joined(file: &[u8], stripped: &Stripped) -> Vec<u8> {
    let piece = |piece: &Piece| match piece {
        Piece::Made(bytes) => bytes.clone(),
        Piece::Original(range) => file
            [usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
            .to_vec(),
    };
    stripped.original.iter().flat_map(piece).collect()
}

struct Stamping {
    app: TestApp,
    shop: Shop,
    zip: Vec<u8>,
    tar: Vec<u8>,
    purchase: Purchase,
}

impl Stamping {
    async fn start(kind: Kind) -> Self {
        let app = TestApp::start(kind).await;
        let shop = Shop::open(&app).await;
        let edited = shop.admin.patch(KIT, &json!({ "stamps": true })).await;
        edited.expect_status(200);
        let release = json!({ "kit": "feedback-widget", "version": "1.0.0" });
        let created = shop.admin.post("/v1/admin/releases", &release).await;
        let id = created.expect_status(201).str("/id");
        let (zip, tar) = (kitward_fakes::sample_kit_zip(), tar_gz(b"text"));
        for (name, bytes) in [
            (FILE, zip.clone()),
            ("kit.tar.gz", tar.clone()),
            ("package.tgz?kind=npm", tar.clone()),
            ("notes.txt", b"text".to_vec()),
        ] {
            let put = format!("/v1/admin/releases/{id}/artifacts/{name}");
            shop.admin.put(&put, bytes).await.expect_status(201);
        }
        let publish = format!("/v1/admin/releases/{id}/publish");
        shop.admin
            .post(&publish, &json!({}))
            .await
            .expect_status(200);
        let purchase = shop.buy(&app).await;
        Self {
            app,
            shop,
            zip,
            tar,
            purchase,
        }
    }

    async fn fetch(&self, name: &str) -> Reply {
        self.app
            .kit(&self.purchase.key)
            .get(&path(name))
            .await
            .expect_status(200)
    }

    async fn keys(&self) -> PublicKeys {
        let jwks = self.app.anonymous().get("/.well-known/jwks.json").await;
        let jwks: Jwks = serde_json::from_slice(&jwks.bytes).unwrap();
        PublicKeys::from_jwks(&jwks).unwrap()
    }

    async fn stamp(&self, file: &[u8]) -> StampClaims {
        let stripped = strip(&mut Cursor::new(file)).unwrap().unwrap();
        read_document(&stripped.stamp, Some(&self.keys().await)).unwrap()
    }
}

both!(a_copy_names_its_license_and_gives_the_original_back);
async fn a_copy_names_its_license_and_gives_the_original_back(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let license = stamping.shop.admin.get("/v1/admin/licenses").await.json()["items"][0].clone();
    for (name, original) in [(FILE, &stamping.zip), ("kit.tar.gz", &stamping.tar)] {
        let reply = stamping.fetch(name).await;
        assert_ne!(&reply.bytes, original);
        assert_eq!(
            reply.header("content-length"),
            reply.bytes.len().to_string()
        );
        assert_eq!(reply.header("repr-digest"), "", "none of the original");
        let stripped = strip(&mut Cursor::new(&reply.bytes)).unwrap().unwrap();
        assert_eq!(&joined(&reply.bytes, &stripped), original);
        let stamp = stamping.stamp(&reply.bytes).await;
        assert_eq!(stamp.sub, license["id"].as_str().unwrap());
        assert_eq!(stamp.customer, license["customer_id"].as_str().unwrap());
        assert!(stamp.order.unwrap().starts_with("ord_"));
        assert_eq!(
            (stamp.aud.as_str(), stamp.artifact.name.as_str()),
            ("feedback-widget", name)
        );
        assert_eq!(stamp.artifact.sha256, sha256(original));
    }
    // Lock files hold hashes of registry packages; other files have no place for a stamp.
    assert_eq!(stamping.fetch("package.tgz").await.bytes, stamping.tar);
    assert_eq!(stamping.fetch("notes.txt").await.bytes, b"text");
    let edited = stamping
        .shop
        .admin
        .patch(KIT, &json!({ "stamps": false }))
        .await;
    edited.expect_status(200);
    assert_eq!(stamping.fetch(FILE).await.bytes, stamping.zip);
    stamping.app.stop().await;
}

impl Stamping {
    /// The files of the update that is offered, as the manifest and as the plain answer tell them.
    async fn offered(&self, actor: &Actor) -> (Vec<ArtifactClaims>, Value) {
        let asked = "/v1/kits/feedback-widget/updates?version=0.9.0";
        let answer = actor.get(asked).await.expect_status(200);
        let expected = Expected {
            issuer: None,
            audience: "feedback-widget",
            now: self.app.now(),
            leeway: 0,
            nonce: None,
        };
        let manifest = answer.str("/manifest");
        let claims = verify_update(&manifest, &self.keys().await, &expected).unwrap();
        let plain = answer.json()["release"]["artifacts"].clone();
        (claims.release.unwrap().artifacts, plain)
    }
}

fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(bytes))
}

both!(an_update_check_tells_which_files_come_with_a_stamp);
async fn an_update_check_tells_which_files_come_with_a_stamp(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let kit = stamping.app.kit(&stamping.purchase.key);
    let (files, plain) = stamping.offered(&kit).await;
    assert_eq!(files.len(), 4);
    for (told, shown) in files.iter().zip(plain.as_array().unwrap()) {
        let name = told.name.as_str();
        let stamped = [FILE, "kit.tar.gz"].contains(&name);
        assert_eq!(told.stamped, stamped, "{name}");
        assert_eq!(shown["name"], name);
        let said = shown.get("stamped").cloned();
        assert_eq!(said, stamped.then_some(Value::Bool(true)), "{name}");
        let copy = stamping.fetch(name).await.bytes;
        let original = match strip(&mut Cursor::new(&copy)) {
            Ok(Some(stripped)) => joined(&copy, &stripped),
            Ok(None) | Err(_) => copy.clone(),
        };
        assert_eq!(original != copy, stamped, "{name}");
        assert_eq!(sha256(&original), told.sha256, "{name}");
        assert_eq!(i64::try_from(original.len()).unwrap(), told.size, "{name}");
    }
    // Who shows no license gets what is stored.
    let admin = &stamping.shop.admin;
    let opened = admin.patch(KIT, &json!({ "is_open": true })).await;
    opened.expect_status(200);
    let (files, plain) = stamping.offered(&stamping.app.anonymous()).await;
    assert!(files.iter().all(|file| !file.stamped), "{files:?}");
    assert!(!plain.to_string().contains("stamped"), "{plain}");
    let stored = stamping.app.anonymous().get(&path(FILE)).await;
    assert_eq!(stored.expect_status(200).bytes, stamping.zip);
    let unstamped = admin.patch(KIT, &json!({ "stamps": false })).await;
    unstamped.expect_status(200);
    let (files, _plain) = stamping.offered(&kit).await;
    assert!(files.iter().all(|file| !file.stamped), "{files:?}");
    stamping.app.stop().await;
}

both!(the_same_license_gets_the_same_bytes_by_every_process_in_every_part);
async fn the_same_license_gets_the_same_bytes_by_every_process_in_every_part(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let first = stamping.fetch(FILE).await;
    stamping.app.clock.advance(3600);
    let second = stamping.app.second().await;
    let other = second.kit(&stamping.purchase.key).get(&path(FILE)).await;
    assert_eq!(other.bytes, first.bytes);
    assert_eq!(other.header("etag"), first.header("etag"));
    let kit = stamping.app.kit(&stamping.purchase.key);
    let head = kit.send(kit.request(Method::HEAD, &path(FILE))).await;
    assert_eq!(head.header("content-length"), first.bytes.len().to_string());
    assert_eq!(head.header("etag"), first.header("etag"));
    let size = first.bytes.len();
    for (from, to) in [
        (0, 9),
        (size - 400, size - 1),
        (size / 2, size - 20),
        (3, size - 3),
    ] {
        let range = format!("bytes={from}-{to}");
        let part = second
            .kit(&stamping.purchase.key)
            .with("range", range.clone());
        let part = part.with("if-range", first.header("etag"));
        let part = part.get(&path(FILE)).await.expect_status(206);
        assert_eq!(part.bytes, &first.bytes[from..=to], "{range}");
    }
    // Another license's copy is another one.
    let other = stamping.shop.buy(&stamping.app).await;
    let copy = stamping.app.kit(&other.key).get(&path(FILE)).await;
    assert_ne!(copy.header("etag"), first.header("etag"));
    let (one, two) = (
        stamping.stamp(&first.bytes).await,
        stamping.stamp(&copy.bytes).await,
    );
    assert_ne!((&one.sub, &one.nonce), (&two.sub, &two.nonce));
    // By what the stamp says in the form that is signed, which no build changes.
    let mut said = one.clone();
    said.nonce.clear();
    let said = serde_json::to_vec(&said).unwrap();
    let digest = stamping.app.app.vault.digest("stamp nonce", &said);
    assert_eq!(one.nonce, BASE64URL_NOPAD.encode(&digest[..16]));
    second.stop().await;
    stamping.app.stop().await;
}

#[test]
fn the_command_tells_whose_copy_a_file_is_and_refuses_a_forged_one() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let stamping = Stamping::start(kind).await;
        let copy = stamping.fetch(FILE).await.bytes;
        let license = stamping.stamp(&copy).await.sub;
        let list = stamping.app.kit(&stamping.purchase.key);
        let list = list.get("/v1/kits/feedback-widget/releases").await.json();
        let artifacts = list["items"][0]["artifacts"].as_array().unwrap().clone();
        let file = artifacts.iter().find(|file| file["name"] == FILE).unwrap();
        let signature = file["signature"].as_str().unwrap().to_owned();
        let found = stamping
            .app
            .anonymous()
            .get("/.well-known/kitward.json")
            .await
            .json();
        let key = found["minisign_keys"][0].as_str().unwrap().to_owned();
        let (origin, zip) = (stamping.app.origin(), stamping.zip.clone());
        let work = tokio::task::spawn_blocking(move || {
            verify(&copy, &zip, &signature, &key, &origin, &license);
        });
        work.await.unwrap();
        stamping.app.stop().await;
    });
}

fn verify(copy: &[u8], zip: &[u8], signature: &str, key: &str, origin: &str, license: &str) {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let run = |words: &[&str]| {
        let words = [&["artifact", "verify"], words].concat();
        command(folder.path(), &[], &words)
    };
    write("copy.zip", copy);
    write("kit.minisig", signature.as_bytes());
    for trust in [["--key", key], ["--url", origin]] {
        let done = run(&["copy.zip", trust[0], trust[1], "--signature", "kit.minisig"]);
        assert_eq!(done.status, 0, "{done:?}");
        let shown = done.out;
        assert!(
            shown.contains(license) && shown.contains("version:1.0.0"),
            "{shown}"
        );
    }
    let done = run(&["copy.zip", "--key", key, "--output", "original.zip"]);
    assert_eq!(done.status, 0, "{done:?}");
    assert_eq!(
        std::fs::read(folder.path().join("original.zip")).unwrap(),
        zip
    );
    // The original by itself.
    let done = run(&["original.zip", "--key", key, "--signature", "kit.minisig"]);
    assert_eq!(done.status, 0, "{done:?}");
    let fails = |words: &[&str], reason: &str| {
        let done = run(words);
        let said = done.err;
        assert_eq!(done.status, 1, "{words:?}: {said}");
        assert!(said.contains(reason), "{words:?}: {said}");
    };
    fails(&["copy.zip"], "unknown key");
    fails(&["original.zip", "--key", key], "nothing to verify");
    let mut forged = copy.to_vec();
    forged[100] ^= 1;
    write("forged.zip", &forged);
    fails(
        &["forged.zip", "--key", key],
        "not the one that was stamped",
    );
    // The stamp names another license, in the part that people read.
    let mut renamed = copy.to_vec();
    let at = renamed
        .windows(license.len())
        .rposition(|word| word == license.as_bytes());
    renamed[at.unwrap() + 29] ^= 1;
    write("renamed.zip", &renamed);
    let done = run(&["renamed.zip", "--key", key]);
    assert_eq!(done.status, 1, "{done:?}");
    write("other.zip", &[zip, b""].concat());
    write(
        "other.minisig",
        signature
            .replace("version:1.0.0", "version:9.0.0")
            .as_bytes(),
    );
    fails(
        &["other.zip", "--key", key, "--signature", "other.minisig"],
        "trusted comment",
    );
    fails(&["missing.zip", "--key", key], "missing.zip");
    let usage = run(&["copy.zip", "--key", key, "--url", origin]);
    assert_eq!(usage.status, 2);
}

both!(a_copy_names_no_order_of_a_former_owner);
async fn a_copy_names_no_order_of_a_former_owner(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let first = stamping.fetch(FILE).await;
    let stamp = stamping.stamp(&first.bytes).await;
    let order = stamp.order.clone();
    assert!(order.is_some());
    let transfer = format!("/v1/admin/licenses/{}/transfer", stamp.sub);
    for (owner, order) in [("new-owner@example.com", None), (BUYER, order)] {
        let to = json!({ "email": owner });
        let moved = stamping.shop.admin.post(&transfer, &to).await;
        let moved = moved.expect_status(200);
        let reveal = RevealKey {
            license: LicenseId::parse(&stamp.sub).unwrap(),
            owner: None,
            actor: AuditActor::Operator,
        };
        let key = reveal_key(&stamping.app.app, reveal).await.unwrap();
        let kit = stamping.app.kit(key.expose_secret());
        let copy = kit.get(&path(FILE)).await.expect_status(200);
        let found = stamping.stamp(&copy.bytes).await;
        assert_eq!(found.customer, moved.str("/customer_id"));
        assert_eq!(found.order, order, "{owner}");
        // Whoever has it back gets the copy of before.
        assert_eq!(copy.bytes == first.bytes, owner == BUYER);
        let rest = kit.with("range", "bytes=9-");
        let rest = rest.with("if-range", copy.header("etag"));
        let rest = rest.get(&path(FILE)).await.expect_status(206);
        assert_eq!(rest.bytes, &copy.bytes[9..]);
    }
    stamping.app.stop().await;
}

both!(the_portal_tells_how_to_check_a_copy_with_a_stamp);
async fn the_portal_tells_how_to_check_a_copy_with_a_stamp(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let browser = stamping.app.customer(BUYER).await;
    let page = browser.get("/downloads").await.expect_status(200).text();
    assert!(page.contains("Your copy carries the stamp of your license"));
    let lines = commands(&page);
    let holds = |start: &str, name: &str| {
        let mut lines = lines.iter();
        lines.any(|line| line.starts_with(start) && line.contains(name))
    };
    // A copy with a stamp has neither the published hash nor the published signature.
    let url = format!(" --url {}", stamping.app.origin());
    for stamped in [FILE, "kit.tar.gz"] {
        let verify = format!("kitward artifact verify '{stamped}'");
        assert!(holds(&verify, &url), "{stamped}: {lines:?}");
        assert!(!holds("echo ", stamped), "{stamped}: {lines:?}");
        assert!(!holds("minisign ", stamped), "{stamped}: {lines:?}");
    }
    for plain in ["package.tgz", "notes.txt"] {
        assert!(holds("echo ", plain), "{plain}: {lines:?}");
        assert!(holds("minisign ", plain), "{plain}: {lines:?}");
    }
    stamping.app.stop().await;
}
