//! `kill -9` between an event and its mail: nothing is lost, a repeated mail is recognizable.

use std::time::{Duration, Instant};

use kitward_fakes::{Behavior, FakeStripe, Inbox, sign_event};
use kitward_tests::{BUYER, Child, ChildSettings, Kind, Shop, run_on};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    stripe: FakeStripe,
    inbox: Inbox,
    settings: ChildSettings,
}

async fn scene() -> Scene {
    let folder = TempDir::new().unwrap();
    let stripe = FakeStripe::start().await.unwrap();
    let inbox = Inbox::start().await.unwrap();
    let toml = format!(
        "log = \"trace\"\n[mail]\nsmtp_url = \"{}\"\nfrom = \"licenses@example.com\"\ntimeout_seconds = 4\n\
         [stripe]\nsecret_key = \"sk_test_crash\"\nwebhook_secrets = [\"whsec_crash\"]\napi_url = \"{}\"\n",
        inbox.smtp_url(),
        stripe.base_url()
    );
    let settings = ChildSettings::new(folder.path(), toml);
    Scene {
        folder,
        stripe,
        inbox,
        settings,
    }
}

/// A kit, a policy and a price, made by a token from the data folder.
async fn stock(scene: &Scene, child: &Child) {
    let file = scene.folder.path().join("kitward.toml");
    let config = kitward::config::load(Some(&file), &std::collections::BTreeMap::new()).unwrap();
    let app = kitward::app::App::build(config, kitward::app::Parts::default())
        .await
        .unwrap();
    let input = kitward::staff::CreateToken {
        name: "test".to_owned(),
        scopes: vec![kitward::staff::Scope::Admin],
        expires_at: None,
        actor: kitward::audit::Actor::Operator,
    };
    let token = kitward::staff::create_token(&app, input)
        .await
        .unwrap()
        .secret;
    let token = secrecy::ExposeSecret::expose_secret(&token).to_owned();
    let admin = child
        .actor()
        .with("authorization", format!("Bearer {token}"));
    let kit =
        json!({ "slug": "feedback-widget", "name": "Feedback Widget Kit", "description": "" });
    admin.post("/v1/admin/kits", &kit).await.expect_status(201);
    let policy = Shop::policy(&admin, "personal", &json!({})).await;
    let price = json!({
        "external_id": "price_personal", "policies": [policy], "quantity_rule": "seats",
    });
    admin
        .post("/v1/admin/prices", &price)
        .await
        .expect_status(201);
}

async fn deliver(child: &Child, event: &Value) {
    let body = event.to_string().into_bytes();
    let now = present();
    let actor = child.actor();
    let request = actor
        .request(Method::POST, "/webhooks/stripe")
        .header("stripe-signature", sign_event("whsec_crash", now, &body))
        .body(body);
    actor.send(request).await.expect_status(200);
}

/// A checkout and its event, which is returned.
async fn buy(scene: &Scene, child: &Child) -> Value {
    let ids = scene
        .stripe
        .add_checkout(Shop::checkout("price_personal", 1));
    let event = scene
        .stripe
        .event("checkout.session.completed", &ids.session);
    deliver(child, &event).await;
    event
}

fn present() -> i64 {
    kitward::clock::Clock::now(&kitward::clock::SystemClock).unix()
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn killed_before_the_mail_is_sent_exactly_one_mail_arrives() {
    run_on(Kind::Sqlite, |_kind| async {
        let scene = scene().await;
        let child = scene.settings.start().await;
        stock(&scene, &child).await;
        scene.inbox.set_behavior(Behavior::HangAtBanner);
        let event = buy(&scene, &child).await;
        until("an attempt to mail", || scene.inbox.connections() > 0).await;
        child.kill();
        scene.inbox.set_behavior(Behavior::Accept);
        let child = scene.settings.start().await;
        until("the mail", || !scene.inbox.messages().is_empty()).await;
        // The provider delivers again after the crash.
        deliver(&child, &event).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let mails = scene.inbox.messages();
        let ids: Vec<_> = mails.iter().map(|mail| mail.header("message-id")).collect();
        assert_eq!(mails.len(), 1, "{ids:?} {}", child.logged());
    });
}

#[test]
fn killed_right_after_the_event_was_acknowledged_the_purchase_is_fulfilled() {
    run_on(Kind::Sqlite, |_kind| async {
        let scene = scene().await;
        let child = scene.settings.start().await;
        stock(&scene, &child).await;
        scene.stripe.set_down(true);
        buy(&scene, &child).await;
        child.kill();
        scene.stripe.set_down(false);
        let child = scene.settings.start().await;
        until("the mail", || !scene.inbox.messages().is_empty()).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mails = scene.inbox.messages();
        assert_eq!(mails.len(), 1);
        // The log at its most talkative holds nothing of a purchase that went all the way.
        let log = child.logged();
        assert!(log.contains("order recorded"), "the log is no log");
        let key = kitward_tests::key_in(&mails[0].text());
        for secret in [
            key.as_str(),
            &key[4..30],
            "sk_test_crash",
            "whsec_crash",
            BUYER,
        ] {
            assert!(!log.contains(secret), "{secret} stands in the log");
        }
    });
}

#[test]
fn killed_after_the_data_a_duplicate_carries_the_same_message_id() {
    run_on(Kind::Sqlite, |_kind| async {
        let scene = scene().await;
        let child = scene.settings.start().await;
        stock(&scene, &child).await;
        scene.inbox.set_behavior(Behavior::HangAfterData);
        buy(&scene, &child).await;
        until("the data", || !scene.inbox.messages().is_empty()).await;
        child.kill();
        scene.inbox.set_behavior(Behavior::Accept);
        let _child = scene.settings.start().await;
        until("the duplicate", || scene.inbox.messages().len() > 1).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let ids: Vec<_> = scene
            .inbox
            .messages()
            .iter()
            .map(|m| m.header("message-id").unwrap())
            .collect();
        assert_eq!(ids.len(), 2);
        assert_eq!(ids[0], ids[1]);
    });
}
