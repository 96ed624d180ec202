//! Licenses that go to another owner, or into another license.

use futures_util::future::join_all;
use kitward::activations::free::{FreeSeat, Freed, free_seat};
use kitward::activations::model::ActivationId;
use kitward::audit::Actor;
use kitward::customers::model::CustomerId;
use kitward::idempotency::Claim;
use kitward::licenses::model::LicenseId;
use kitward::licenses::reveal::{RevealKey, reveal_key};
use kitward::licenses::tokens::create::{CreateLicenseToken, create_license_token};
use kitward::licenses::tokens::model::DerivedKind;
use kitward_tests::{BUYER, Kind, Reply, Shop, both};
use serde_json::{Value, json};

use super::{Desk, NEW_OWNER, code, count, issue, path, sql, token_row};
use crate::looks::claims as verdict_claims;

both!(a_transferred_license_is_lost_to_whoever_had_it);
async fn a_transferred_license_is_lost_to_whoever_had_it(kind: Kind) {
    let desk = Desk::open(kind).await;
    let before = desk.app.customer(BUYER).await;
    let page = format!("/licenses/{}", desk.id);
    before.get(&page).await.expect_status(200);
    desk.seat("machine-1").await;
    let import = json!({ "source": "gumroad", "key": "A1B2C3D4-E5F60718-293A4B5C-6D7E8F90" });
    desk.done("import-key", &import).await;
    sql(&desk.app, token_row(&desk, "ltk_1").await).await;
    let to = json!({ "email": NEW_OWNER, "name": "New Owner" });
    let moved = desk.done("transfer", &to).await;
    assert_eq!(moved.str("/seats/used"), "0");
    for key in [desk.key.as_str(), "a1b2c3d4e5f60718293a4b5c6d7e8f90"] {
        assert_eq!(desk.code(key).await, "KEY_REPLACED");
        assert_eq!(
            code(&desk.app, key, "activate", "machine-2").await,
            "KEY_REPLACED"
        );
    }
    before.get(&page).await.expect_status(404);
    let after = desk.app.customer(NEW_OWNER).await;
    after.get(&page).await.expect_status(200);
    let key = desk.present_key().await;
    assert_ne!(key, desk.key);
    assert_eq!(desk.code(&key).await, "NOT_ACTIVATED");
    assert_eq!(
        code(&desk.app, &key, "activate", "machine-1").await,
        "VALID"
    );
    former_key_tells_nothing(&desk).await;
    assert_eq!(
        count(&desk.app, "license_tokens WHERE revoked_at IS NULL").await,
        0
    );
    desk.act("transfer", &to)
        .await
        .expect_problem(422, "invalid_field");
    let nobody = json!({ "customer": "cus_01jhmz3e5afkt9ymv5n2e8wqc4" });
    desk.act("transfer", &nobody)
        .await
        .expect_problem(422, "invalid_field");
    desk.app.stop().await;
}

/// Neither in plain nor signed, whatever the kit that is named.
async fn former_key_tells_nothing(desk: &Desk) {
    let portal = format!("{}/", desk.app.origin());
    for (kit, code) in [
        ("feedback-widget", "KEY_REPLACED"),
        ("rate-limiter", "KIT_MISMATCH"),
    ] {
        for call in ["activate", "validate", "heartbeat", "file"] {
            let ask = json!({ "key": desk.key, "kit": kit, "device": "machine-1" });
            let path = format!("/v1/licenses/{call}");
            let answer = desk.app.anonymous().post(&path, &ask).await;
            let answer = answer.expect_status(200);
            assert_eq!(answer.str("/code"), code, "{call}");
            let mut body = answer.json();
            body.as_object_mut().unwrap().remove("verdict").unwrap();
            for member in ["license", "activation"] {
                assert_eq!(body[member], Value::Null, "{call} {member}");
            }
            assert_eq!(body["notices"], json!([]), "{call}");
            assert_eq!(body["manage_url"], json!(portal), "{call}");
            for id in ["lic_", "act_"] {
                assert!(!body.to_string().contains(id), "{call}");
            }
            let claims = verdict_claims(&desk.app, &answer.str("/verdict"));
            assert_eq!((&claims["sub"], &claims["aud"]), (&json!("-"), &json!(kit)));
            assert!(claims["license"].is_null() && claims["activation"].is_null());
        }
        let releases = format!("/v1/kits/{kit}/releases");
        let refused = desk.app.kit(&desk.key).get(&releases).await;
        assert_eq!(refused.str("/manage_url"), portal, "{kit}");
        assert!(!refused.text().contains(&desk.id), "{kit}");
    }
    let ask = json!({ "key": desk.key, "kit": "feedback-widget", "device": "machine-1" });
    let kit = desk.app.anonymous();
    let kept = kit.post("/v1/licenses/deactivate", &ask).await;
    let kept = kept.expect_status(200);
    assert_eq!(kept.str("/code"), "KEY_REPLACED");
    assert!(!kept.text().contains("lic_"), "{}", kept.text());
}

both!(a_key_that_its_owner_replaced_tells_of_the_license_still);
async fn a_key_that_its_owner_replaced_tells_of_the_license_still(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.done("transfer", &json!({ "email": NEW_OWNER })).await;
    desk.app.clock.advance(1);
    let key = desk.present_key().await;
    desk.done("rotate", &json!({ "grace_seconds": 0 })).await;
    let ask = json!({ "key": key, "kit": "feedback-widget", "device": "machine-1" });
    let kit = desk.app.kit(&key);
    let answer = kit.post("/v1/licenses/validate", &ask).await;
    let answer = answer.expect_status(200);
    assert_eq!(answer.str("/code"), "KEY_REPLACED");
    assert_eq!(answer.str("/license/id"), desk.id);
    let claims = verdict_claims(&desk.app, &answer.str("/verdict"));
    assert_eq!(claims["sub"], json!(desk.id));
    let page = format!("{}/licenses/{}", desk.app.origin(), desk.id);
    assert_eq!(answer.str("/manage_url"), page);
    let refused = kit.get("/v1/kits/feedback-widget/releases").await;
    let refused = refused.expect_problem(401, "key_unknown");
    assert_eq!(refused.str("/manage_url"), page);
    desk.app.stop().await;
}

both!(who_had_a_license_before_a_transfer_is_on_record);
async fn who_had_a_license_before_a_transfer_is_on_record(kind: Kind) {
    let desk = Desk::open(kind).await;
    let before = desk.show().await.str("/customer_id");
    let (other, _) = issue(&desk.admin, &json!({ "email": NEW_OWNER })).await;
    let to = desk.admin.get(&path(&other, "")).await.str("/customer_id");
    let renamed = json!({ "customer": to, "name": "Somebody" });
    let refused = desk.act("transfer", &renamed).await;
    let refused = refused.expect_problem(422, "invalid_field");
    assert_eq!(refused.str("/field"), "name");
    desk.done("transfer", &json!({ "customer": to })).await;
    let log = format!("/v1/admin/audit?subject={}", desk.id);
    let log = desk.admin.get(&log).await.expect_status(200);
    assert_eq!(log.str("/items/0/action"), "license.transferred");
    let owners = json!({ "from": before, "to": to });
    assert_eq!(log.json()["items"][0]["personal"], owners);
    desk.app.stop().await;
}

both!(who_was_let_in_before_a_transfer_gets_nothing_of_the_new_owner);
async fn who_was_let_in_before_a_transfer_gets_nothing_of_the_new_owner(kind: Kind) {
    let desk = Desk::open(kind).await;
    let owner = |shown: &Reply| CustomerId::parse(&shown.str("/customer_id"));
    let former = owner(&desk.show().await);
    desk.done("transfer", &json!({ "email": NEW_OWNER })).await;
    let present = owner(&desk.show().await);
    let key = desk.present_key().await;
    code(&desk.app, &key, "activate", "machine-9").await;
    let seat = desk.admin.get(&desk.path("seats")).await.str("/items/0/id");
    for (owner, is_theirs) in [(former, false), (present, true)] {
        let license = LicenseId::parse(&desk.id).unwrap();
        let reveal = RevealKey {
            license: license.clone(),
            owner: owner.clone(),
            actor: Actor::Operator,
        };
        let shown = reveal_key(&desk.app.app, reveal).await;
        assert_eq!(shown.is_ok(), is_theirs);
        let token = CreateLicenseToken {
            license: license.clone(),
            kind: DerivedKind::Download,
            name: "npm".to_owned(),
            origins: Vec::new(),
            expires_at: None,
            owner: owner.clone(),
            person: None,
            actor: Actor::Operator,
        };
        let made = create_license_token(&desk.app.app, token, Claim::default()).await;
        assert_eq!(made.is_ok(), is_theirs);
        let free = FreeSeat {
            license,
            activation: ActivationId::parse(&seat).unwrap(),
            owner,
            actor: Actor::Operator,
        };
        let freed = free_seat(&desk.app.app, free).await.unwrap();
        assert_eq!(freed == Freed::Yes, is_theirs);
    }
    desk.app.stop().await;
}

both!(what_a_former_owner_moved_is_not_held_against_the_new_one);
async fn what_a_former_owner_moved_is_not_held_against_the_new_one(kind: Kind) {
    let desk = Desk::open(kind).await;
    let rarely = json!({ "churn_seats": 1, "churn_days": 30 });
    Shop::policy(&desk.admin, "rarely", &rarely).await;
    desk.done("set-policy", &json!({ "policy": "rarely" }))
        .await;
    let give_back = async |key: &str| code(&desk.app, key, "deactivate", "machine-1").await;
    for said in ["FREED", "CHURN_LIMIT"] {
        desk.seat("machine-1").await;
        assert_eq!(give_back(&desk.key).await, said);
    }
    desk.done("transfer", &json!({ "email": NEW_OWNER })).await;
    let key = desk.present_key().await;
    for said in ["FREED", "CHURN_LIMIT"] {
        desk.app.clock.advance(1);
        code(&desk.app, &key, "activate", "machine-1").await;
        assert_eq!(give_back(&key).await, said);
    }
    desk.app.stop().await;
}

both!(a_new_owner_sees_nothing_of_the_seats_a_former_one_had);
async fn a_new_owner_sees_nothing_of_the_seats_a_former_one_had(kind: Kind) {
    let desk = Desk::open(kind).await;
    // What staff see of the seat, which is what its owner sees.
    let taken = async |key: &str, name: Option<&str>, version: Option<&str>| {
        let ask = json!({
            "key": key, "kit": "feedback-widget", "device": "machine-1",
            "name": name, "version": version, "platform": version.map(|_| "linux"),
        });
        let kit = desk.app.anonymous();
        let answer = kit.post("/v1/licenses/activate", &ask).await;
        assert_eq!(answer.str("/code"), "VALID");
        let seats = desk.admin.get(&desk.path("seats")).await;
        ["name", "version", "platform"].map(|it| seats.str(&format!("/items/0/{it}")))
    };
    let theirs = taken(&desk.key, Some("Anna's laptop"), Some("1.0.0")).await;
    assert_eq!(theirs, ["Anna's laptop", "1.0.0", "linux"]);
    desk.done("transfer", &json!({ "email": NEW_OWNER })).await;
    let key = desk.present_key().await;
    let unnamed = taken(&key, None, None).await;
    assert_eq!(unnamed, ["machine-1", "null", "null"]);
    // Their own names they keep.
    desk.app.clock.advance(1);
    let own = ["Berta's laptop", "1.1.0", "linux"];
    for name in [Some("Berta's laptop"), None] {
        let given_back = code(&desk.app, &key, "deactivate", "machine-1").await;
        assert_eq!(given_back, "FREED");
        assert_eq!(taken(&key, name, name.map(|_| "1.1.0")).await, own);
    }
    desk.app.stop().await;
}

both!(a_clock_that_is_behind_gives_nothing_back_to_a_former_owner);
async fn a_clock_that_is_behind_gives_nothing_back_to_a_former_owner(kind: Kind) {
    let desk = Desk::open(kind).await;
    assert_eq!(desk.seat("machine-1").await, "VALID");
    desk.app.clock.advance(300);
    desk.done("transfer", &json!({ "email": NEW_OWNER })).await;
    // As another machine has it, or a call that began before.
    desk.app.clock.advance(-200);
    for call in ["activate", "validate", "heartbeat", "deactivate"] {
        let told = code(&desk.app, &desk.key, call, "machine-1").await;
        assert_eq!(told, "KEY_REPLACED", "{call}");
    }
    let files = "/v1/kits/feedback-widget/releases";
    let refused = desk.app.kit(&desk.key).get(files).await;
    refused.expect_problem(401, "key_unknown");
    desk.app.stop().await;
}

both!(what_was_given_back_by_a_clock_ahead_is_the_former_owners_too);
async fn what_was_given_back_by_a_clock_ahead_is_the_former_owners_too(kind: Kind) {
    let desk = Desk::open(kind).await;
    let rarely = json!({ "churn_seats": 1, "churn_days": 30 });
    Shop::policy(&desk.admin, "rarely", &rarely).await;
    desk.done("set-policy", &json!({ "policy": "rarely" }))
        .await;
    desk.app.clock.advance(300);
    desk.seat("machine-1").await;
    assert_eq!(
        code(&desk.app, &desk.key, "deactivate", "machine-1").await,
        "FREED"
    );
    desk.app.clock.advance(-200);
    desk.done("transfer", &json!({ "email": NEW_OWNER })).await;
    desk.app.clock.advance(300);
    let key = desk.present_key().await;
    code(&desk.app, &key, "activate", "machine-1").await;
    assert_eq!(
        code(&desk.app, &key, "deactivate", "machine-1").await,
        "FREED"
    );
    desk.app.stop().await;
}

both!(transfers_of_before_are_taken_from_the_record);
async fn transfers_of_before_are_taken_from_the_record(kind: Kind) {
    let desk = Desk::open(kind).await;
    let (kept, _) = issue(&desk.admin, &json!({})).await;
    for address in [NEW_OWNER, BUYER] {
        desk.app.clock.advance(60);
        desk.done("transfer", &json!({ "email": address })).await;
    }
    let since = |license: &str| format!("licenses WHERE id = '{license}' AND owned_since");
    let last = format!("{} = '2027-01-15 12:02:00'", since(&desk.id));
    assert_eq!(count(&desk.app, &last).await, 1);
    let forget = "UPDATE licenses SET owned_since = NULL".to_owned();
    sql(&desk.app, forget).await;
    let up = include_str!("../../../migrations/sql/2026-11-29-29_license_owners/up.sql");
    let at = up.find("UPDATE licenses SET owned_since").unwrap();
    sql(&desk.app, up[at..].to_owned()).await;
    assert_eq!(count(&desk.app, &last).await, 1);
    assert_eq!(
        count(&desk.app, &format!("{} IS NULL", since(&kept))).await,
        1
    );
    desk.app.stop().await;
}

both!(a_merged_license_answers_for_itself_and_is_not_changed_any_more);
async fn a_merged_license_answers_for_itself_and_is_not_changed_any_more(kind: Kind) {
    let desk = Desk::open(kind).await;
    desk.seat("machine-1").await;
    let (other, other_key) = issue(&desk.admin, &json!({})).await;
    let merged = desk
        .done("merge", &json!({ "into": other, "add_seats": true }))
        .await;
    assert_eq!(merged.str("/status"), "merged");
    assert_eq!(merged.str("/merged_into"), other);
    assert_eq!(merged.str("/seats/used"), "0");
    assert_eq!(desk.code(&desk.key).await, "MERGED");
    assert_eq!(desk.code(&other_key).await, "NOT_ACTIVATED");
    let into = desk.admin.get(&path(&other, "")).await;
    assert_eq!(into.str("/seats/limit"), "10");
    for (verb, body) in [
        ("suspend", json!({})),
        ("renew", json!({ "from": "now" })),
        ("transfer", json!({ "email": NEW_OWNER })),
        ("merge", json!({ "into": other })),
        ("rotate", json!({})),
        ("set-policy", json!({ "policy": "personal" })),
    ] {
        let reply = desk.act(verb, &body).await.expect_problem(409, "conflict");
        assert_eq!(reply.str("/merged_into"), other, "{verb}");
    }
    desk.done("note", &json!({ "note": "Bought twice." })).await;
    let back = desk
        .admin
        .post(&path(&other, "merge"), &json!({ "into": desk.id }))
        .await;
    back.expect_problem(409, "conflict");
    let own = desk
        .admin
        .post(&path(&other, "merge"), &json!({ "into": other }))
        .await;
    own.expect_problem(422, "invalid_field");
    let (stranger, _) = issue(&desk.admin, &json!({ "email": NEW_OWNER })).await;
    let foreign = desk
        .admin
        .post(&path(&other, "merge"), &json!({ "into": stranger }))
        .await;
    foreign.expect_problem(422, "invalid_field");
    desk.app.stop().await;
}

both!(seats_that_were_taken_back_do_not_go_to_another_license);
async fn seats_that_were_taken_back_do_not_go_to_another_license(kind: Kind) {
    let desk = Desk::open(kind).await;
    let (other, _) = issue(&desk.admin, &json!({})).await;
    let with_seats = json!({ "into": other, "add_seats": true });
    let abuse = json!({ "reason": "abuse" });
    for (verb, why, reason) in [
        ("suspend", json!({}), json!({ "reason": "manual" })),
        (
            "revoke",
            abuse.clone(),
            json!({ "reason": "abuse", "note": "They stopped." }),
        ),
    ] {
        desk.done(verb, &why).await;
        let refused = desk.act("merge", &with_seats).await;
        let refused = refused.expect_problem(422, "invalid_field");
        assert_eq!(refused.str("/field"), "add_seats", "{verb}");
        desk.done("reinstate", &reason).await;
    }
    desk.done("revoke", &abuse).await;
    desk.done("merge", &json!({ "into": other })).await;
    let into = desk.admin.get(&path(&other, "")).await;
    assert_eq!(into.str("/seats/limit"), "5");
    desk.app.stop().await;
}

both!(of_crossing_merges_one_wins);
async fn of_crossing_merges_one_wins(kind: Kind) {
    let desk = Desk::open(kind).await;
    let there = desk.app.second().await;
    let far = there
        .anonymous()
        .with("authorization", desk.admin.header_text("authorization"));
    for _round in 0..8 {
        let (a, _) = issue(&desk.admin, &json!({})).await;
        let (b, _) = issue(&desk.admin, &json!({})).await;
        let (path_a, path_b) = (path(&a, "merge"), path(&b, "merge"));
        let (into_a, into_b) = (json!({ "into": a }), json!({ "into": b }));
        let calls = [
            desk.admin.post(&path_a, &into_b),
            far.post(&path_b, &into_a),
        ];
        let mut answers: Vec<u16> = join_all(calls).await.iter().map(|it| it.status).collect();
        answers.sort_unstable();
        assert_eq!(answers, [200, 409]);
        let merged = desk
            .admin
            .get("/v1/admin/licenses?status=merged&limit=100")
            .await;
        let merged = merged.json()["items"].as_array().unwrap().clone();
        let ours = |id: &str| merged.iter().any(|it| it["id"] == id);
        assert_ne!(ours(&a), ours(&b));
    }
    there.stop().await;
    desk.app.stop().await;
}
