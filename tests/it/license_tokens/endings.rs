//! When a token ends: revoked, expired, or with what it is derived from.

use futures_util::future::join_all;
use kitward_tests::{BUYER, Kind, TestApp, both};
use serde_json::json;

use super::{ORIGIN, RELEASES, call, from, scene};

both!(a_token_ends_when_it_is_revoked_or_expires);
async fn a_token_ends_when_it_is_revoked_or_expires(kind: Kind) {
    let scene = scene(kind).await;
    let second = scene.app.second().await;
    let made = scene.make(&json!({ "kind": "ci", "name": "a" })).await;
    let token = made.str("/token");
    let valid = |app: &TestApp| {
        let (kit, token) = (app.anonymous(), token.clone());
        async move {
            call(&kit, "validate", &token, &json!({}))
                .await
                .str("/code")
        }
    };
    assert_eq!(valid(&second).await, "VALID");
    let path = format!("{}/{}/revoke", scene.list(), made.str("/id"));
    let revoke = async || {
        let revoked = scene.shop.admin.post(&path, &json!({})).await;
        revoked.expect_status(200)
    };
    let (revoked, again) = (revoke().await, revoke().await);
    assert_eq!(revoked.str("/revoked_at"), again.str("/revoked_at"));
    // At the next request, on every process.
    assert_eq!(valid(&second).await, "NOT_FOUND");
    assert_eq!(valid(&scene.app).await, "NOT_FOUND");
    scene
        .app
        .kit(&token)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");

    let short = json!({ "kind": "download", "name": "b", "expires_at": "2027-01-15T13:00:00Z" });
    let short = scene.make(&short).await.str("/token");
    scene.app.kit(&short).get(RELEASES).await.expect_status(200);
    scene.app.clock.advance(3_600);
    scene
        .app
        .kit(&short)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");
    second.stop().await;
    scene.app.stop().await;
}

both!(a_token_ends_with_its_key_and_with_its_license);
async fn a_token_ends_with_its_key_and_with_its_license(kind: Kind) {
    let scene = scene(kind).await;
    scene.app.clock.advance(3_600);
    let token = scene.token("ci").await;
    let id = scene.token("publishable").await;
    let end = "2027-01-15 14:00:00";
    scene
        .sql(format!("UPDATE license_keys SET honored_until = '{end}'"))
        .await;
    assert_eq!(
        scene.kit("validate", &token, &json!({})).await.str("/code"),
        "VALID"
    );
    scene.app.clock.advance(3_600);
    assert_eq!(
        scene.kit("validate", &token, &json!({})).await.str("/code"),
        "KEY_REPLACED"
    );
    assert_eq!(from(&scene, ORIGIN, &id).await.str("/code"), "KEY_REPLACED");
    scene
        .app
        .kit(&token)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");
    scene
        .sql("UPDATE license_keys SET honored_until = NULL".to_owned())
        .await;
    scene
        .sql("UPDATE licenses SET valid_until = '2027-01-15 13:30:00'".to_owned())
        .await;
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "EXPIRED"
    );
    let refused = json!({ "kind": "ci", "name": "late" });
    let refused = scene.shop.admin.post(&scene.list(), &refused).await;
    assert_eq!(
        refused.expect_problem(409, "conflict").str("/verdict"),
        "EXPIRED"
    );
    scene.app.stop().await;
}

both!(tokens_that_ended_leave_room_for_new_ones);
async fn tokens_that_ended_leave_room_for_new_ones(kind: Kind) {
    let scene = scene(kind).await;
    let admin = &scene.shop.admin;
    let next = json!({ "kind": "ci", "name": "next" });
    scene.add_rows("older", 200, ("expires_at", "NULL")).await;
    let full = admin.post(&scene.list(), &next).await;
    full.expect_problem(409, "conflict");
    // They end with the key that was replaced, and until then they count.
    let rotate = format!("/v1/admin/licenses/{}/rotate", scene.license);
    let rotated = admin.post(&rotate, &json!({ "grace_seconds": 60 })).await;
    let ending = rotated.expect_status(200).json()["tokens"].clone();
    assert_eq!(ending.as_array().unwrap().len(), 200);
    let full = admin.post(&scene.list(), &next).await;
    full.expect_problem(409, "conflict");
    scene.app.clock.advance(60);
    let made = scene.make(&next).await;
    let browser = scene.app.customer(BUYER).await;
    let page = browser
        .get(&format!("/licenses/{}/tokens", scene.license))
        .await
        .expect_status(200)
        .text();
    assert!(page.contains(&made.str("/id")) && !page.contains("ltk_00older"));
    // The other 199 of them may be made; revoked ones count as little.
    scene.add_rows("newer", 199, ("expires_at", "NULL")).await;
    let full = admin.post(&scene.list(), &next).await;
    full.expect_problem(409, "conflict");
    let revoke = format!("{}/{}/revoke", scene.list(), made.str("/id"));
    admin.post(&revoke, &json!({})).await.expect_status(200);
    scene.make(&next).await;
    scene.app.stop().await;
}

both!(a_license_with_more_ended_tokens_than_a_statement_binds_changes_like_others);
async fn a_license_with_more_ended_tokens_than_a_statement_binds_changes_like_others(kind: Kind) {
    let scene = scene(kind).await;
    let admin = &scene.shop.admin;
    let past = "'2027-01-15 11:00:00'";
    scene.add_rows("gone", 17_000, ("revoked_at", past)).await;
    scene.add_rows("over", 17_000, ("expires_at", past)).await;
    let token = scene.token("ci").await;
    let own = format!("/v1/admin/licenses/{}", scene.license);
    let rotate = format!("{own}/rotate");
    for (grace, code) in [(60, "VALID"), (0, "NOT_FOUND")] {
        let body = json!({ "grace_seconds": grace });
        let rotated = admin.post(&rotate, &body).await.expect_status(200);
        let ending = rotated.json()["tokens"].clone();
        assert_eq!(ending.as_array().unwrap().len(), 1, "{grace}");
        let answer = scene.kit("validate", &token, &json!({})).await;
        assert_eq!(answer.str("/code"), code, "{grace}");
    }
    let owner = json!({ "email": "new-owner@example.com" });
    let other = json!({ "policy": "personal", "email": "new-owner@example.com" });
    let other = admin.post("/v1/admin/licenses", &other).await;
    let into = json!({ "into": other.expect_status(201).str("/id") });
    for (verb, body) in [("transfer", owner), ("merge", into)] {
        let token = scene.token("ci").await;
        let path = format!("{own}/{verb}");
        admin.post(&path, &body).await.expect_status(200);
        let refused = scene.app.kit(&token).get(RELEASES).await;
        refused.expect_problem(401, "key_unknown");
    }
    scene.app.stop().await;
}

both!(use_during_a_revocation_is_either_before_or_after);
async fn use_during_a_revocation_is_either_before_or_after(kind: Kind) {
    let scene = scene(kind).await;
    let made = scene.make(&json!({ "kind": "ci", "name": "a" })).await;
    let token = made.str("/token");
    let path = format!("{}/{}/revoke", scene.list(), made.str("/id"));
    let revokes = join_all((0..4).map(|_| {
        let (admin, path) = (scene.shop.admin.clone(), path.clone());
        async move {
            admin
                .post(&path, &json!({}))
                .await
                .expect_status(200)
                .str("/revoked_at")
        }
    }));
    let uses = join_all((0..16).map(|_| {
        let (scene, token) = (&scene, token.as_str());
        async move { scene.kit("activate", token, &json!({})).await.str("/code") }
    }));
    let (times, codes) = futures_util::future::join(revokes, uses).await;
    assert!(times.iter().all(|time| *time == times[0]));
    assert!(
        codes
            .iter()
            .all(|code| ["VALID", "NOT_FOUND"].contains(&code.as_str())),
        "{codes:?}"
    );
    assert_eq!(
        scene.kit("activate", &token, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    scene.app.stop().await;
}
