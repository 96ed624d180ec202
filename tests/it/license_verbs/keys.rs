//! Keys of a license: replaced, brought along from elsewhere, and with a vendor's own word.

use std::sync::Arc;

use futures_util::future::join_all;
use kitward::audit::Actor;
use kitward::idempotency::{Claim, Once};
use kitward::licenses::change::Change;
use kitward::licenses::model::LicenseId;
use kitward::licenses::rotate::{rotate_key, rotated};
use kitward_tests::{Kind, TestApp, both};
use serde_json::json;

use super::{Desk, code, count, issue, path, sql, token_row};

both!(a_replaced_key_is_honored_for_its_grace_and_names_what_ends_with_it);
async fn a_replaced_key_is_honored_for_its_grace_and_names_what_ends_with_it(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    sql(&desk.app, token_row(&desk, "ltk_1").await).await;
    let rotated = desk
        .done("rotate", &json!({ "grace_seconds": 3_600 }))
        .await;
    assert_eq!(rotated.str("/tokens/0/id"), "ltk_1");
    assert_eq!(rotated.str("/tokens/0/expires_at"), "2027-01-15T13:00:00Z");
    assert_eq!(
        rotated.str("/replaced/0/honored_until"),
        "2027-01-15T13:00:00Z"
    );
    let second = desk.present_key().await;
    assert!(
        !rotated.text().contains(&second),
        "the new key is its owner's to see"
    );
    assert_eq!(desk.code(&desk.key).await, "VALID");
    assert_eq!(desk.code(&second).await, "VALID");
    sql(&desk.app, token_row(&desk, "ltk_2").await).await;
    // Cut off at once: what was still honored ends too.
    let rotated = desk.done("rotate", &json!({})).await;
    let ended = rotated.json()["tokens"].as_array().unwrap().len();
    assert_eq!(ended, 2, "{}", rotated.text());
    assert_eq!(
        count(&desk.app, "license_tokens WHERE revoked_at IS NULL").await,
        0
    );
    let third = desk.present_key().await;
    for old in [&desk.key, &second] {
        assert_eq!(desk.code(old).await, "KEY_REPLACED");
    }
    assert_eq!(desk.code(&third).await, "VALID");
    desk.done("rotate", &json!({ "grace_seconds": 60 })).await;
    desk.app.clock.advance(60);
    assert_eq!(desk.code(&third).await, "KEY_REPLACED");
    for bad in [json!(-1), json!(31_622_401), json!(i64::MAX), json!("1h")] {
        let body = json!({ "grace_seconds": bad });
        desk.act("rotate", &body)
            .await
            .expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
}

both!(a_rotation_tells_what_it_ended_also_while_time_goes_on);
async fn a_rotation_tells_what_it_ended_also_while_time_goes_on(kind: Kind) {
    let desk = Desk::open(kind).await;
    sql(&desk.app, token_row(&desk, "ltk_1").await).await;
    let license = LicenseId::parse(&desk.id).unwrap();
    let change = Change {
        license: license.clone(),
        expected_revision: None,
        actor: Actor::Operator,
        now: desk.app.app.clock.now(),
        entropy: Arc::clone(&desk.app.app.entropy),
    };
    // As on a clock that nobody holds.
    desk.app.clock.advance(1);
    let rotation = rotate_key(&desk.app.app, change, 0, Claim::default()).await;
    let Once::New(key) = rotation.unwrap() else {
        panic!("it happened before");
    };
    let done = rotated(&desk.app.app, license, key).await.unwrap().unwrap();
    assert_eq!((done.replaced.len(), done.tokens.len()), (1, 1));
    desk.app.stop().await;
}

both!(keys_of_other_systems_find_their_license_as_people_paste_them);
async fn keys_of_other_systems_find_their_license_as_people_paste_them(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    let gumroad = "A1B2C3D4-E5F60718-293A4B5C-6D7E8F90";
    desk.app.clock.advance(1);
    let body = json!({ "source": "gumroad", "key": gumroad });
    let shown = desk.done("import-key", &body).await;
    assert_eq!(shown.json()["keys"].as_array().unwrap().len(), 2);
    assert_eq!(shown.str("/keys/1/key_hint"), "7E8F90");
    assert_eq!(shown.str("/keys/1/source"), "gumroad");
    assert!(!shown.text().contains(gumroad));
    for pasted in [
        gumroad,
        " a1b2c3d4-e5f60718-293a4b5c-6d7e8f90 ",
        "“A1B2C3D4E5F60718293A4B5C6D7E8F90”",
    ] {
        assert_eq!(desk.code(pasted).await, "VALID", "{pasted}");
    }
    for unknown in [
        "A1B2C3D4-E5F60718-293A4B5C-6D7E8F91",
        "",
        "a1b2",
        "kwl_a1b2c3d4e5f6",
    ] {
        assert_eq!(desk.code(unknown).await, "NOT_FOUND", "{unknown}");
    }
    desk.done(
        "import-key",
        &json!({ "source": "other", "key": "OLD-SHOP-000001" }),
    )
    .await;
    assert_eq!(desk.code("old-shop-000001").await, "VALID");
    // What stands stands once, whatever system it is said to come from.
    let (other, _) = issue(&desk.admin, &json!({})).await;
    for source in ["gumroad", "polar"] {
        let body = json!({ "source": source, "key": gumroad.to_lowercase() });
        let reply = desk.admin.post(&path(&other, "import-key"), &body).await;
        reply.expect_problem(409, "conflict");
    }
    for bad in [
        json!({ "source": "kitward", "key": gumroad }),
        json!({ "source": "nobody", "key": gumroad }),
        json!({ "source": "other", "key": "short" }),
        json!({ "source": "other", "key": "-------------" }),
        json!({ "source": "other", "key": "x".repeat(2_049) }),
        json!({ "source": "other", "key": "abc\u{0}defghijk" }),
        json!({ "source": "other", "key": desk.key }),
        json!({ "source": "other", "key": "kwa_abcdefghijkl" }),
    ] {
        desk.act("import-key", &bad)
            .await
            .expect_problem(422, "invalid_field");
    }
    desk.app.stop().await;
}

both!(of_two_who_take_in_one_key_at_once_one_wins);
async fn of_two_who_take_in_one_key_at_once_one_wins(kind: Kind) {
    let desk = Desk::open(kind).await;
    let (other, _) = issue(&desk.admin, &json!({})).await;
    let there = desk.app.second().await;
    let far = there
        .anonymous()
        .with("authorization", desk.admin.header_text("authorization"));
    for round in 0..12 {
        let key = format!("A1B2C3D4-E5F60718-293A4B5C-{round:08}");
        let body = |source: &str| json!({ "source": source, "key": key });
        let (gumroad, polar) = (body("gumroad"), body("polar"));
        let (ours, theirs) = (desk.path("import-key"), path(&other, "import-key"));
        let calls = [desk.admin.post(&ours, &gumroad), far.post(&theirs, &polar)];
        let mut answers: Vec<u16> = join_all(calls).await.iter().map(|it| it.status).collect();
        answers.sort_unstable();
        assert_eq!(answers, [200, 409], "{round}");
    }
    there.stop().await;
    desk.app.stop().await;
}

both!(a_vendor_has_a_word_of_its_own_and_keeps_the_former_ones);
async fn a_vendor_has_a_word_of_its_own_and_keeps_the_former_ones(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| {
            "acme".clone_into(&mut config.vendor.key_prefix);
        })
        .start(kind)
        .await;
    let desk = Desk::of(app).await;
    assert!(desk.key.starts_with("acme_"), "{}", desk.key);
    assert_eq!(desk.seat("machine-1").await, "VALID");
    // The word is inside of what the MAC covers.
    let renamed = desk.key.replacen("acme_", "kwl_", 1);
    assert_eq!(desk.code(&renamed).await, "NOT_FOUND");
    let later = desk.app.second_with(|config| {
        "nova".clone_into(&mut config.vendor.key_prefix);
        config.vendor.former_key_prefixes = vec!["acme".to_owned()];
    });
    let later = later.await;
    assert_eq!(
        code(&later, &desk.key, "validate", "machine-1").await,
        "VALID"
    );
    let without = desk.app.second_with(|config| {
        "nova".clone_into(&mut config.vendor.key_prefix);
    });
    let without = without.await;
    assert_eq!(
        code(&without, &desk.key, "validate", "machine-1").await,
        "NOT_FOUND"
    );
    without.stop().await;
    later.stop().await;
    desk.app.stop().await;
}

both!(a_kit_that_asks_during_a_rotation_gets_an_answer);
async fn a_kit_that_asks_during_a_rotation_gets_an_answer(kind: Kind) {
    let desk = Desk::open(kind).await;
    let there = desk.app.second().await;
    desk.seat("machine-1").await;
    let rotation = async {
        for _round in 0..6 {
            desk.done("rotate", &json!({})).await;
        }
    };
    let asking = join_all((0..48).map(|n| {
        let app = if n % 2 == 0 { &desk.app } else { &there };
        let call = if n % 3 == 0 { "activate" } else { "validate" };
        code(app, &desk.key, call, "machine-1")
    }));
    let ((), codes) = futures_util::future::join(rotation, asking).await;
    for code in codes {
        assert!(["VALID", "KEY_REPLACED"].contains(&code.as_str()), "{code}");
    }
    assert_eq!(desk.code(&desk.key).await, "KEY_REPLACED");
    assert_eq!(count(&desk.app, "license_keys WHERE is_primary").await, 1);
    there.stop().await;
    desk.app.stop().await;
}
