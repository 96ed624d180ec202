//! Signatures of files: the server's, and those of a vendor's own key.

use kitward::audit::Actor as AuditActor;
use kitward::config::Config;
use kitward::key_ring::{self, Order};
use kitward_keys::{
    FileComment, FileSignature, KeyPurpose, KeyState, MinisignError, MinisignKey, Prehash,
    SigningKey, comment_field, sign_file,
};
use kitward_tests::{BUYER, Kind, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

use crate::uploads::{blobs, sha256};

const FILE: &str = "feedback-widget-1.0.0.zip";

/// The vendor's own key, which is not on the server.
pub(crate) fn own_key() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Artifact, &[3; 32])
}

pub(crate) fn knows_own_key(config: &mut Config) {
    let key = MinisignKey::of(&own_key().public(KeyState::Active)).unwrap();
    config.vendor.minisign_keys = vec![key.to_string()];
}

/// What the vendor's key says of some bytes.
pub(crate) fn supplied(key: &SigningKey, bytes: &[u8], file: &str, version: &str) -> Vec<u8> {
    let comment = FileComment {
        timestamp: 1_800_000_000,
        file,
        version,
        kit: "feedback-widget",
        channel: "stable",
    };
    let signature = sign_file(key, &Prehash::of(bytes), &comment).unwrap();
    signature.to_string().into_bytes()
}

struct Signed {
    app: TestApp,
    shop: Shop,
    release: String,
    zip: Vec<u8>,
}

impl Signed {
    async fn start(kind: Kind) -> Self {
        let app = TestApp::builder().config(knows_own_key).start(kind).await;
        let shop = Shop::open(&app).await;
        let zip = kitward_fakes::sample_kit_zip();
        let release = shop.release("feedback-widget", "1.0.0", FILE, &zip).await;
        Self {
            app,
            shop,
            release,
            zip,
        }
    }

    async fn keys(&self) -> Vec<MinisignKey> {
        let found = self.app.anonymous().get("/.well-known/kitward.json").await;
        let found = found.expect_status(200).json();
        let keys = found["minisign_keys"].as_array().unwrap();
        let parse = |key: &Value| MinisignKey::parse(key.as_str().unwrap()).unwrap();
        keys.iter().map(parse).collect()
    }

    async fn file(&self) -> Value {
        let path = format!("/v1/admin/releases/{}", self.release);
        let release = self.shop.admin.get(&path).await.expect_status(200).json();
        release["artifacts"][0].clone()
    }

    async fn signature(&self) -> FileSignature {
        let file = self.file().await;
        FileSignature::parse(file["signature"].as_str().unwrap()).unwrap()
    }

    async fn supply(&self, name: &str, signature: Vec<u8>) -> Reply {
        let release = &self.release;
        let path = format!("/v1/admin/releases/{release}/artifacts/{name}/signature");
        self.shop.admin.put(&path, signature).await
    }

    async fn sign_again(&self) {
        let path = format!("/v1/admin/releases/{}/sign", self.release);
        let signed = self.shop.admin.post(&path, &json!({})).await;
        signed.expect_status(200);
    }
}

both!(the_server_signs_every_file_and_publishes_its_key);
async fn the_server_signs_every_file_and_publishes_its_key(kind: Kind) {
    let signed = Signed::start(kind).await;
    let signature = signed.signature().await;
    let keys = signed.keys().await;
    let comment = signature.verify(&keys, &Prehash::of(&signed.zip)).unwrap();
    for (field, value) in [
        ("file", FILE),
        ("version", "1.0.0"),
        ("kit", "feedback-widget"),
        ("channel", "stable"),
    ] {
        assert_eq!(comment_field(comment, field), Some(value), "{comment}");
    }
    let now = signed.app.now().to_string();
    assert_eq!(comment_field(comment, "timestamp"), Some(now.as_str()));
    assert_eq!(signed.file().await["signed_by"], "server");
    let other = signature.verify(&keys, &Prehash::of(b"other"));
    assert_eq!(other, Err(MinisignError::BadSignature));
    // Kits see it too.
    let key = signed.shop.buy(&signed.app).await.key;
    let kit = signed.app.kit(&key);
    let list = kit.get("/v1/kits/feedback-widget/releases");
    let list = list.await.expect_status(200).json();
    assert_eq!(
        list["items"][0]["artifacts"][0]["signature"],
        signature.to_string()
    );
    signed.app.stop().await;
}

both!(a_signature_of_the_vendors_own_key_takes_the_servers_place);
async fn a_signature_of_the_vendors_own_key_takes_the_servers_place(kind: Kind) {
    let signed = Signed::start(kind).await;
    let text = supplied(&own_key(), &signed.zip, FILE, "1.0.0");
    let reply = signed.supply(FILE, text.clone()).await.expect_status(200);
    assert_eq!(reply.str("/signed_by"), "vendor");
    let signature = signed.signature().await;
    assert_eq!(signature.to_string().into_bytes(), text);
    let verified = signature.verify(&signed.keys().await, &Prehash::of(&signed.zip));
    assert!(verified.is_ok());
    // The server never signs over it.
    signed.sign_again().await;
    assert_eq!(signed.signature().await, signature);
    let audit = format!(
        "/v1/admin/audit?subject={}",
        signed.file().await["id"].as_str().unwrap()
    );
    let audit = signed.shop.admin.get(&audit).await.expect_status(200);
    assert!(audit.text().contains("artifact.signed"), "{}", audit.text());
    signed.app.stop().await;
}

both!(a_signature_that_does_not_fit_is_refused_with_the_reason);
async fn a_signature_that_does_not_fit_is_refused_with_the_reason(kind: Kind) {
    let signed = Signed::start(kind).await;
    let zip = &signed.zip;
    let before = signed.signature().await;
    let stranger = SigningKey::from_bytes(KeyPurpose::Artifact, &[4; 32]);
    for (signature, reason) in [
        (
            supplied(&own_key(), b"other", FILE, "1.0.0"),
            "bad_signature",
        ),
        (supplied(&own_key(), zip, FILE, "1.0.1"), "other_file"),
        (
            supplied(&own_key(), zip, "other.zip", "1.0.0"),
            "other_file",
        ),
        (supplied(&stranger, zip, FILE, "1.0.0"), "unknown_key"),
        (before.to_string().into_bytes(), "unknown_key"),
        (b"no signature".to_vec(), "malformed"),
    ] {
        let reply = signed.supply(FILE, signature).await;
        let reply = reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), "signature");
        assert_eq!(reply.str("/reason"), reason);
    }
    let large = signed.supply(FILE, vec![b'a'; 5000]).await;
    large.expect_problem(413, "payload_too_large");
    let binary = signed.supply(FILE, vec![0xff; 100]).await;
    binary.expect_problem(422, "invalid_field");
    let good = supplied(&own_key(), zip, FILE, "1.0.0");
    let missing = signed.supply("missing.zip", good).await;
    missing.expect_problem(404, "not_found");
    assert_eq!(signed.signature().await, before);
    signed.app.stop().await;
}

both!(after_a_key_was_stolen_its_signatures_are_made_anew);
async fn after_a_key_was_stolen_its_signatures_are_made_anew(kind: Kind) {
    let signed = Signed::start(kind).await;
    let stolen = signed.signature().await;
    signed.sign_again().await;
    assert_eq!(signed.signature().await, stolen, "nothing was due");
    let custody = signed.app.app.custody();
    let found = key_ring::examine(&custody).await.unwrap();
    let key = found
        .keys
        .iter()
        .find(|key| key.signs(KeyPurpose::Artifact));
    let order = Order {
        actor: AuditActor::Operator,
        root: None,
    };
    key_ring::compromise(&custody, &order, key.unwrap().kid())
        .await
        .unwrap();
    let prehash = Prehash::of(&signed.zip);
    let keys = signed.keys().await;
    assert_eq!(
        stolen.verify(&keys, &prehash),
        Err(MinisignError::UnknownKey)
    );
    signed.sign_again().await;
    let fresh = signed.signature().await;
    assert!(fresh.verify(&keys, &prehash).is_ok());
    signed.app.stop().await;
}

both!(what_the_storage_damaged_is_not_signed);
async fn what_the_storage_damaged_is_not_signed(kind: Kind) {
    let signed = Signed::start(kind).await;
    let of_old = "UPDATE artifacts SET blake2b = NULL, signature = NULL, signed_by = NULL";
    crate::seats::sql(&signed.app, of_old.to_owned()).await;
    let (zip, hash) = (&signed.zip, sha256(&signed.zip));
    let folder = blobs(&signed.app).join("sha256").join(&hash[..2]);
    let stored = folder.join(&hash[2..]);
    let sign = format!("/v1/admin/releases/{}/sign", signed.release);
    for damaged in [
        vec![b'x'; zip.len()],
        zip[..zip.len() - 1].to_vec(),
        [&zip[..], b"more"].concat(),
    ] {
        std::fs::write(&stored, damaged).unwrap();
        let refused = signed.shop.admin.post(&sign, &json!({})).await;
        refused.expect_problem(503, "unavailable");
        assert_eq!(signed.file().await["signature"], Value::Null);
    }
    std::fs::write(&stored, zip).unwrap();
    signed.sign_again().await;
    let (signature, keys) = (signed.signature().await, signed.keys().await);
    assert!(signature.verify(&keys, &Prehash::of(zip)).is_ok());
    signed.app.stop().await;
}

/// Commands that a page of downloads shows.
pub(crate) fn commands(page: &str) -> Vec<String> {
    let shown = page.split("<code id=").skip(1);
    let texts = shown.map(|part| {
        let text = part.split_once('>').unwrap().1;
        text.split("</code>").next().unwrap().to_owned()
    });
    let plain = |text: String| {
        let quotes = text.replace("&#39;", "'").replace("&#34;", "\"");
        quotes.replace("&#38;", "&")
    };
    let lines = texts.flat_map(|text| plain(text).lines().map(str::to_owned).collect::<Vec<_>>());
    lines.collect()
}

/// Those of the lines that start so.
fn starts(lines: &[String], start: &str) -> Vec<String> {
    let found = lines.iter().filter(|line| line.starts_with(start));
    found.cloned().collect()
}

both!(the_portal_tells_how_to_check_a_file_by_the_key_that_signed_it);
async fn the_portal_tells_how_to_check_a_file_by_the_key_that_signed_it(kind: Kind) {
    let signed = Signed::start(kind).await;
    let key = signed.shop.buy(&signed.app).await.key;
    let browser = signed.app.customer(BUYER).await;
    let shown = || async {
        let page = browser.get("/downloads").await.expect_status(200).text();
        commands(&page)
    };
    let check = |lines: &[String]| {
        let found = starts(lines, "minisign -Vm 'feedback-widget-1.0.0.zip' -P ");
        assert_eq!(found.len(), 1, "{lines:?}");
        let key = found[0].rsplit(' ').next().unwrap();
        MinisignKey::parse(key).unwrap()
    };
    let lines = shown().await;
    let prehash = Prehash::of(&signed.zip);
    signed
        .signature()
        .await
        .verify(&[check(&lines)], &prehash)
        .unwrap();
    // What it is checked with is fetched before.
    let fetch = "curl --fail --location --output 'feedback-widget-1.0.0.zip.minisig' ";
    let fetch = starts(&lines, fetch).remove(0);
    let url = fetch.rsplit('\'').nth(1).unwrap();
    let fetched = signed.app.kit(&key).get(url).await.expect_status(200);
    assert_eq!(fetched.text(), signed.signature().await.to_string());
    let own = supplied(&own_key(), &signed.zip, FILE, "1.0.0");
    signed.supply(FILE, own).await.expect_status(200);
    let vendors = MinisignKey::of(&own_key().public(KeyState::Active)).unwrap();
    assert_eq!(check(&shown().await), vendors);
    // By a key that nobody trusts any more nothing is checked.
    let foreign = SigningKey::from_bytes(KeyPurpose::Artifact, &[4; 32]);
    let foreign = supplied(&foreign, &signed.zip, FILE, "1.0.0");
    let foreign = String::from_utf8(foreign).unwrap();
    let change = format!("UPDATE artifacts SET signature = '{foreign}'");
    crate::seats::sql(&signed.app, change).await;
    let lines = shown().await;
    assert!(starts(&lines, "minisign").is_empty(), "{lines:?}");
    assert_eq!(starts(&lines, "echo '").len(), 1, "{lines:?}");
    signed.app.stop().await;
}
