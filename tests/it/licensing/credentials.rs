//! Where a kit may put its key, and what is signed of its nonce.

use kitward_tests::{Kind, both};
use reqwest::Method;
use serde_json::{Value, json};

use super::{call, shop};
use crate::looks::claims;

const FORGED: &str = "kwl_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const VALIDATE: &str = "/v1/licenses/validate";

fn without_key() -> Value {
    json!({ "kit": "feedback-widget", "device": "machine-1" })
}

fn with_key(key: &str) -> Value {
    json!({ "key": key, "kit": "feedback-widget", "device": "machine-1" })
}

both!(a_key_in_the_header_is_as_good_as_one_in_the_body);
async fn a_key_in_the_header_is_as_good_as_one_in_the_body(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let key = purchase.key.as_str();
    let kit = app.kit(key);
    for (verb, code) in [
        ("activate", "VALID"),
        ("validate", "VALID"),
        ("heartbeat", "VALID"),
        ("deactivate", "FREED"),
    ] {
        let path = format!("/v1/licenses/{verb}");
        let answer = kit.post(&path, &without_key()).await.expect_status(200);
        assert_eq!(answer.str("/code"), code, "{verb}");
    }
    for form in [format!("Bearer {key}"), key.to_owned()] {
        let kit = app.anonymous().with("authorization", form);
        let answer = kit.post(VALIDATE, &without_key()).await;
        assert_eq!(answer.expect_status(200).str("/code"), "NOT_ACTIVATED");
    }
    let kit = app.anonymous();
    for (user, password) in [("license", Some(key)), (key, None)] {
        let request = kit.request(Method::POST, VALIDATE);
        let request = request.basic_auth(user, password).json(&without_key());
        let answer = kit.send(request).await.expect_status(200);
        assert_eq!(answer.str("/code"), "NOT_ACTIVATED");
    }
    let unknown = app.kit(FORGED).post(VALIDATE, &without_key()).await;
    assert_eq!(unknown.expect_status(200).str("/code"), "NOT_FOUND");
    app.stop().await;
}

both!(a_token_in_the_header_does_what_it_does_in_the_body);
async fn a_token_in_the_header_does_what_it_does_in_the_body(kind: Kind) {
    let (app, shop, purchase) = shop(kind).await;
    let look = call(&app.anonymous(), "validate", &purchase.key, &json!({})).await;
    let tokens = format!("/v1/admin/licenses/{}/tokens", look.str("/license/id"));
    let token = async |body: Value| {
        let made = shop.admin.post(&tokens, &body).await;
        made.expect_status(201).str("/token")
    };
    let ci = token(json!({ "kind": "ci", "name": "build" })).await;
    let built = app.kit(&ci).post(VALIDATE, &without_key()).await;
    assert_eq!(built.expect_status(200).str("/code"), "VALID");
    let origin = "https://shop.example.com";
    let page = json!({ "kind": "publishable", "name": "page", "origins": [origin] });
    let page = app.kit(&token(page).await).with("origin", origin);
    let seen = page.post(VALIDATE, &without_key()).await.expect_status(200);
    assert_eq!(seen.str("/code"), "NOT_ACTIVATED");
    assert_eq!(seen.header("access-control-allow-origin"), origin);
    // A page may read why its header is refused.
    let unread = app.anonymous().with("origin", origin);
    let unread = unread.with("authorization", "Digest x");
    let refused = unread.post(VALIDATE, &without_key()).await;
    let refused = refused.expect_problem(401, "unauthorized");
    assert_eq!(refused.header("access-control-allow-origin"), origin);
    // One that may stand in an address stands there for downloads alone.
    let download = token(json!({ "kind": "download", "name": "npm" })).await;
    let address = format!("/k/{download}{VALIDATE}");
    let refused = app.anonymous().post(&address, &without_key()).await;
    refused.expect_problem(404, "not_found");
    app.stop().await;
}

both!(the_key_of_the_body_counts_where_there_is_one);
async fn the_key_of_the_body_counts_where_there_is_one(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let kit = app.kit(&purchase.key);
    for verb in ["activate", "validate", "heartbeat", "deactivate", "file"] {
        let path = format!("/v1/licenses/{verb}");
        let another = kit.post(&path, &with_key(FORGED)).await;
        assert_eq!(another.expect_status(200).str("/code"), "NOT_FOUND");
        let none = app.anonymous().post(&path, &without_key()).await;
        let none = none.expect_problem(422, "invalid_field");
        assert_eq!(none.str("/field"), "key", "{verb}");
        for (header, code) in [
            ("License ${KIT_KEY}", "variable_not_set"),
            ("Digest x", "unauthorized"),
        ] {
            let odd = app.anonymous().with("authorization", header);
            let refused = odd.post(&path, &without_key()).await;
            refused.expect_problem(401, code);
            let known = odd.post(&path, &with_key(FORGED)).await;
            assert_eq!(known.expect_status(200).str("/code"), "NOT_FOUND");
        }
        let twice = kit.clone().with("authorization", "License x");
        let twice = twice.post(&path, &without_key()).await;
        twice.expect_problem(400, "malformed_request");
    }
    // The password of a proxy is no matter of ours.
    let request = app.anonymous().request(Method::POST, VALIDATE);
    let request = request.basic_auth("staging", Some("secret"));
    let request = request.json(&with_key(&purchase.key));
    let answer = app.anonymous().send(request).await.expect_status(200);
    assert_eq!(answer.str("/code"), "NOT_ACTIVATED");
    app.stop().await;
}

both!(a_nonce_is_signed_as_it_was_sent);
async fn a_nonce_is_signed_as_it_was_sent(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let kit = app.anonymous();
    let longest = "n".repeat(128);
    for nonce in ["n-1", "!~{}\"", "", longest.as_str()] {
        let answer = call(&kit, "validate", &purchase.key, &json!({ "nonce": nonce })).await;
        let claims = claims(&app, &answer.str("/verdict"));
        assert_eq!(claims["nonce"], json!(nonce));
    }
    let without = call(&kit, "validate", &purchase.key, &json!({})).await;
    let claims = claims(&app, &without.str("/verdict"));
    assert_eq!(claims.get("nonce"), None);
    app.stop().await;
}
