//! When a token ends: revoked, expired, or with what it is derived from.

use futures_util::future::join_all;
use kitward_tests::{Kind, TestApp, both};
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
    let revoked = scene
        .shop
        .admin
        .post(&path, &json!({}))
        .await
        .expect_status(200);
    let again = scene
        .shop
        .admin
        .post(&path, &json!({}))
        .await
        .expect_status(200);
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
