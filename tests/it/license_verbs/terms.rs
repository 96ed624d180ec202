//! What a license holds, changed by hand: its ends, its policy, its seats and its features.

use kitward_tests::{Kind, Shop, both};
use serde_json::{Value, json};

use super::{Desk, issue, path, sql};

both!(a_renewal_counts_from_the_end_or_from_now);
async fn a_renewal_counts_from_the_end_or_from_now(kind: Kind) {
    let desk = Desk::open(kind).await;
    let monthly = json!({ "valid_months": 1, "updates_months": null });
    Shop::policy(&desk.admin, "monthly", &monthly).await;
    let start = json!({ "policy": "monthly", "starts_at": "2027-01-31T10:00:00Z" });
    let (id, _) = issue(&desk.admin, &start).await;
    let renew = async |from: &str| {
        let reply = desk
            .admin
            .post(&path(&id, "renew"), &json!({ "from": from }))
            .await;
        reply.expect_status(200).str("/valid_until")
    };
    assert_eq!(renew("expiry").await, "2027-03-31T10:00:00Z");
    assert_eq!(renew("expiry").await, "2027-04-30T10:00:00Z");
    assert_eq!(renew("expiry").await, "2027-05-31T10:00:00Z");
    // The clock stands at 15 January.
    assert_eq!(renew("now").await, "2027-02-15T12:00:00Z");
    // What has no end has none to renew.
    desk.act("renew", &json!({ "from": "yesterday" }))
        .await
        .expect_problem(422, "invalid_field");
    let endless = json!({ "updates_months": null });
    Shop::policy(&desk.admin, "endless", &endless).await;
    let (id, _) = issue(&desk.admin, &json!({ "policy": "endless" })).await;
    let reply = desk
        .admin
        .post(&path(&id, "renew"), &json!({ "from": "now" }))
        .await;
    reply.expect_problem(409, "conflict");
    desk.app.stop().await;
}

both!(a_renewal_ends_a_lapse);
async fn a_renewal_ends_a_lapse(kind: Kind) {
    let desk = Desk::open(kind).await;
    let endless = json!({ "updates_months": null });
    Shop::policy(&desk.admin, "endless", &endless).await;
    let (endless, _) = issue(&desk.admin, &json!({ "policy": "endless" })).await;
    let renew = async |id: &str| {
        let now = json!({ "from": "now" });
        desk.admin.post(&path(id, "renew"), &now).await
    };
    for column in ["lapsed_at", "past_due_since"] {
        let lapse = format!("UPDATE licenses SET {column} = '2026-01-10 00:00:00'");
        sql(&desk.app, lapse).await;
        for id in [&desk.id, &endless] {
            let before = desk.admin.get(&path(id, "")).await;
            assert_eq!(before.str("/status"), "lapsed", "{column}");
            let renewed = renew(id).await.expect_status(200);
            assert_eq!(renewed.str("/status"), "active", "{column}");
            assert_eq!(renewed.json()[column], Value::Null);
        }
    }
    // Nothing is left to end or to lengthen.
    renew(&endless).await.expect_problem(409, "conflict");
    let history = desk.admin.get(&path(&endless, "history")).await;
    let fields = history.json()["items"][1]["fields"].to_string();
    assert!(fields.contains("lapsed_at"), "{fields}");
    desk.app.stop().await;
}

both!(a_renewal_never_leads_beyond_the_calendar_nor_back_to_the_start);
async fn a_renewal_never_leads_beyond_the_calendar_nor_back_to_the_start(kind: Kind) {
    let desk = Desk::open(kind).await;
    for (name, terms, last) in [
        // Whole months after the start, and not: the sum lies beyond the year 9999 in both.
        (
            "long",
            json!({ "valid_months": 24 }),
            "9998-06-01T00:00:00Z",
        ),
        ("odd", json!({ "valid_months": 24 }), "9998-06-02T00:00:00Z"),
        // The sum lies in the year 9999.
        (
            "short",
            json!({ "valid_months": 12 }),
            "9998-06-01T00:00:00Z",
        ),
        (
            "daily",
            json!({ "valid_days": 300 }),
            "9998-06-01T00:00:00Z",
        ),
    ] {
        Shop::policy(&desk.admin, name, &terms).await;
        let start = json!({ "policy": name, "starts_at": "2027-06-01T00:00:00Z" });
        let (id, _) = issue(&desk.admin, &start).await;
        let act = async |verb: &str, body: &Value| desk.admin.post(&path(&id, verb), body).await;
        let to = json!({ "valid_until": last, "updates_until": null });
        act("extend", &to).await.expect_status(200);
        let refused = act("renew", &json!({ "from": "expiry" })).await;
        let refused = refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.str("/field"), "from", "{name}");
        let shown = desk.admin.get(&path(&id, "")).await.expect_status(200);
        assert_eq!(shown.str("/valid_until"), last, "{name}");
        // Counted from now it fits, though that is earlier.
        let renewed = act("renew", &json!({ "from": "now" })).await;
        let renewed = renewed.expect_status(200);
        assert_eq!(renewed.json()["updates_until"], Value::Null);
        assert!(renewed.str("/valid_until").as_str() < "2030", "{name}");
    }
    // The end of updates as well.
    let to = json!({ "updates_until": "9998-06-01T00:00:00Z" });
    desk.done("extend", &to).await;
    let refused = desk.act("renew", &json!({ "from": "expiry" })).await;
    refused.expect_problem(422, "invalid_field");
    desk.app.stop().await;
}

both!(ends_move_by_hand_within_the_calendar);
async fn ends_move_by_hand_within_the_calendar(kind: Kind) {
    let desk = Desk::open(kind).await;
    let moved = desk
        .done("extend", &json!({ "months": 1, "days": 1 }))
        .await;
    assert_eq!(moved.str("/updates_until"), "2028-02-16T12:00:00Z");
    assert_eq!(
        moved.json()["valid_until"],
        Value::Null,
        "for ever stays for ever"
    );
    let to = json!({ "valid_until": "2030-01-01T00:00:00Z", "updates_until": null });
    let moved = desk.done("extend", &to).await;
    assert_eq!(moved.str("/valid_until"), "2030-01-01T00:00:00Z");
    assert_eq!(moved.json()["updates_until"], Value::Null);
    for body in [
        json!({}),
        json!({ "days": 0 }),
        json!({ "days": -1 }),
        json!({ "days": 36_501 }),
        json!({ "days": 99_999_999_999_i64 }),
        json!({ "months": 1_201 }),
        json!({ "months": -1 }),
        json!({ "days": 1, "valid_until": null }),
        json!({ "valid_until": "9999-01-01T00:00:00Z" }),
        json!({ "valid_until": "2026-01-01T00:00:00Z" }),
        json!({ "valid_until": "+10000-01-01T00:00:00Z" }),
        json!({ "updates_until": "soon" }),
    ] {
        let reply = desk.act("extend", &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    let last = json!({ "valid_until": "9998-12-31T00:00:00Z" });
    desk.done("extend", &last).await;
    for body in [
        json!({ "days": 2 }),
        json!({ "months": 1 }),
        json!({ "months": 1_200 }),
    ] {
        desk.act("extend", &body)
            .await
            .expect_problem(422, "invalid_field");
    }
    let renewed = desk.done("renew", &json!({ "from": "expiry" })).await;
    assert_eq!(renewed.str("/valid_until"), "9998-12-31T00:00:00Z");
    desk.app.stop().await;
}

both!(a_downgrade_throws_nobody_off);
async fn a_downgrade_throws_nobody_off(kind: Kind) {
    let desk = Desk::open(kind).await;
    for device in ["machine-1", "machine-2", "machine-3"] {
        assert_eq!(desk.seat(device).await, "VALID");
    }
    let small = json!({ "seat_limit": 2, "edition": "Small" });
    Shop::policy(&desk.admin, "small", &small).await;
    let changed = desk.done("set-policy", &json!({ "policy": "small" })).await;
    assert_eq!(changed.str("/edition"), "Small");
    assert_eq!(changed.str("/seats/used"), "3");
    assert_eq!(changed.str("/seats/limit"), "2");
    assert_eq!(
        changed.str("/seats/over_limit_until"),
        "2027-01-29T12:00:00Z"
    );
    assert_eq!(desk.code(&desk.key).await, "OVER_LIMIT");
    assert_eq!(desk.seat("machine-4").await, "SEATS_EXHAUSTED");
    // The ends stay, unless they are asked to begin anew.
    assert_eq!(changed.str("/updates_until"), "2028-01-15T12:00:00Z");
    desk.app.clock.advance(86_400);
    let anew = json!({ "policy": "personal", "dates": "restart" });
    let changed = desk.done("set-policy", &anew).await;
    assert_eq!(changed.str("/updates_until"), "2028-01-16T12:00:00Z");
    assert_eq!(changed.str("/seats/limit"), "5", "as many times as before");
    assert_eq!(changed.json()["seats"]["over_limit_until"], Value::Null);
    // Seats of another kind cannot be told apart any more.
    let sites = json!({ "seat_kind": "site", "seat_limit": 3 });
    Shop::policy(&desk.admin, "sites", &sites).await;
    let changed = desk.done("set-policy", &json!({ "policy": "sites" })).await;
    assert_eq!(
        (changed.str("/seats/used"), changed.str("/seats/kind")),
        ("0".into(), "site".into())
    );
    for body in [
        json!({ "policy": "none such" }),
        json!({ "policy": "small", "seat_limit": -1 }),
        json!({ "policy": "small", "over_limit_days": 367 }),
        json!({ "policy": "small", "dates": "later" }),
    ] {
        desk.act("set-policy", &body)
            .await
            .expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
}

both!(seats_features_and_words_are_edited);
async fn seats_features_and_words_are_edited(kind: Kind) {
    let desk = Desk::open(kind).await;
    for device in ["machine-1", "machine-2"] {
        desk.seat(device).await;
    }
    let edit = json!({
        "seat_limit": 1, "over_limit_days": 3, "add_entitlements": ["pro", "sso"],
        "metadata": { "crm": "4711" },
    });
    let edited = desk
        .admin
        .patch(&desk.path(""), &edit)
        .await
        .expect_status(200);
    assert_eq!(
        edited.str("/seats/over_limit_until"),
        "2027-01-18T12:00:00Z"
    );
    assert_eq!(edited.json()["entitlements"], json!(["pro", "sso"]));
    let edit =
        json!({ "seat_limit": null, "remove_entitlements": ["pro", "none"], "metadata": {} });
    let edited = desk
        .admin
        .patch(&desk.path(""), &edit)
        .await
        .expect_status(200);
    assert_eq!(edited.json()["seats"]["over_limit_until"], Value::Null);
    assert_eq!(edited.json()["extra_entitlements"], json!(["sso"]));
    assert_eq!(edited.json()["metadata"], json!({}));
    for body in [
        json!({ "seat_limit": 0 }),
        json!({ "seat_limit": 1, "over_limit_days": -1 }),
        json!({ "over_limit_days": 30 }),
        json!({ "over_limit_days": 30, "metadata": {} }),
        json!({ "extra_entitlements": ["a b"] }),
        json!({ "add_entitlements": ["x".repeat(65)] }),
        json!({ "metadata": { "n".repeat(65): "v" } }),
        json!({ "metadata": null, "status": "active" }),
    ] {
        let reply = desk.admin.patch(&desk.path(""), &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
}

both!(staff_frees_a_seat);
async fn staff_frees_a_seat(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    let seats = desk.admin.get(&desk.path("seats")).await.expect_status(200);
    let seat = seats.str("/items/0/id");
    let free = desk.path(&format!("seats/{seat}/free"));
    assert_eq!(
        desk.admin.post(&free, &json!({})).await.str("/freed"),
        "true"
    );
    assert_eq!(
        desk.admin.post(&free, &json!({})).await.str("/freed"),
        "false"
    );
    assert_eq!(desk.code(&desk.key).await, "NOT_ACTIVATED");
    // A seat of another license is not there.
    let (other, _) = issue(&desk.admin, &json!({})).await;
    let foreign = path(&other, &format!("seats/{seat}/free"));
    desk.admin
        .post(&foreign, &json!({}))
        .await
        .expect_problem(404, "not_found");
    desk.app.stop().await;
}
