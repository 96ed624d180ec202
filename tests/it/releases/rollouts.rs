//! Releases that come to their users step by step.

use kitward_tests::{Kind, both};
use serde_json::{Value, json};

use super::{DAY, KIT, file, offered, stage};

both!(a_rollout_is_set_followed_halted_and_resumed);
async fn a_rollout_is_set_followed_halted_and_resumed(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let now = || stage.app.app.clock.now();
    let step = |seconds: i64, percent: u8| json!({ "at": now().plus_seconds(seconds).to_string(), "percent": percent });
    let steps = json!({ "steps": [step(0, 0), step(10 * DAY, 100)] });
    let set = stage.acted(&id, "rollout", &steps).await;
    assert_eq!(set["rollout"], steps["steps"]);
    assert_eq!(
        stage.offered("version=1.0.0&manual=true").await,
        None,
        "at 0 %"
    );
    stage.app.clock.advance(DAY);
    assert_eq!(
        stage.offered("version=1.0.0&manual=true").await.as_deref(),
        Some("1.1.0"),
        "by hand"
    );
    stage.app.clock.advance(9 * DAY);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    let halted = stage.acted(&id, "halt", &json!({})).await;
    assert!(halted["halted_at"].is_string());
    for severity in ["normal", "critical"] {
        stage
            .edit(&id, &json!({ "severity": severity }))
            .await
            .expect_status(200);
        assert_eq!(stage.offered("version=1.0.0&manual=true").await, None);
    }
    stage.kit().get(&file("1.1.0")).await.expect_status(200);
    let list = stage.shop.admin.get("/v1/admin/releases?halted=true").await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    let resumed = stage.acted(&id, "resume", &json!({})).await;
    assert_eq!(resumed["halted_at"], Value::Null);
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    let none = stage.acted(&id, "rollout", &json!({ "percent": 0 })).await;
    assert_eq!(none["rollout"][0]["percent"], 0);
    assert_eq!(stage.offered("version=1.0.0&manual=true").await, None);
    let all = stage
        .acted(&id, "rollout", &json!({ "percent": 100 }))
        .await;
    assert_eq!(all["rollout"], Value::Null);
    stage.app.stop().await;
}

both!(a_rollout_set_during_a_halt_stands_still_from_then_on);
async fn a_rollout_set_during_a_halt_stands_still_from_then_on(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    let now = || stage.app.app.clock.now();
    let step = |seconds: i64, percent: u8| json!({ "at": now().plus_seconds(seconds).to_string(), "percent": percent });
    stage.acted(&id, "halt", &json!({})).await;
    stage.app.clock.advance(3 * DAY);
    let set = stage.acted(&id, "rollout", &json!({ "percent": 25 })).await;
    assert!(set["halted_at"].is_string(), "a halt goes on");
    stage.app.clock.advance(60);
    let resumed = stage.acted(&id, "resume", &json!({})).await;
    assert_eq!(resumed["rollout"], set["rollout"], "it has begun");
    // The same with a schedule: all from now on, nobody in ten days.
    stage.acted(&id, "halt", &json!({})).await;
    stage.app.clock.advance(3 * DAY);
    let steps = json!({ "steps": [step(0, 100), step(10 * DAY, 0)] });
    stage.acted(&id, "rollout", &steps).await;
    assert_eq!(stage.offered("version=1.0.0").await, None);
    stage.app.clock.advance(60);
    let later = step(10 * DAY, 0);
    let resumed = stage.acted(&id, "resume", &json!({})).await;
    assert_eq!(resumed["rollout"][1], later, "one minute later");
    assert_eq!(
        stage.offered("version=1.0.0").await.as_deref(),
        Some("1.1.0")
    );
    stage.app.stop().await;
}

both!(a_rollout_comes_to_licenses_as_a_whole_and_to_applications_one_by_one);
async fn a_rollout_comes_to_licenses_as_a_whole_and_to_applications_one_by_one(kind: Kind) {
    let stage = stage(kind).await;
    stage.release("1.0.0").await;
    let id = stage.release("1.1.0").await;
    stage.acted(&id, "rollout", &json!({ "percent": 50 })).await;
    let kit = stage.kit();
    let mut as_license = std::collections::BTreeSet::new();
    let mut as_application = std::collections::BTreeSet::new();
    for number in 0..24 {
        let install = format!("version=1.0.0&install=i-{number}");
        as_license.insert(offered(&kit, &install).await);
        let application = format!("{install}&platform=linux");
        let first = offered(&kit, &application).await;
        assert_eq!(
            offered(&kit, &application).await,
            first,
            "the same each time"
        );
        as_application.insert(first);
    }
    assert_eq!(as_license.len(), 1, "a team sees one version");
    assert_eq!(as_application.len(), 2, "some of 24 installations, not all");
    let open = format!("/v1/admin/kits/{KIT}");
    let opened = stage
        .shop
        .admin
        .patch(&open, &json!({ "is_open": true }))
        .await;
    opened.expect_status(200);
    let anybody = stage.app.anonymous();
    assert_eq!(
        offered(&anybody, "version=1.0.0").await,
        None,
        "last in the queue"
    );
    let mut found = std::collections::BTreeSet::new();
    for number in 0..24 {
        let install = format!("version=1.0.0&install=i-{number}");
        found.insert(offered(&anybody, &install).await);
    }
    assert_eq!(found.len(), 2);
    stage.app.stop().await;
}

both!(bad_rollouts_and_reasons_are_refused_and_named);
async fn bad_rollouts_and_reasons_are_refused_and_named(kind: Kind) {
    let stage = stage(kind).await;
    let id = stage.release("1.0.0").await;
    let at = |text: &str, percent: i64| json!({ "at": text, "percent": percent });
    let (one, two) = ("2027-03-01T00:00:00Z", "2027-03-02T00:00:00Z");
    let many: Vec<Value> = (0..51)
        .map(|n| at(&format!("2027-03-01T00:00:{n:02}Z"), 1))
        .collect();
    for (body, field) in [
        (json!({}), "percent"),
        (json!({ "percent": 1, "steps": [] }), "percent"),
        (json!({ "percent": -1 }), "percent"),
        (json!({ "percent": 101 }), "percent"),
        (json!({ "percent": 0.5 }), "percent"),
        (json!({ "steps": [] }), "steps"),
        (json!({ "steps": many }), "steps"),
        (json!({ "steps": [at(two, 1), at(one, 2)] }), "steps"),
        (json!({ "steps": [at(one, 1), at(one, 2)] }), "steps"),
        (json!({ "steps": [at(one, 101)] }), "steps"),
        (json!({ "steps": [at(one, -1)] }), "steps"),
        (json!({ "steps": [at(one, 1_000)] }), "steps"),
        (json!({ "steps": [at("soon", 1)] }), "steps"),
        (json!({ "steps": [{ "at": one }] }), "steps"),
    ] {
        let refused = stage.act(&id, "rollout", &body).await;
        let refused = refused.expect_problem(422, "invalid_field");
        assert!(
            refused.str("/field").starts_with(field),
            "{body} {}",
            refused.text()
        );
    }
    for reason in ["", " ", "a\nb", "a\u{0}b", "\u{202e}x", &"x".repeat(501)] {
        for verb in ["yank", "withdraw"] {
            let refused = stage.act(&id, verb, &json!({ "reason": reason })).await;
            assert_eq!(
                refused.expect_problem(422, "invalid_field").str("/field"),
                "reason"
            );
        }
    }
    let missing = "/v1/admin/releases/rel_01jhmz3e5afkt9ymv5n2e8wqc4/halt";
    let missing = stage.shop.admin.post(missing, &json!({})).await;
    missing.expect_problem(404, "not_found");
    stage.app.stop().await;
}
