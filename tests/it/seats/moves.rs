//! Seats that move: given back within the churn limit, replaced by another, and none added.

use kitward::activations::{free, model::ActivationId, seen};
use kitward::audit::Actor as Who;
use kitward::kits::store::Terms;
use kitward_tests::{BUYER, Kind, both};
use serde_json::{Value, json};

use super::{DAY, ask, code, devices, events, expect_not_yet, floating, held, shop, sql};

both!(seats_move_within_the_churn_limit_then_support_moves_them);
async fn seats_move_within_the_churn_limit_then_support_moves_them(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        churn_seats: Some(2),
        churn_days: Some(30),
        ..devices(5)
    };
    let license = shop.issue(&app, terms).await;
    let kit = app.anonymous();
    for device in ["a", "b", "c", "d"] {
        code(&app, "activate", &license, device).await;
    }
    assert_eq!(code(&app, "deactivate", &license, "a").await, "FREED");
    app.clock.advance(DAY);
    assert_eq!(code(&app, "deactivate", &license, "b").await, "FREED");
    let refused = ask(&kit, "deactivate", &license, json!({ "device": "c" })).await;
    expect_not_yet(&app, &license, &refused, "CHURN_LIMIT");
    assert_eq!(code(&app, "validate", &license, "c").await, "VALID");

    let seat = ask(&kit, "validate", &license, json!({ "device": "c" }))
        .await
        .str("/activation/id");
    let owner = app.customer(BUYER).await;
    let page = owner
        .form(&format!("/licenses/{}/seats/{seat}/free", license.id), &[])
        .await;
    let page = page.expect_status(200).text();
    assert!(page.contains("14 February 2027"), "{page}");
    assert_eq!(held(&app, &license).await, 2);

    let input = free::FreeSeat {
        license: license.id.clone(),
        activation: ActivationId::parse(&seat).unwrap(),
        owner: None,
        actor: Who::Token("tok_test".to_owned()),
    };
    assert_eq!(
        free::free_seat(&app.app, input).await.unwrap(),
        free::Freed::Yes
    );
    assert_eq!(events(&app, &license, "freed", "staff").await, 1);
    // The first move counts no more; the vendor's never did.
    app.clock.advance(29 * DAY);
    assert_eq!(code(&app, "deactivate", &license, "d").await, "FREED");
    assert_eq!(events(&app, &license, "freed", "kit").await, 3);
    app.stop().await;
}

both!(a_seat_that_is_not_given_back_says_where_to_mend_it);
async fn a_seat_that_is_not_given_back_says_where_to_mend_it(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, devices(1)).await;
    let give_back = async |more: Value| ask(&app.anonymous(), "deactivate", &license, more).await;
    let device = json!({ "device": "a" });
    let not_held = give_back(device.clone()).await;
    assert_eq!(not_held.str("/code"), "NOT_ACTIVATED");
    assert_eq!(
        not_held.str("/manage_url"),
        format!("{}/licenses/{}", app.origin(), license.id)
    );
    // Whoever shows such a key learns nothing of the license.
    let other_kit = give_back(json!({ "device": "a", "kit": "no-such-kit" })).await;
    let rotate = format!("/v1/admin/licenses/{}/rotate", license.id);
    let rotated = shop.admin.post(&rotate, &json!({})).await;
    rotated.expect_status(200);
    let replaced = give_back(device).await;
    for (refused, said) in [(other_kit, "KIT_MISMATCH"), (replaced, "KEY_REPLACED")] {
        assert_eq!(refused.str("/code"), said);
        assert_eq!(refused.str("/manage_url"), format!("{}/", app.origin()));
        assert!(!refused.text().contains("lic_"), "{}", refused.text());
    }
    let unknown = give_back(json!({ "device": "a", "key": "kwl_nothing" })).await;
    assert_eq!(unknown.str("/code"), "NOT_FOUND");
    assert!(unknown.json().get("manage_url").is_none());
    app.stop().await;
}

both!(floating_seats_are_given_back_without_a_churn_limit);
async fn floating_seats_are_given_back_without_a_churn_limit(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        churn_seats: Some(1),
        churn_days: Some(30),
        ..floating(1)
    };
    let license = shop.issue(&app, terms).await;
    for _ in 0..3 {
        assert_eq!(code(&app, "activate", &license, "a").await, "VALID");
        assert_eq!(code(&app, "deactivate", &license, "a").await, "FREED");
    }
    code(&app, "activate", &license, "a").await;
    app.clock.advance(600);
    assert_eq!(
        code(&app, "deactivate", &license, "a").await,
        "NOT_ACTIVATED"
    );
    app.stop().await;
}

both!(replace_frees_the_longest_unseen_seat_in_the_same_call);
async fn replace_frees_the_longest_unseen_seat_in_the_same_call(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        churn_seats: Some(1),
        churn_days: Some(30),
        offline_file_days: Some(90),
        ..devices(3)
    };
    let license = shop.issue(&app, terms).await;
    for device in ["offline", "a", "b"] {
        code(&app, "activate", &license, device).await;
        app.clock.advance(60);
    }
    code(&app, "file", &license, "offline").await;
    app.clock.advance(3_600);
    code(&app, "validate", &license, "a").await;
    seen::flush(&app.app).await.unwrap();
    let replace = |device: &str| json!({ "device": device, "replace": "longest_unseen" });
    let taken = ask(&app.anonymous(), "activate", &license, replace("c")).await;
    assert_eq!(
        (taken.str("/code"), taken.str("/license/seats/used")),
        ("VALID".into(), "3".into())
    );
    assert_eq!(code(&app, "validate", &license, "b").await, "NOT_ACTIVATED");
    assert_eq!(code(&app, "validate", &license, "a").await, "VALID");
    assert_eq!(code(&app, "validate", &license, "offline").await, "VALID");
    assert_eq!(held(&app, &license).await, 3);
    assert_eq!(events(&app, &license, "freed", "kit").await, 1);
    // It was the customer's move, and the only one for now.
    let refused = ask(&app.anonymous(), "activate", &license, replace("d")).await;
    assert_eq!(refused.str("/code"), "SEATS_EXHAUSTED");
    assert!(
        refused.str("/detail").contains("14 February 2027"),
        "{}",
        refused.text()
    );
    assert_eq!(
        refused.str("/manage_url"),
        format!("{}/licenses/{}", app.origin(), license.id)
    );
    // Who holds a seat already replaces nobody.
    assert_eq!(
        ask(&app.anonymous(), "activate", &license, replace("a"))
            .await
            .str("/code"),
        "VALID"
    );
    assert_eq!(held(&app, &license).await, 3);
    app.stop().await;
}

both!(replace_takes_no_running_lease);
async fn replace_takes_no_running_lease(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, floating(1)).await;
    code(&app, "activate", &license, "a").await;
    app.clock.advance(599);
    let replace = json!({ "device": "b", "replace": "longest_unseen" });
    let refused = ask(&app.anonymous(), "activate", &license, replace.clone()).await;
    assert_eq!(refused.str("/code"), "SEATS_EXHAUSTED");
    assert_eq!(code(&app, "validate", &license, "a").await, "VALID");
    app.clock.advance(1);
    assert_eq!(
        ask(&app.anonymous(), "activate", &license, replace)
            .await
            .str("/code"),
        "VALID"
    );
    app.stop().await;
}

both!(a_lapsed_license_moves_seats_and_adds_none);
async fn a_lapsed_license_moves_seats_and_adds_none(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, devices(5)).await;
    for device in ["a", "b", "c"] {
        code(&app, "activate", &license, device).await;
    }
    code(&app, "deactivate", &license, "c").await;
    app.clock.advance(DAY);
    sql(
        &app,
        "UPDATE licenses SET lapsed_at = '2027-01-16 00:00:00'".to_owned(),
    )
    .await;
    assert_eq!(code(&app, "activate", &license, "a").await, "VALID");
    let refused = ask(
        &app.anonymous(),
        "activate",
        &license,
        json!({ "device": "c" }),
    )
    .await;
    assert_eq!(refused.str("/code"), "SEATS_EXHAUSTED");
    assert!(
        refused.str("/detail").contains("lapsed"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.str("/license/status"), "lapsed");
    code(&app, "deactivate", &license, "b").await;
    assert_eq!(code(&app, "activate", &license, "d").await, "VALID");
    assert_eq!(
        code(&app, "activate", &license, "b").await,
        "SEATS_EXHAUSTED"
    );
    let replace = json!({ "device": "b", "replace": "longest_unseen" });
    assert_eq!(
        ask(&app.anonymous(), "activate", &license, replace)
            .await
            .str("/code"),
        "VALID"
    );
    assert_eq!(held(&app, &license).await, 2);
    sql(&app, "UPDATE licenses SET lapsed_at = NULL".to_owned()).await;
    assert_eq!(code(&app, "activate", &license, "e").await, "VALID");
    app.stop().await;
}
