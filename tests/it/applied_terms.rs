//! What other terms make of seats in use, and of licenses that are gone when they come.

use std::sync::Arc;

use kitward::activations::sweep::sweep;
use kitward::audit::Actor as Who;
use kitward::db::Shard;
use kitward::kits::store::find_policy_named;
use kitward::licenses::apply_terms::{ApplyTerms, apply_in, effect::Choice};
use kitward::licenses::change::Change;
use kitward_tests::{Issued, Kind, Shop, both};
use serde_json::{Value, json};

use crate::seats::{DAY, ask, code, devices, floating, held, shop};

/// Gives the policy of these licenses other terms and puts them under them.
async fn apply(shop: &Shop, terms: &Value, over_limit_days: Value) {
    let path = "/v1/admin/policies/personal";
    shop.admin.patch(path, terms).await.expect_status(200);
    let apply = format!("{path}/apply");
    let look = shop.admin.post(&apply, &json!({ "preview": true })).await;
    let number = look.json()["terms_number"].clone();
    let go = json!({
        "preview": false, "terms_number": number, "over_limit_days": over_limit_days,
    });
    let done = shop.admin.post(&apply, &go).await.expect_status(200);
    assert_eq!(done.str("/changed"), "1", "{}", done.text());
}

both!(seats_get_a_lease_with_the_terms_that_have_one_and_lose_it_with_others);
async fn seats_get_a_lease_with_the_terms_that_have_one_and_lose_it_with_others(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, devices(1)).await;
    assert_eq!(code(&app, "activate", &license, "gone").await, "VALID");
    let floats = json!({ "seat_limit": 1, "lease_seconds": 600 });
    apply(&shop, &floats, Value::Null).await;
    assert_eq!(code(&app, "validate", &license, "gone").await, "VALID");
    app.clock.advance(601);
    assert_eq!(code(&app, "activate", &license, "new").await, "VALID");
    assert_eq!(held(&app, &license).await, 1);
    apply(&shop, &json!({ "lease_seconds": null }), Value::Null).await;
    app.clock.advance(601);
    sweep(&app.app).await.unwrap();
    assert_eq!(code(&app, "validate", &license, "new").await, "VALID");
    assert_eq!(held(&app, &license).await, 1);
    app.stop().await;
}

both!(an_ended_lease_strands_no_seat_under_other_terms);
async fn an_ended_lease_strands_no_seat_under_other_terms(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, floating(2)).await;
    code(&app, "activate", &license, "a").await;
    app.clock.advance(300);
    code(&app, "activate", &license, "b").await;
    app.clock.advance(301);
    let one = json!({ "seat_limit": 1, "lease_seconds": 600 });
    apply(&shop, &one, Value::Null).await;
    assert_eq!(code(&app, "validate", &license, "b").await, "VALID");
    assert_eq!(held(&app, &license).await, 1);
    app.stop().await;
}

both!(the_time_for_choosing_seats_is_not_that_of_an_earlier_lowering);
async fn the_time_for_choosing_seats_is_not_that_of_an_earlier_lowering(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, devices(4)).await;
    for device in ["a", "b", "c"] {
        code(&app, "activate", &license, device).await;
    }
    apply(&shop, &json!({ "seat_limit": 2 }), json!(14)).await;
    // The customer chose: nothing is beyond the limit any more.
    let free = json!({ "device": "c" });
    ask(&app.anonymous(), "deactivate", &license, free).await;
    app.clock.advance(10 * DAY);
    apply(&shop, &json!({ "seat_limit": 1 }), json!(30)).await;
    app.clock.advance(29 * DAY);
    sweep(&app.app).await.unwrap();
    assert_eq!(held(&app, &license).await, 2);
    app.clock.advance(DAY);
    sweep(&app.app).await.unwrap();
    assert_eq!(held(&app, &license).await, 1);
    app.stop().await;
}

both!(terms_meet_no_license_that_left_the_policy_or_was_merged_meanwhile);
async fn terms_meet_no_license_that_left_the_policy_or_was_merged_meanwhile(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let (left, merged) = (
        shop.issue(&app, devices(4)).await,
        shop.issue(&app, devices(4)).await,
    );
    let stays = shop.issue(&app, devices(4)).await;
    Shop::policy(&shop.admin, "team", &json!({ "seat_limit": 9 })).await;
    let path = |license: &Issued, verb: &str| format!("/v1/admin/licenses/{}/{verb}", license.id);
    let team = json!({ "policy": "team" });
    let put = shop.admin.post(&path(&left, "set-policy"), &team).await;
    put.expect_status(200);
    let into = json!({ "into": stays.id.to_string() });
    let put = shop.admin.post(&path(&merged, "merge"), &into).await;
    put.expect_status(200);
    // As for licenses that were listed before.
    for license in [left.id.clone(), merged.id.clone()] {
        let of = Change {
            license,
            expected_revision: None,
            actor: Who::Operator,
            now: app.app.clock.now(),
            entropy: Arc::clone(&app.app.entropy),
        };
        let done = app.app.db.write(Shard::Wide, move |tx| {
            let policy = find_policy_named(tx.conn(), "personal")?.unwrap();
            let input = ApplyTerms {
                version: policy.version,
                choice: Choice::default(),
                after: String::new(),
                limit: 10,
            };
            apply_in(tx, &of, &input)
        });
        assert_eq!(done.await.unwrap(), None);
    }
    app.stop().await;
}
