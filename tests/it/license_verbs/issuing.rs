//! Licenses that staff issues by hand.

use kitward_tests::{BUYER, Kind, Shop, both};
use serde_json::{Value, json};

use super::{Desk, issue, path};

both!(a_license_issued_by_hand_waits_for_its_owner);
async fn a_license_issued_by_hand_waits_for_its_owner(kind: Kind) {
    let desk = Desk::open(kind).await;
    let shown = desk.show().await;
    assert_eq!(shown.str("/status"), "active");
    assert_eq!(shown.str("/seats/limit"), "5");
    assert_eq!(shown.str("/updates_until"), "2028-01-15T12:00:00Z");
    assert_eq!(shown.header("etag"), "\"1\"");
    assert!(!shown.text().contains(&desk.key), "the key is shown once");
    assert_eq!(desk.seat("machine-1").await, "VALID");
    let owner = desk.app.customer(BUYER).await;
    let page = owner.get(&format!("/licenses/{}", desk.id)).await;
    page.expect_status(200);
    // The same address is the same customer.
    let (second, _) = issue(&desk.admin, &json!({})).await;
    let other = desk.admin.get(&path(&second, "")).await;
    assert_eq!(other.str("/customer_id"), shown.str("/customer_id"));
    let by_id = json!({ "policy": "personal", "customer": shown.str("/customer_id") });
    let by_id = desk.admin.post("/v1/admin/licenses", &by_id).await;
    by_id.expect_status(201);
    desk.app.stop().await;
}

both!(staff_may_give_more_than_the_policy);
async fn staff_may_give_more_than_the_policy(kind: Kind) {
    let desk = Desk::open(kind).await;
    let more = json!({
        "seat_limit": 2, "starts_at": "2027-01-31T00:00:00Z", "extra_entitlements": ["pro"],
        "metadata": { "crm": "=4711" }, "note": "A gift.", "name": "Example Buyer",
    });
    let (id, key) = issue(&desk.admin, &more).await;
    let shown = desk.admin.get(&path(&id, "")).await.expect_status(200);
    assert_eq!(shown.str("/seats/limit"), "2");
    assert_eq!(shown.str("/status"), "pending");
    assert_eq!(shown.str("/updates_until"), "2028-01-31T00:00:00Z");
    assert_eq!(shown.json()["entitlements"], json!(["pro"]));
    assert_eq!(shown.str("/metadata/crm"), "=4711");
    assert_eq!(shown.str("/notes"), "1");
    assert_eq!(desk.code(&key).await, "NOT_STARTED");
    let (id, _) = issue(&desk.admin, &json!({ "seat_limit": null })).await;
    let shown = desk.admin.get(&path(&id, "")).await;
    assert_eq!(shown.json()["seats"]["limit"], Value::Null);
    desk.app.stop().await;
}

both!(nothing_is_issued_from_bad_input);
async fn nothing_is_issued_from_bad_input(kind: Kind) {
    let desk = Desk::open(kind).await;
    Shop::policy(
        &desk.admin,
        "no-seats",
        &json!({ "seat_kind": "none", "seat_limit": null }),
    )
    .await;
    let words: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for (field, change) in [
        ("policy", json!({ "policy": "nobody's" })),
        ("policy", json!({ "policy": "a\u{0}b" })),
        (
            "customer",
            json!({ "customer": "cus_01jhmz3e5afkt9ymv5n2e8wqc4", "email": null }),
        ),
        ("customer", json!({ "customer": "x", "email": null })),
        ("customer", json!({ "email": null })),
        ("email", json!({ "email": "nobody" })),
        ("name", json!({ "name": "\u{202e}" })),
        (
            "name",
            json!({ "customer": "cus_01jhmz3e5afkt9ymv5n2e8wqc4", "email": null, "name": "A" }),
        ),
        ("seat_limit", json!({ "seat_limit": 0 })),
        ("seat_limit", json!({ "seat_limit": -1 })),
        ("seat_limit", json!({ "seat_limit": 1_000_001 })),
        ("seat_limit", json!({ "seat_limit": 99_999_999_999_i64 })),
        (
            "seat_limit",
            json!({ "policy": "no-seats", "seat_limit": 1 }),
        ),
        ("starts_at", json!({ "starts_at": "9999-12-31T23:59:59Z" })),
        ("starts_at", json!({ "starts_at": "1969-12-31T23:59:59Z" })),
        ("starts_at", json!({ "starts_at": "tomorrow" })),
        (
            "extra_entitlements",
            json!({ "extra_entitlements": ["a", "a"] }),
        ),
        ("extra_entitlements", json!({ "extra_entitlements": words })),
        ("metadata", json!({ "metadata": { "": "x" } })),
        ("metadata.n", json!({ "metadata": { "n": 1 } })),
        ("metadata", json!({ "metadata": { "n": "v".repeat(501) } })),
        ("note", json!({ "note": " " })),
        ("surprise", json!({ "surprise": 1 })),
    ] {
        let mut body = json!({ "policy": "personal", "email": BUYER });
        for (member, value) in change.as_object().unwrap() {
            body[member] = value.clone();
        }
        let reply = desk.admin.post("/v1/admin/licenses", &body).await;
        let reply = reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.str("/field"), field, "{change}");
    }
    let all = desk.admin.get("/v1/admin/licenses").await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 1);
    desk.app.stop().await;
}
