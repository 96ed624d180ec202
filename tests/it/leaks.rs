//! Planted secrets are in no log, no error body and not in the database.

use kitward::staff::Scope;
use kitward_tests::{BUYER, Kind, MASTER_KEY, Shop, TestApp, WEBHOOK_SECRETS, both};
use reqwest::Method;
use serde_json::json;

both!(secrets_stand_in_the_database_sealed_or_as_digests);
async fn secrets_stand_in_the_database_sealed_or_as_digests(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    let browser = app.customer(BUYER).await;
    let asking = app.browser();
    asking.form("/sign-in", &[("email", BUYER)]).await;
    app.drain().await;
    let mail = app.inbox.messages().pop().unwrap().text();
    let link = mail
        .split_whitespace()
        .find(|word| word.contains("/sign-in/link/"))
        .unwrap();
    let session = ["kitward_session", "__Host-kitward_session"]
        .iter()
        .find_map(|name| browser.cookie(name))
        .expect("a session");
    let look = json!({ "key": purchase.key, "kit": "feedback-widget" });
    let look = app.anonymous().post("/v1/licenses/validate", &look).await;
    let tokens = format!("/v1/admin/licenses/{}/tokens", look.str("/license/id"));
    let token = json!({ "kind": "ci", "name": "build" });
    // What an equal request is told again is kept for a day.
    let keyed = shop.admin.clone().with("idempotency-key", "once");
    let token = keyed.post(&tokens, &token).await.str("/token");
    let secrets = [
        token[4..].to_owned(),
        purchase.key.clone(),
        purchase.key[4..40].to_owned(),
        link.rsplit('/').next().unwrap().to_owned(),
        session,
        WEBHOOK_SECRETS[0].to_owned(),
        MASTER_KEY.to_owned(),
        "sk_test_harness".to_owned(),
        // Only the sealed raw event says this.
        "pending_webhooks".to_owned(),
    ];
    let dump = dump(&app);
    assert!(contains(&dump, b"buyer@example.com"), "the dump is no dump");
    for secret in &secrets {
        assert!(
            !contains(&dump, secret.as_bytes()),
            "{secret} stands in the database"
        );
    }
    app.stop().await;
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle))
}

/// Everything in the database, as bytes.
fn dump(app: &TestApp) -> Vec<u8> {
    if app.kind == Kind::Sqlite {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(app.folder()).unwrap().flatten() {
            if entry.path().is_file() {
                bytes.extend(std::fs::read(entry.path()).unwrap());
            }
        }
        return bytes;
    }
    let output = std::process::Command::new("pg_dump")
        .args(["--inserts", "--dbname", app.database_url()])
        .output()
        .expect("pg_dump");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    // Binary columns are written as hexadecimal.
    let mut bytes = text.clone().into_bytes();
    for hex in text.split("\\x").skip(1) {
        let digits: Vec<u8> = hex.bytes().take_while(u8::is_ascii_hexdigit).collect();
        bytes.extend(
            digits
                .chunks_exact(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()),
        );
    }
    bytes
}

both!(failures_say_nothing_about_their_cause);
async fn failures_say_nothing_about_their_cause(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    let browser = app.customer(BUYER).await;
    let admin = app.token(Scope::Admin).await;
    let db = app.app.db.clone();
    tokio::task::spawn_blocking(move || db.close())
        .await
        .unwrap();
    let kit = app.kit(&purchase.key);
    let validate = json!({ "key": purchase.key, "kit": "feedback-widget" });
    let replies = [
        kit.post("/v1/licenses/validate", &validate).await,
        kit.post("/v1/licenses/activate", &validate).await,
        kit.get("/v1/kits/feedback-widget/releases").await,
        kit.get("/v1/kits/feedback-widget/updates?version=1.0.0")
            .await,
        admin.get("/v1/admin/kits").await,
        admin.get("/v1/admin/orders").await,
        admin
            .post(
                "/v1/admin/kits",
                &json!({ "slug": "a", "name": "A", "description": "" }),
            )
            .await,
        app.anonymous().get("/readyz").await,
        app.deliver(&json!({ "id": "evt_1", "type": "checkout.session.completed" }))
            .await,
        browser.get("/").await,
        browser.get("/downloads").await,
        browser.form("/sign-in", &[("email", BUYER)]).await,
    ];
    for reply in replies {
        assert_eq!(reply.status, 503, "{}", reply.text());
        let text = reply.text();
        for word in [
            "sqlite", "postgres", "diesel", "SELECT", "closed", "panicked", "src/", "kwl_",
        ] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        assert!(text.contains("req_"));
    }
    app.stop().await;
}

#[test]
fn the_log_holds_no_secret_even_at_its_most_talkative() {
    kitward_tests::run_on(Kind::Sqlite, |_kind| async {
        let folder = tempfile::TempDir::new().unwrap();
        let toml =
            "log = \"trace\"\nlog_format = \"json\"\n[stripe]\nsecret_key = \"sk_test_canary\"\n\
                    webhook_secrets = [\"whsec_canary\"]\n[mail]\n\
                    smtp_url = \"smtp://canary-user:canary-password@127.0.0.1:9\"\n"
                .to_owned();
        let settings = kitward_tests::ChildSettings::new(folder.path(), toml);
        let child = settings.start().await;
        let actor = child.actor();
        let key = format!("kwl_{}", "canary2".repeat(21));
        let body = json!({ "key": key, "kit": "canary-kit", "device": "canary-device" });
        actor
            .post("/v1/licenses/validate", &body)
            .await
            .expect_status(200);
        let with_key = actor
            .clone()
            .with("authorization", format!("License {key}"));
        with_key
            .get("/v1/kits/canary-kit/updates?version=1.0.0")
            .await
            .expect_status(401);
        actor
            .clone()
            .with("authorization", "Bearer kwa_canary")
            .get("/v1/admin/kits")
            .await;
        actor.get("/v1/downloads/canary-ticket").await;
        actor.get("/sign-in/link/canary-link").await;
        let browser = actor.clone().browser();
        browser.set_cookie("__Host-kitward_session", "canary-session");
        browser.get("/").await;
        browser
            .form("/sign-in", &[("email", "canary@example.com")])
            .await;
        let request = actor.request(Method::POST, "/webhooks/stripe");
        actor
            .send(
                request
                    .header("stripe-signature", "t=1,v1=canary")
                    .body("canary-body"),
            )
            .await;
        let log = child.logged();
        assert!(log.contains("\"route\":\"/v1/licenses/validate\""), "{log}");
        assert!(log.contains("\"request_id\":\"req_"));
        assert!(
            !log.contains("canary"),
            "{}",
            log.lines().find(|l| l.contains("canary")).unwrap()
        );
        for line in log.lines().filter(|line| line.starts_with('{')) {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    });
}
