//! Tokens of builds: no seat, no file that outlives the build, and no workstation.

use kitward_tests::{BUYER, Kind, Shop, both};
use serde_json::{Value, json};

use super::{RELEASES, Scene, scene};
use crate::verdicts::file_of;

both!(a_ci_token_activates_without_a_seat);
async fn a_ci_token_activates_without_a_seat(kind: Kind) {
    let scene = scene(kind).await;
    let token = scene.token("ci").await;
    assert!(token.starts_with("kwc_"));
    for more in [
        json!({}),
        json!({ "device": "runner-1" }),
        json!({ "site": "example.com" }),
    ] {
        let answer = scene.kit("activate", &token, &more).await;
        assert_eq!(
            (answer.str("/code"), answer.str("/license/seats/used")),
            ("VALID".into(), "0".into())
        );
        assert_eq!(answer.json()["activation"], Value::Null);
        // The hint is that of what was shown.
        assert_eq!(answer.str("/license/key_hint"), token[token.len() - 6..]);
    }
    // All seats taken: a build runs.
    for n in 0..5 {
        scene
            .kit(
                "activate",
                &scene.purchase.key,
                &json!({ "device": format!("d-{n}") }),
            )
            .await;
    }
    let answer = scene
        .kit("activate", &token, &json!({ "device": "d-9" }))
        .await;
    assert_eq!(answer.str("/code"), "VALID");
    let claims = file_of(&scene.app, &answer).await;
    assert_eq!(claims.exp, scene.app.now() + 3_600);
    assert!(claims.activation.is_none());
    // It looks as well, and gives back no seat of anybody.
    assert_eq!(
        scene.kit("validate", &token, &json!({})).await.str("/code"),
        "VALID"
    );
    let given_back = scene
        .kit("deactivate", &token, &json!({ "device": "d-1" }))
        .await;
    assert_eq!(given_back.str("/code"), "NOT_ACTIVATED");
    let other = json!({ "kit": "rate-limiter" });
    assert_eq!(
        scene.kit("activate", &token, &other).await.str("/code"),
        "KIT_MISMATCH"
    );
    scene.app.kit(&token).get(RELEASES).await.expect_status(200);
    scene.app.stop().await;
}

both!(terms_without_builds_end_ci_tokens);
async fn terms_without_builds_end_ci_tokens(kind: Kind) {
    let scene = scene(kind).await;
    let (ci, download) = (scene.token("ci").await, scene.token("download").await);
    let policy = "/v1/admin/policies/personal";
    scene
        .shop
        .admin
        .patch(policy, &json!({ "ci_use": false }))
        .await
        .expect_status(200);
    assert_eq!(
        scene.kit("activate", &ci, &json!({})).await.str("/code"),
        "VALID"
    );
    scene.apply_second_terms(policy).await;
    assert_eq!(
        scene.kit("activate", &ci, &json!({})).await.str("/code"),
        "NOT_FOUND"
    );
    scene
        .app
        .kit(&ci)
        .get(RELEASES)
        .await
        .expect_problem(401, "key_unknown");
    scene
        .app
        .kit(&download)
        .get(RELEASES)
        .await
        .expect_status(200);
    let refused = scene
        .shop
        .admin
        .post(&scene.list(), &json!({ "kind": "ci", "name": "a" }))
        .await;
    assert_eq!(
        refused.expect_problem(422, "invalid_field").str("/field"),
        "kind"
    );
    scene.app.stop().await;
}

both!(a_ci_token_that_runs_like_a_workstation_is_flagged);
async fn a_ci_token_that_runs_like_a_workstation_is_flagged(kind: Kind) {
    let scene = scene(kind).await;
    let builds = scene.token("ci").await;
    let desk = scene.token("ci").await;
    // From the next midnight on.
    scene.app.clock.advance(12 * 3_600);
    for hour in 0..8 {
        let runner = json!({ "device": format!("runner-{hour}") });
        scene.kit("activate", &builds, &runner).await;
        let answer = scene
            .kit("activate", &desk, &json!({ "device": "desk" }))
            .await;
        assert_eq!(answer.str("/code"), "VALID");
        let flagged = flags(&scene).await;
        assert_eq!(flagged, usize::from(hour == 7), "{hour}");
        scene.app.clock.advance(3_600);
    }
    scene.app.stop().await;
}

async fn flags(scene: &Scene) -> usize {
    let listed = scene.shop.admin.get(&scene.list()).await.json();
    let items = listed["items"].as_array().unwrap().clone();
    items
        .iter()
        .filter(|item| !item["flagged_at"].is_null())
        .count()
}

both!(a_build_takes_no_file_along_that_outlives_it);
async fn a_build_takes_no_file_along_that_outlives_it(kind: Kind) {
    let scene = scene(kind).await;
    let admin = &scene.shop.admin;
    for (seats, ask) in [
        ("none", json!({})),
        ("device", json!({ "device": "runner" })),
    ] {
        let policy = json!({ "seat_kind": seats, "offline_file_days": 365 });
        Shop::policy(admin, seats, &policy).await;
        let license = json!({ "policy": seats, "email": BUYER });
        let license = admin.post("/v1/admin/licenses", &license).await;
        let id = license.expect_status(201).str("/id");
        let body = json!({ "kind": "ci", "name": "build" });
        let made = admin
            .post(&format!("/v1/admin/licenses/{id}/tokens"), &body)
            .await;
        let token = made.expect_status(201).str("/token");
        let mut ask = ask;
        for ttl in [Value::Null, json!(31_536_000)] {
            ask["ttl_seconds"] = ttl;
            let answer = scene.kit("file", &token, &ask).await;
            assert_eq!(answer.str("/code"), "VALID");
            let claims = file_of(&scene.app, &answer).await;
            assert_eq!(claims.exp, scene.app.now() + 3_600, "{seats}");
        }
    }
    scene.app.stop().await;
}
