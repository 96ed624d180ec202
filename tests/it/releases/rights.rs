//! Who may have a release: its features, the update window, grants, and kits open to everybody.

use kitward::staff::Scope;
use kitward_keys::verify_update;
use kitward_tests::{Kind, Shop, both};
use reqwest::Method;
use serde_json::json;

use super::{DAY, KIT, check, file, offered, stage};

both!(a_release_may_need_a_feature_of_the_license);
async fn a_release_may_need_a_feature_of_the_license(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let pro = json!({ "required_entitlements": ["pro"] });
    stage.edit(&id, &pro).await.expect_status(200);
    let kit = stage.kit();
    let refused = kit.get(&file("1.1.0")).await;
    let refused = refused.expect_problem(403, "entitlement_missing");
    assert_eq!(refused.str("/entitlement"), "pro");
    assert_eq!(stage.offered("version=1.0.0").await, None);
    let add = json!({ "add_entitlements": ["pro"] });
    let path = format!("/v1/admin/licenses/{}", stage.license().await);
    stage.shop.admin.patch(&path, &add).await.expect_status(200);
    kit.get(&file("1.1.0")).await.expect_status(200);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    stage.app.stop().await;
}

both!(a_grant_opens_one_release_beyond_the_window);
async fn a_grant_opens_one_release_beyond_the_window(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    stage.app.clock.advance(400 * DAY);
    let id = stage.release("2.0.0").await;
    let later = stage.release("2.1.0").await;
    let (kit, license) = (stage.kit(), stage.license().await);
    kit.get(&file("2.0.0"))
        .await
        .expect_problem(403, "version_not_covered");
    let support = stage.app.token(Scope::Support).await;
    let path = format!("/v1/admin/releases/{id}/grants");
    let grant = json!({ "license": license, "reason": "Promised by mail." });
    for _ in 0..2 {
        let keyed = support.clone().with("idempotency-key", "grant-1");
        keyed.post(&path, &grant).await.expect_status(200);
    }
    support.post(&path, &grant).await.expect_status(200);
    let unknown = json!({ "license": "lic_01jhmz3e5afkt9ymv5n2e8wqc4", "reason": "x" });
    support
        .post(&path, &unknown)
        .await
        .expect_problem(422, "invalid_field");
    kit.get(&file("2.0.0")).await.expect_status(200);
    kit.get(&file("2.1.0"))
        .await
        .expect_problem(403, "version_not_covered");
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("2.0.0")
    );
    let list = stage.shop.admin.get(&path).await.expect_status(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(list.str("/items/0/reason"), "Promised by mail.");
    let remove = |id: &str| {
        let path = format!("/v1/admin/releases/{id}/grants/{license}");
        support.send(support.request(Method::DELETE, &path))
    };
    remove(&later).await.expect_problem(404, "not_found");
    assert_eq!(remove(&id).await.status, 204);
    kit.get(&file("2.0.0"))
        .await
        .expect_problem(403, "version_not_covered");
    stage.app.stop().await;
}

both!(a_release_is_not_granted_to_a_license_of_other_kits);
async fn a_release_is_not_granted_to_a_license_of_other_kits(kind: Kind) {
    let stage = stage(kind).await;
    let id = stage.release("1.0.0").await;
    let admin = &stage.shop.admin;
    let path = format!("/v1/admin/releases/{id}/grants");
    for (name, terms, status) in [
        ("limiter", json!({ "kits": ["rate-limiter"] }), 422),
        ("everything", json!({ "scope": "all", "kits": [] }), 200),
    ] {
        let policy = Shop::policy(admin, name, &terms).await;
        let issue = json!({ "policy": policy, "email": "other@example.com" });
        let issued = admin.post("/v1/admin/licenses", &issue).await;
        let license = issued.expect_status(201).str("/id");
        let grant = json!({ "license": license, "reason": "They asked." });
        let reply = admin.post(&path, &grant).await.expect_status(status);
        if status == 422 {
            assert_eq!(reply.str("/field"), "license");
        }
    }
    let list = admin.get(&path).await.expect_status(200);
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    stage.app.stop().await;
}

both!(a_caller_above_its_window_learns_what_it_has_and_where_to_renew);
async fn a_caller_above_its_window_learns_what_it_has_and_where_to_renew(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    stage.app.clock.advance(400 * DAY);
    stage.release("2.0.0").await;
    let answer = check(&stage.kit(), "version=2.0.0").await;
    assert_eq!(answer.str("/last_entitled_version"), "1.0.0");
    assert!(answer.str("/updates_until").starts_with("2028-01-15"));
    assert!(answer.str("/renew_url").contains("/licenses/lic_"));
    let policy = format!("/v1/admin/policies/{}", stage.shop.policy);
    let elsewhere = json!({ "renew_url": "https://vendor.example.com/renew" });
    let edited = stage.shop.admin.patch(&policy, &elsewhere).await;
    edited.expect_status(200);
    let answer = check(&stage.kit(), "version=2.0.0").await;
    assert_eq!(answer.str("/renew_url"), "https://vendor.example.com/renew");
    let refused = stage.kit().get(&file("2.0.0")).await;
    let refused = refused.expect_problem(403, "version_not_covered");
    assert_eq!(
        refused.str("/renew_url"),
        "https://vendor.example.com/renew"
    );
    stage.app.stop().await;
}

both!(an_open_kit_is_everybodys_and_a_wrong_key_is_still_told);
async fn an_open_kit_is_everybodys_and_a_wrong_key_is_still_told(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let anybody = stage.app.anonymous();
    let updates = format!("/v1/kits/{KIT}/updates?version=1.0.0");
    anybody
        .get(&updates)
        .await
        .expect_problem(401, "unauthorized");
    anybody
        .get(&file("1.0.0"))
        .await
        .expect_problem(401, "unauthorized");
    let path = format!("/v1/admin/kits/{KIT}");
    let opened = stage
        .shop
        .admin
        .patch(&path, &json!({ "is_open": true }))
        .await;
    assert_eq!(opened.expect_status(200).json()["is_open"], true);
    assert_eq!(
        anybody.get(&file("1.0.0")).await.expect_status(200).bytes,
        b"1.0.0"
    );
    let answer = check(&anybody, "version=1.0.0&nonce=n").await;
    assert_eq!(answer.str("/release/version"), "1.1.0");
    let keys = stage.keys().await;
    let expected = stage.expected(Some("n"));
    let claims = verify_update(&answer.str("/manifest"), &keys, &expected).unwrap();
    assert_eq!((claims.sub.as_str(), claims.available), ("-", true));
    let wrong = stage.app.kit("kwl_wrong");
    wrong.get(&updates).await.expect_problem(401, "key_unknown");
    wrong
        .get(&file("1.0.0"))
        .await
        .expect_problem(401, "key_unknown");
    let unset = stage.app.kit("${KIT_TOKEN}");
    unset
        .get(&updates)
        .await
        .expect_problem(401, "variable_not_set");
    let pro = json!({ "required_entitlements": ["pro"] });
    stage.edit(&id, &pro).await.expect_status(200);
    let refused = anybody.get(&file("1.1.0")).await;
    refused.expect_problem(403, "entitlement_missing");
    assert_eq!(offered(&anybody, "version=1.0.0").await, None);
    stage.app.clock.advance(400 * DAY);
    stage.release("2.0.0").await;
    assert_eq!(
        offered(&anybody, "version=1.0.0").await.as_deref(),
        Some("2.0.0")
    );
    let owner = check(&stage.kit(), "version=1.0.0").await;
    assert_eq!(
        owner.str("/release/version"),
        "2.0.0",
        "no less than anybody"
    );
    let other = "/v1/kits/rate-limiter/updates?version=1.0.0";
    anybody.get(other).await.expect_problem(401, "unauthorized");
    let missing = "/v1/kits/no-such-kit/updates?version=1.0.0";
    anybody
        .get(missing)
        .await
        .expect_problem(401, "unauthorized");
    stage.app.stop().await;
}
