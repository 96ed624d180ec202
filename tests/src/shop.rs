//! A small shop in an installation: kits, policies, prices, a release, purchases.

use kitward::staff::Scope;
use kitward_fakes::{Checkout, CheckoutIds, CheckoutLine, sign_event};
use reqwest::Method;
use serde_json::{Value, json};

use crate::TestApp;
use crate::actors::{Actor, Reply};
use crate::app::WEBHOOK_SECRETS;

/// Address of the usual buyer.
pub const BUYER: &str = "buyer@example.com";

/// A shop with one kit, `feedback-widget`, sold by `price_personal` for 5 devices, and another,
/// `rate-limiter`.
#[derive(Debug)]
pub struct Shop {
    /// Whoever manages it.
    pub admin: Actor,
    /// Id of the policy `personal`.
    pub policy: String,
}

/// A purchase that was made and mailed.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The provider's ids.
    pub ids: CheckoutIds,
    /// The license key, from the mail.
    pub key: String,
}

impl Shop {
    /// Opens the shop.
    pub async fn open(app: &TestApp) -> Self {
        let admin = app.token(Scope::Admin).await;
        for (slug, name) in [
            ("feedback-widget", "Feedback Widget Kit"),
            ("rate-limiter", "API Rate Limiter Kit"),
        ] {
            let kit = json!({
                "slug": slug, "name": name, "description": "A kit.", "ecosystems": ["npm"],
                "status": "released",
            });
            admin.post("/v1/admin/kits", &kit).await.expect_status(201);
        }
        let policy = Self::policy(&admin, "personal", &json!({ "seat_limit": 5 })).await;
        let price = json!({
            "external_id": "price_personal", "policies": [policy], "quantity_rule": "seats",
        });
        admin
            .post("/v1/admin/prices", &price)
            .await
            .expect_status(201);
        Self { admin, policy }
    }

    /// Adds a policy: one kit, devices, a year of updates, with these members changed.
    pub async fn policy(admin: &Actor, name: &str, changes: &Value) -> String {
        let mut policy = json!({
            "name": name, "edition": "Personal", "scope": "kits", "kits": ["feedback-widget"],
            "seat_kind": "device", "seat_limit": null, "updates_months": 12, "valid_months": null,
            "license_file_days": 14,
        });
        let members = policy.as_object_mut().expect("an object");
        for (member, value) in changes.as_object().expect("an object") {
            members.insert(member.clone(), value.clone());
        }
        admin
            .post("/v1/admin/policies", &policy)
            .await
            .expect_status(201)
            .str("/id")
    }

    /// Publishes a release with one file.
    pub async fn release(&self, kit: &str, version: &str, name: &str, file: &[u8]) -> String {
        let release = json!({ "kit": kit, "version": version, "notes": "Better." });
        let id = self
            .admin
            .post("/v1/admin/releases", &release)
            .await
            .expect_status(201)
            .str("/id");
        let path = format!("/v1/admin/releases/{id}/artifacts/{name}");
        let put = self.admin.put(&path, file.to_vec()).await;
        assert!(put.status == 200 || put.status == 201, "{}", put.text());
        let publish = format!("/v1/admin/releases/{id}/publish");
        self.admin
            .post(&publish, &json!({}))
            .await
            .expect_status(200);
        id
    }

    /// A paid checkout of one line.
    pub fn checkout(price: &str, quantity: u64) -> Checkout {
        Checkout {
            email: BUYER.to_owned(),
            name: Some("Example Buyer".to_owned()),
            lines: vec![CheckoutLine {
                price: price.to_owned(),
                product: "prod_feedback".to_owned(),
                description: "Feedback Widget Kit".to_owned(),
                quantity,
                unit_amount: 3_700,
                tax: 0,
            }],
            ..Checkout::default()
        }
    }

    /// Buys the usual license and reads its key from the mail.
    pub async fn buy(&self, app: &TestApp) -> Purchase {
        self.buy_checkout(app, Self::checkout("price_personal", 1))
            .await
    }

    /// Buys and reads the key from the newest mail.
    pub async fn buy_checkout(&self, app: &TestApp, checkout: Checkout) -> Purchase {
        let before = app.inbox.messages().len();
        let ids = app.stripe.add_checkout(checkout);
        let event = app.stripe.event("checkout.session.completed", &ids.session);
        app.deliver(&event).await.expect_status(200);
        app.drain().await;
        let mails = app.inbox.messages();
        assert_eq!(mails.len(), before + 1, "one mail for one purchase");
        let key = key_in(&mails.last().expect("a mail").text());
        Purchase { ids, key }
    }
}

/// The license key in a mail's text.
pub fn key_in(text: &str) -> String {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with("kwl_"));
    word.unwrap_or_else(|| panic!("no key in {text}"))
        .to_owned()
}

impl TestApp {
    /// Delivers an event as Stripe would.
    pub async fn deliver(&self, event: &Value) -> Reply {
        let body = event.to_string().into_bytes();
        let signature = sign_event(WEBHOOK_SECRETS[0], self.now(), &body);
        self.deliver_raw(body, &signature).await
    }

    /// Delivers bytes with a signature header.
    pub async fn deliver_raw(&self, body: Vec<u8>, signature: &str) -> Reply {
        let actor = self.anonymous();
        let request = actor
            .request(Method::POST, "/webhooks/stripe")
            .header("content-type", "application/json")
            .header("stripe-signature", signature)
            .body(body);
        actor.send(request).await
    }

    /// Seconds since 1970 on the installation's clock.
    pub fn now(&self) -> i64 {
        self.app.clock.now().unix()
    }
}
