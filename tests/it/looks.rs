//! What one statement tells of a license is what several tell, however the kit is named and
//! whatever the license covers.

use kitward_keys::DocumentType;
use kitward_tests::{Kind, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

use crate::licensing::call;

/// A license of one kit, of two, of all: its edition and its key.
async fn licenses(app: &TestApp, shop: &Shop) -> Vec<(&'static str, String)> {
    let mut bought = vec![("one", shop.buy(app).await.key)];
    let two = json!({ "kits": ["feedback-widget", "rate-limiter"], "seat_limit": 5 });
    let all = json!({ "scope": "all", "kits": [], "seat_limit": 5 });
    for (name, terms) in [("two", two), ("all", all)] {
        let external = format!("price_{name}");
        let policy = Shop::policy(&shop.admin, name, &terms).await;
        let price =
            json!({ "external_id": external, "policies": [policy], "quantity_rule": "seats" });
        let added = shop.admin.post("/v1/admin/prices", &price).await;
        added.expect_status(201);
        let purchase = shop.buy_checkout(app, Shop::checkout(&external, 1)).await;
        bought.push((name, purchase.key));
    }
    bought
}

/// The members of a signed verdict.
pub(crate) fn claims(app: &TestApp, verdict: &str) -> Value {
    let keys = app.app.keys.load();
    kitward_keys::jws::verify(verdict, DocumentType::Verdict, &keys.public).unwrap()
}

both!(a_former_slug_and_several_kits_are_told_like_the_usual_case);
async fn a_former_slug_and_several_kits_are_told_like_the_usual_case(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let licenses = licenses(&app, &shop).await;
    let kit = app.anonymous();
    let device = json!({ "device": "machine-1" });
    for (_, key) in &licenses {
        call(&kit, "activate", key, &device).await;
    }
    let renamed = json!({ "slug": "feedback" });
    let renamed = shop.admin.patch("/v1/admin/kits/feedback-widget", &renamed);
    renamed.await.expect_status(200);
    let sent = |name: &str| json!({ "device": "machine-1", "kit": name });
    for (name, key) in &licenses {
        let scope = match *name {
            "one" => json!({ "kits": ["feedback"] }),
            "two" => json!({ "kits": ["rate-limiter", "feedback"] }),
            _ => json!({ "all": true }),
        };
        for (slug, audience) in [
            ("feedback", json!("feedback")),
            ("feedback-widget", json!(["feedback", "feedback-widget"])),
        ] {
            let answer = call(&kit, "validate", key, &sent(slug)).await;
            assert_eq!(answer.str("/code"), "VALID", "{name} {slug}");
            let claims = claims(&app, &answer.str("/verdict"));
            assert_eq!(claims["aud"], audience, "{name} {slug}");
            assert_eq!(claims["license"]["scope"], scope, "{name} {slug}");
            assert_eq!(claims["activation"]["identity"], "machine-1");
        }
        let code = |answer: Reply| answer.str("/code");
        let other = call(&kit, "validate", key, &sent("rate-limiter")).await;
        let covered = if *name == "one" {
            "KIT_MISMATCH"
        } else {
            "VALID"
        };
        assert_eq!(code(other), covered, "{name}");
        let nothing = call(&kit, "validate", key, &sent("no-such-kit")).await;
        assert_eq!(code(nothing), "KIT_MISMATCH", "{name}");
    }
    app.stop().await;
}

both!(a_seat_of_another_kind_of_identity_is_none);
async fn a_seat_of_another_kind_of_identity_is_none(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let kit = app.anonymous();
    for (name, key) in licenses(&app, &shop).await {
        call(&kit, "activate", &key, &json!({ "device": "machine-1" })).await;
        for (sent, code) in [
            (json!({ "device": "machine-1" }), "VALID"),
            (json!({ "device": "machine-2" }), "NOT_ACTIVATED"),
            (json!({ "user": "machine-1" }), "IDENTITY_REQUIRED"),
            (json!({}), "IDENTITY_REQUIRED"),
        ] {
            let answer = call(&kit, "validate", &key, &sent).await;
            assert_eq!(answer.str("/code"), code, "{name} {sent}");
            assert_eq!(answer.json()["activation"].is_null(), code != "VALID");
        }
    }
    app.stop().await;
}
