//! What a kit may ask for beside the license itself: features, versions, files; and when time starts.

use kitward::kits::model::{Basis, SeatKind};
use kitward::kits::store::Terms;
use kitward::licenses::model::VerdictCode;
use kitward_keys::{DocumentClaims, DocumentType, Expected, Jwks, PublicKeys, verify_update};
use kitward_tests::{Issued, Kind, Reply, TestApp, both};
use serde_json::json;

use crate::seats::{DAY, ask, code, devices, floating, held, shop, sql};

both!(a_missing_feature_is_named_and_takes_no_seat);
async fn a_missing_feature_is_named_and_takes_no_seat(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        entitlements: vec!["export".to_owned()].into(),
        ..devices(1)
    };
    let license = shop.issue(&app, terms).await;
    sql(
        &app,
        "UPDATE licenses SET extra_entitlements = '[\"sso\"]'".to_owned(),
    )
    .await;
    let kit = app.anonymous();
    for verb in ["activate", "validate"] {
        let more =
            json!({ "device": "a", "entitlements": ["sso", "white-label", "api", "white-label"] });
        let answer = ask(&kit, verb, &license, more).await;
        assert_eq!(
            (answer.str("/code"), answer.str("/valid")),
            ("ENTITLEMENT_MISSING".into(), "false".into())
        );
        assert_eq!(
            answer.str("/detail"),
            "This license does not include: api, white-label."
        );
    }
    assert_eq!(held(&app, &license).await, 0);
    let more = json!({ "device": "a", "entitlements": ["sso", "export"] });
    assert_eq!(
        ask(&kit, "activate", &license, more).await.str("/code"),
        "VALID"
    );
    let many: Vec<String> = (0..101).map(|n| format!("f{n}")).collect();
    for bad in [
        json!(many),
        json!([""]),
        json!(["x".repeat(65)]),
        json!(["a\u{200b}b"]),
        json!("export"),
        json!([7]),
    ] {
        let body = json!({ "key": license.key, "kit": "feedback-widget", "device": "a", "entitlements": bad });
        let reply = kit.post("/v1/licenses/validate", &body).await;
        let field = reply.expect_problem(422, "invalid_field").str("/field");
        assert!(field.starts_with("entitlements"), "{field}");
    }
    app.stop().await;
}

both!(a_version_from_after_the_updates_is_not_covered);
async fn a_version_from_after_the_updates_is_not_covered(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        updates_months: Some(1),
        ..devices(1)
    };
    let license = shop.issue(&app, terms).await;
    let forever = shop.issue(&app, devices(1)).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"one")
        .await;
    app.clock.advance(40 * DAY);
    shop.release("feedback-widget", "2.0.0", "kit.bin", b"two")
        .await;
    let with = |version: &str| json!({ "device": "a", "version": version });
    let kit = app.anonymous();
    let refused = ask(&kit, "activate", &license, with("2.0.0")).await;
    assert_eq!(
        (refused.str("/code"), refused.str("/valid")),
        ("VERSION_NOT_COVERED".into(), "false".into())
    );
    assert_eq!(held(&app, &license).await, 0);
    // Covered, never released, or no version at all.
    for version in ["1.0.0", "2.0.1", "nightly", ""] {
        assert_eq!(
            ask(&kit, "activate", &license, with(version))
                .await
                .str("/code"),
            "VALID",
            "{version}"
        );
    }
    assert_eq!(
        ask(&kit, "validate", &license, with("2.0.0"))
            .await
            .str("/code"),
        "VERSION_NOT_COVERED"
    );
    assert_eq!(
        ask(&kit, "activate", &forever, with("2.0.0"))
            .await
            .str("/code"),
        "VALID"
    );
    app.stop().await;
}

fn trial(seat_kind: SeatKind) -> Terms {
    Terms {
        seat_kind,
        valid_days: Some(14),
        updates_months: Some(1),
        basis: Basis::FirstActivation,
        ..Terms::default()
    }
}

both!(the_clock_starts_once_with_the_first_activation);
async fn the_clock_starts_once_with_the_first_activation(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, trial(SeatKind::Device)).await;
    let kit = app.anonymous();
    app.clock.advance(100 * DAY);
    let look = ask(&kit, "validate", &license, json!({ "device": "a" })).await;
    assert_eq!(
        (look.str("/code"), look.str("/license/valid_until")),
        ("NOT_ACTIVATED".into(), "null".into())
    );
    let first = ask(&kit, "activate", &license, json!({ "device": "a" })).await;
    assert_eq!(first.str("/code"), "VALID");
    assert_eq!(first.str("/license/valid_until"), "2027-05-09T12:00:00Z");
    assert_eq!(first.str("/license/updates_until"), "2027-05-25T12:00:00Z");
    app.clock.advance(13 * DAY);
    let second = ask(&kit, "activate", &license, json!({ "device": "b" })).await;
    assert_eq!(second.str("/license/valid_until"), "2027-05-09T12:00:00Z");
    app.clock.advance(DAY);
    assert_eq!(code(&app, "activate", &license, "a").await, "EXPIRED");
    app.stop().await;
}

both!(the_clock_starts_without_seats_too_but_not_by_looking);
async fn the_clock_starts_without_seats_too_but_not_by_looking(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, trial(SeatKind::None)).await;
    let kit = app.anonymous();
    app.clock.advance(100 * DAY);
    let look = ask(&kit, "validate", &license, json!({})).await;
    assert_eq!(
        (look.str("/code"), look.str("/license/valid_until")),
        ("VALID".into(), "null".into())
    );
    let first = ask(&kit, "activate", &license, json!({})).await;
    assert_eq!(
        (first.str("/code"), first.str("/activation")),
        ("VALID".into(), "null".into())
    );
    assert_eq!(first.str("/license/valid_until"), "2027-05-09T12:00:00Z");
    app.clock.advance(14 * DAY);
    assert_eq!(
        ask(&kit, "validate", &license, json!({}))
            .await
            .str("/code"),
        "EXPIRED"
    );
    app.stop().await;
}

both!(a_file_starts_the_clock_that_no_activation_has_started);
async fn a_file_starts_the_clock_that_no_activation_has_started(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        offline_file_days: Some(90),
        ..trial(SeatKind::None)
    };
    let license = shop.issue(&app, terms).await;
    let kit = app.anonymous();
    let first = ask(&kit, "file", &license, json!({})).await;
    let end = app.now() + 14 * DAY;
    assert_eq!(file_of(&app, &first).await.exp, end);
    assert_eq!(first.str("/license/valid_until"), "2027-01-29T12:00:00Z");
    app.clock.advance(DAY);
    let second = ask(&kit, "file", &license, json!({})).await;
    assert_eq!(file_of(&app, &second).await.exp, end);
    app.clock.advance(13 * DAY);
    let late = ask(&kit, "file", &license, json!({})).await;
    assert_eq!(late.str("/code"), "EXPIRED");
    app.stop().await;
}

both!(what_may_be_replaced_is_a_closed_set);
async fn what_may_be_replaced_is_a_closed_set(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, devices(1)).await;
    for bad in [json!("newest"), json!(true), json!("")] {
        let body =
            json!({ "key": license.key, "kit": "feedback-widget", "device": "a", "replace": bad });
        let reply = app.anonymous().post("/v1/licenses/activate", &body).await;
        assert_eq!(
            reply.expect_problem(422, "invalid_field").str("/field"),
            "replace"
        );
    }
    let none = json!({ "device": "a", "replace": null, "entitlements": null, "ttl_seconds": null });
    assert_eq!(
        ask(&app.anonymous(), "activate", &license, none)
            .await
            .str("/code"),
        "VALID"
    );
    app.stop().await;
}

async fn public_keys(app: &TestApp) -> PublicKeys {
    let jwks = app.anonymous().get("/.well-known/jwks.json").await.json();
    let jwks: Jwks = serde_json::from_value(jwks).unwrap();
    PublicKeys::from_jwks(&jwks).unwrap()
}

fn expected(app: &TestApp) -> Expected<'static> {
    Expected {
        issuer: None,
        audience: "feedback-widget",
        now: app.now(),
        leeway: 0,
        nonce: None,
    }
}

/// What the license file of an answer says.
pub(crate) async fn file_of(app: &TestApp, answer: &Reply) -> DocumentClaims {
    let (keys, file) = (public_keys(app).await, answer.str("/license_file"));
    let typ = DocumentType::License;
    kitward_keys::verify_document(&file, typ, &keys, &expected(app)).unwrap()
}

async fn verdict_of(app: &TestApp, answer: &Reply) -> DocumentClaims {
    let (keys, verdict) = (public_keys(app).await, answer.str("/verdict"));
    let typ = DocumentType::Verdict;
    kitward_keys::verify_document(&verdict, typ, &keys, &expected(app)).unwrap()
}

async fn file(app: &TestApp, license: &Issued, ttl: Option<i64>) -> Reply {
    let more = json!({ "device": "a", "ttl_seconds": ttl, "nonce": "n-7" });
    ask(&app.anonymous(), "file", license, more).await
}

both!(an_offline_machine_gets_a_file_as_long_as_its_terms_say);
async fn an_offline_machine_gets_a_file_as_long_as_its_terms_say(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        offline_file_days: Some(90),
        ..devices(1)
    };
    let license = shop.issue(&app, terms).await;
    let early = file(&app, &license, None).await;
    assert_eq!(
        (early.str("/code"), early.str("/valid")),
        ("NOT_ACTIVATED".into(), "false".into())
    );
    assert!(early.json().get("license_file").is_none());
    code(&app, "activate", &license, "a").await;
    for (ttl, days) in [
        (None, 90),
        (Some(30 * DAY), 30),
        (Some(1_000 * DAY), 90),
        (Some(i64::MAX), 90),
    ] {
        let answer = file(&app, &license, ttl).await;
        let claims = file_of(&app, &answer).await;
        assert_eq!(claims.exp, app.now() + days * DAY, "{ttl:?}");
        assert_eq!(claims.activation.unwrap().identity, "a");
        assert_eq!(claims.nonce.as_deref(), Some("n-7"));
    }
    for ttl in [0, 59, -5] {
        let body = json!({ "key": license.key, "kit": "feedback-widget", "device": "a", "ttl_seconds": ttl });
        let reply = app.anonymous().post("/v1/licenses/file", &body).await;
        assert_eq!(
            reply.expect_problem(422, "invalid_field").str("/field"),
            "ttl_seconds"
        );
    }
    let without = shop.issue(&app, devices(1)).await;
    code(&app, "activate", &without, "a").await;
    let body = json!({ "key": without.key, "kit": "feedback-widget", "device": "a" });
    let reply = app.anonymous().post("/v1/licenses/file", &body).await;
    reply.expect_problem(422, "no_offline_files");
    app.stop().await;
}

both!(no_file_outlives_the_license_with_its_grace_or_the_lease_of_its_seat);
async fn no_file_outlives_the_license_with_its_grace_or_the_lease_of_its_seat(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        valid_days: Some(10),
        grace_days: 3,
        offline_file_days: Some(90),
        ..devices(1)
    };
    let license = shop.issue(&app, terms).await;
    let answer = ask(
        &app.anonymous(),
        "activate",
        &license,
        json!({ "device": "a" }),
    )
    .await;
    assert_eq!(file_of(&app, &answer).await.exp, app.now() + 13 * DAY);
    let answer = file(&app, &license, None).await;
    assert_eq!(file_of(&app, &answer).await.exp, app.now() + 13 * DAY);
    let terms = Terms {
        offline_file_days: Some(90),
        ..floating(1)
    };
    let floats = shop.issue(&app, terms).await;
    let answer = ask(
        &app.anonymous(),
        "activate",
        &floats,
        json!({ "device": "a" }),
    )
    .await;
    assert_eq!(file_of(&app, &answer).await.exp, app.now() + 600);
    let answer = file(&app, &floats, None).await;
    assert_eq!(file_of(&app, &answer).await.exp, app.now() + 600);
    app.stop().await;
}

both!(no_verdict_or_manifest_outlives_the_license_with_its_grace);
async fn no_verdict_or_manifest_outlives_the_license_with_its_grace(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        valid_days: Some(10),
        grace_days: 3,
        ..devices(1)
    };
    let license = shop.issue(&app, terms).await;
    let life = async |verb: &str, device: &str| {
        let more = json!({ "device": device });
        let answer = ask(&app.anonymous(), verb, &license, more).await;
        let claims = verdict_of(&app, &answer).await;
        (claims.valid, claims.exp - app.now())
    };
    let manifest_life = async || {
        let asked = "/v1/kits/feedback-widget/updates?version=1.0.0";
        let answer = app.kit(&license.key).get(asked).await.expect_status(200);
        let (keys, manifest) = (public_keys(&app).await, answer.str("/manifest"));
        let claims = verify_update(&manifest, &keys, &expected(&app)).unwrap();
        claims.exp - app.now()
    };
    assert_eq!(life("activate", "a").await, (true, 600));
    assert_eq!(manifest_life().await, DAY);
    app.clock.advance(13 * DAY - 60);
    assert_eq!(life("validate", "a").await, (true, 60));
    assert_eq!(manifest_life().await, 60);
    // A refusal is as true after the license as before.
    assert_eq!(life("validate", "b").await, (false, 600));
    app.clock.advance(60);
    assert_eq!(life("validate", "a").await, (false, 600));
    app.stop().await;
}

#[test]
fn the_table_of_codes_is_the_closed_list_in_its_order() {
    let page = include_str!("../../docs/api.md");
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| Code |"));
    let rows = rows.skip(2).take_while(|line| line.starts_with('|'));
    let told: Vec<(&str, bool)> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            assert!(cells[3].len() > 10, "{row}");
            (cells[1].trim_matches('`'), cells[2] == "yes")
        })
        .collect();
    let all = VerdictCode::ALL.iter();
    let known: Vec<(&str, bool)> = all.map(|code| (code.as_str(), code.is_valid())).collect();
    assert_eq!(told, known);
}
