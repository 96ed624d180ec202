//! Activate and validate: verdicts, seats, signed answers.

mod answers;
mod credentials;

use std::collections::HashSet;

use futures_util::future::join_all;
use kitward_keys::{DocumentType, Expected, Jwks, PublicKeys};
use kitward_tests::{Actor, ChildSettings, Kind, MASTER_KEY, Purchase, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

async fn shop(kind: Kind) -> (TestApp, Shop, Purchase) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    (app, shop, purchase)
}

pub(crate) async fn call(actor: &Actor, verb: &str, key: &str, more: &Value) -> Reply {
    let mut body = json!({ "key": key, "kit": "feedback-widget" });
    for (member, value) in more.as_object().unwrap() {
        body[member] = value.clone();
    }
    actor
        .post(&format!("/v1/licenses/{verb}"), &body)
        .await
        .expect_status(200)
}

both!(a_kit_activates_and_verifies_the_answer_offline);
async fn a_kit_activates_and_verifies_the_answer_offline(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let kit = app.anonymous();
    let more =
        json!({ "device": "machine-1", "name": "Laptop", "version": "1.0.0", "nonce": "n-1" });
    let answer = call(&kit, "activate", &purchase.key, &more).await;
    assert_eq!(answer.str("/code"), "VALID");
    assert_eq!(answer.str("/license/seats/used"), "1");
    assert_eq!(answer.str("/license/seats/limit"), "5");
    assert_eq!(answer.str("/activation/name"), "Laptop");
    assert!(answer.str("/manage_url").starts_with(&app.origin()));

    let jwks: Jwks = serde_json::from_value(
        kit.get("/.well-known/jwks.json")
            .await
            .expect_status(200)
            .json(),
    )
    .unwrap();
    let keys = PublicKeys::from_jwks(&jwks).unwrap();
    let issuer = kit.get("/.well-known/kitward.json").await.str("/issuer");
    let expected = Expected {
        issuer: Some(&issuer),
        audience: "feedback-widget",
        now: app.now(),
        leeway: 0,
        nonce: Some("n-1"),
    };
    let file = answer.str("/license_file");
    let claims =
        kitward_keys::verify_document(&file, DocumentType::License, &keys, &expected).unwrap();
    assert_eq!(claims.sub, answer.str("/license/id"));
    assert_eq!(claims.activation.unwrap().identity, "machine-1");
    assert_eq!(claims.exp, app.now() + 14 * 86_400);
    let verdict = answer.str("/verdict");
    let claims =
        kitward_keys::verify_document(&verdict, DocumentType::Verdict, &keys, &expected).unwrap();
    assert!(claims.valid);
    assert_eq!(claims.exp, app.now() + 600);
    // One is never accepted in the other's place.
    assert!(kitward_keys::verify_document(&file, DocumentType::Verdict, &keys, &expected).is_err());
    let other = Expected {
        nonce: Some("n-2"),
        ..expected
    };
    assert!(kitward_keys::verify_document(&verdict, DocumentType::Verdict, &keys, &other).is_err());
    app.stop().await;
}

both!(activating_again_is_the_same_seat);
async fn activating_again_is_the_same_seat(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let kit = app.anonymous();
    let device = json!({ "device": "machine-1" });
    let first = call(&kit, "activate", &purchase.key, &device).await;
    app.clock.advance(3_600);
    let again = call(&kit, "activate", &purchase.key, &device).await;
    assert_eq!(first.str("/activation/id"), again.str("/activation/id"));
    assert_eq!(again.str("/license/seats/used"), "1");
    assert_ne!(
        first.str("/activation/last_seen_at"),
        again.str("/activation/last_seen_at")
    );
    let parallel = (0..64).map(|_| call(&kit, "activate", &purchase.key, &device));
    let ids: HashSet<String> = join_all(parallel)
        .await
        .iter()
        .map(|answer| answer.str("/activation/id"))
        .collect();
    assert_eq!(ids.len(), 1);
    app.stop().await;
}

async fn race(apps: &[&TestApp], key: &str) -> Vec<Reply> {
    let calls = (0..64_usize).map(|n| {
        let actor = apps[n % apps.len()].anonymous();
        async move {
            call(
                &actor,
                "activate",
                key,
                &json!({ "device": format!("machine-{n}") }),
            )
            .await
        }
    });
    join_all(calls).await
}

fn granted(answers: &[Reply]) -> usize {
    for answer in answers {
        let code = answer.str("/code");
        assert!(
            ["VALID", "SEATS_EXHAUSTED"].contains(&code.as_str()),
            "{code}"
        );
        assert_eq!(answer.str("/valid"), (code == "VALID").to_string());
    }
    answers
        .iter()
        .filter(|answer| answer.str("/code") == "VALID")
        .count()
}

both!(of_64_devices_at_once_exactly_5_get_the_5_seats);
async fn of_64_devices_at_once_exactly_5_get_the_5_seats(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    assert_eq!(granted(&race(&[&app], &purchase.key).await), 5);
    let look = call(&app.anonymous(), "validate", &purchase.key, &json!({})).await;
    assert_eq!(look.str("/license/seats/used"), "5");
    app.stop().await;
}

#[test]
fn two_installations_in_one_process_grant_exactly_5_seats() {
    kitward_tests::run_on(Kind::Postgres, |kind| async move {
        let (app, _shop, purchase) = shop(kind).await;
        let second = app.second().await;
        assert_eq!(granted(&race(&[&app, &second], &purchase.key).await), 5);
        second.stop().await;
        app.stop().await;
    });
}

#[test]
fn two_server_processes_on_one_postgres_grant_exactly_5_seats() {
    kitward_tests::run_on(Kind::Postgres, |kind| async move {
        let app = TestApp::start(kind).await;
        // The children have the machine's clock.
        let present = kitward::clock::Clock::now(&kitward::clock::SystemClock).unix();
        app.clock.advance(present - app.now() - 60);
        let purchase = Shop::open(&app).await.buy(&app).await;
        let mut children = Vec::new();
        for name in ["one", "two"] {
            let folder = app.folder().join(name);
            std::fs::create_dir(&folder).unwrap();
            let toml = format!(
                "database_url = \"{}\"\nmaster_key = \"{MASTER_KEY}\"\nlog = \"warn\"\n",
                app.database_url()
            );
            children.push(ChildSettings::new(&folder, toml).start().await);
        }
        let key = purchase.key.as_str();
        let calls = (0..64_usize).map(|n| {
            let actor = children[n % 2].actor();
            let device = json!({ "device": format!("machine-{n}") });
            async move { call(&actor, "activate", key, &device).await }
        });
        assert_eq!(granted(&join_all(calls).await), 5);
        app.stop().await;
    });
}

both!(validate_takes_no_seat_and_says_what_is_missing);
async fn validate_takes_no_seat_and_says_what_is_missing(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let kit = app.anonymous();
    let look = call(&kit, "validate", &purchase.key, &json!({})).await;
    assert_eq!(
        (look.str("/code"), look.str("/valid")),
        ("IDENTITY_REQUIRED".into(), "false".into())
    );
    let device = json!({ "device": "machine-1" });
    let look = call(&kit, "validate", &purchase.key, &device).await;
    assert_eq!(
        (look.str("/code"), look.str("/reason")),
        ("NOT_ACTIVATED".into(), "never".into())
    );
    assert_eq!(look.str("/license/seats/used"), "0");
    assert!(look.json().get("license_file").is_none());
    call(&kit, "activate", &purchase.key, &device).await;
    assert_eq!(
        call(&kit, "validate", &purchase.key, &device)
            .await
            .str("/code"),
        "VALID"
    );
    let other_kind = call(
        &kit,
        "activate",
        &purchase.key,
        &json!({ "site": "example.com" }),
    )
    .await;
    assert_eq!(other_kind.str("/code"), "IDENTITY_REQUIRED");
    app.stop().await;
}

both!(a_freed_seat_can_be_taken_by_another_and_again);
async fn a_freed_seat_can_be_taken_by_another_and_again(kind: Kind) {
    let (app, shop, _purchase) = shop(kind).await;
    let policy = Shop::policy(&shop.admin, "single", &json!({ "seat_limit": 1 })).await;
    let price =
        json!({ "external_id": "price_single", "policies": [policy], "quantity_rule": "seats" });
    shop.admin
        .post("/v1/admin/prices", &price)
        .await
        .expect_status(201);
    let key = shop
        .buy_checkout(&app, Shop::checkout("price_single", 1))
        .await
        .key;
    let kit = app.anonymous();
    let (one, two) = (json!({ "device": "one" }), json!({ "device": "two" }));
    let first = call(&kit, "activate", &key, &one).await;
    assert_eq!(
        call(&kit, "activate", &key, &two).await.str("/code"),
        "SEATS_EXHAUSTED"
    );
    assert_eq!(
        call(&kit, "deactivate", &key, &one)
            .await
            .str("/deactivated"),
        "true"
    );
    assert_eq!(
        call(&kit, "deactivate", &key, &one).await.str("/code"),
        "NOT_ACTIVATED"
    );
    let look = call(&kit, "validate", &key, &one).await;
    assert_eq!(
        (look.str("/code"), look.str("/reason")),
        ("NOT_ACTIVATED".into(), "freed".into())
    );
    assert_eq!(
        call(&kit, "activate", &key, &two).await.str("/code"),
        "VALID"
    );
    call(&kit, "deactivate", &key, &two).await;
    let back = call(&kit, "activate", &key, &one).await;
    assert_eq!(back.str("/activation/id"), first.str("/activation/id"));
    assert_eq!(back.str("/license/seats/used"), "1");
    app.stop().await;
}

both!(a_key_never_validates_a_kit_outside_its_scope);
async fn a_key_never_validates_a_kit_outside_its_scope(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    for (kit, verb) in [("rate-limiter", "activate"), ("no-such-kit", "validate")] {
        let body = json!({ "key": purchase.key, "kit": kit, "device": "machine-1" });
        let answer = app
            .anonymous()
            .post(&format!("/v1/licenses/{verb}"), &body)
            .await;
        assert_eq!(answer.expect_status(200).str("/code"), "KIT_MISMATCH");
    }
    let look = call(&app.anonymous(), "validate", &purchase.key, &json!({})).await;
    assert_eq!(look.str("/license/seats/used"), "0");
    app.stop().await;
}

/// The key with one character changed, at a place counted from its start.
fn mistyped(key: &str, at: usize) -> String {
    let letters = key.char_indices();
    letters
        .map(|(place, letter)| match (place == at, letter) {
            (true, 'a') => 'b',
            (true, _) => 'a',
            (false, letter) => letter,
        })
        .collect()
}

both!(forged_keys_are_refused_before_any_database_access);
async fn forged_keys_are_refused_before_any_database_access(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let key = purchase.key.as_str();
    let forged = [
        mistyped(key, 6),
        mistyped(key, 30),
        mistyped(key, 48),
        mistyped(key, 120),
        key[..key.len() - 8].to_owned(),
        format!("{key}aaaaaaaa"),
        "kwl_".to_owned(),
        "not a key".to_owned(),
    ];
    let genuine = call(&app.anonymous(), "validate", key, &json!({})).await;
    assert_eq!(genuine.str("/code"), "IDENTITY_REQUIRED");
    let db = app.app.db.clone();
    tokio::task::spawn_blocking(move || db.close())
        .await
        .unwrap();
    for text in &forged {
        let answer = call(&app.anonymous(), "validate", text, &json!({})).await;
        assert_eq!(answer.str("/code"), "NOT_FOUND", "{text}");
        let answer = call(
            &app.anonymous(),
            "activate",
            text,
            &json!({ "device": "m" }),
        )
        .await;
        assert_eq!(answer.str("/code"), "NOT_FOUND", "{text}");
    }
    let body = json!({ "key": key, "kit": "feedback-widget" });
    let answer = app.anonymous().post("/v1/licenses/validate", &body).await;
    let answer = answer.expect_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    app.stop().await;
}

both!(unknown_keys_of_any_shape_get_one_answer);
async fn unknown_keys_of_any_shape_get_one_answer(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let mut bodies = HashSet::new();
    for key in [
        "",
        "x",
        "kwl_aaaa",
        &mistyped(&purchase.key, 40),
        &"k".repeat(5_000),
    ] {
        let mut answer = call(&app.anonymous(), "validate", key, &json!({}))
            .await
            .json();
        assert_eq!(answer["license"], Value::Null);
        answer.as_object_mut().unwrap().remove("verdict").unwrap();
        bodies.insert(answer.to_string());
    }
    assert_eq!(bodies.len(), 1);
    app.stop().await;
}

both!(keys_are_read_as_people_paste_them);
async fn keys_are_read_as_people_paste_them(kind: Kind) {
    let (app, _shop, purchase) = shop(kind).await;
    let (head, tail) = purchase.key.split_at(60);
    let pasted = format!(
        " \u{201c}{}-\r\n  {}\u{200b}\u{201d} ",
        head.to_uppercase(),
        tail
    );
    let look = call(&app.anonymous(), "validate", &pasted, &json!({})).await;
    assert_eq!(look.str("/code"), "IDENTITY_REQUIRED");
    app.stop().await;
}

#[test]
fn bad_fields_are_named_and_bad_bodies_are_told() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let (app, _shop, _purchase) = shop(kind).await;
        let kit = app.anonymous();
        let cases = [
            (json!({ "kit": "feedback-widget" }), "key"),
            (json!({ "key": null, "kit": "feedback-widget" }), "key"),
            (json!({ "key": 7, "kit": "feedback-widget" }), "key"),
            (json!({ "key": "k", "kit": "Feedback Widget" }), "kit"),
            (json!({ "key": "k", "kit": "k", "device": "" }), "device"),
            (
                json!({ "key": "k", "kit": "k", "device": "x".repeat(300) }),
                "device",
            ),
            (
                json!({ "key": "k", "kit": "k", "device": "a\u{0}b" }),
                "device",
            ),
            (
                json!({ "key": "k", "kit": "k", "device": "a", "site": "b.example" }),
                "site",
            ),
            (
                json!({ "key": "k", "kit": "k", "site": "not a host" }),
                "site",
            ),
            (
                json!({ "key": "k", "kit": "k", "name": "n".repeat(101) }),
                "name",
            ),
            (
                json!({ "key": "k", "kit": "k", "nonce": "with space" }),
                "nonce",
            ),
            (json!({ "key": "k", "kit": "k", "nonce": " n" }), "nonce"),
            (json!({ "key": "k", "kit": "k", "nonce": "n\n" }), "nonce"),
            (
                json!({ "key": "k", "kit": "k", "nonce": "n".repeat(129) }),
                "nonce",
            ),
        ];
        for (body, field) in cases {
            let reply = kit.post("/v1/licenses/activate", &body).await;
            assert_eq!(
                reply.expect_problem(422, "invalid_field").str("/field"),
                field,
                "{body}"
            );
        }
        let unknown = json!({ "key": "k", "kit": "k", "from_the_future": [1, 2] });
        kit.post("/v1/licenses/validate", &unknown)
            .await
            .expect_status(200);

        let raw = |body: Vec<u8>, content_type: &'static str| {
            let request = kit.request(reqwest::Method::POST, "/v1/licenses/validate");
            kit.send(request.header("content-type", content_type).body(body))
        };
        let json = "application/json";
        raw(b"{\"key\":".to_vec(), json)
            .await
            .expect_problem(400, "malformed_json");
        raw(Vec::new(), json)
            .await
            .expect_problem(400, "malformed_request");
        raw(b"{\"key\":\"\xff\"}".to_vec(), json)
            .await
            .expect_problem(400, "malformed_json");
        raw(vec![b' '; 70_000], json)
            .await
            .expect_problem(413, "payload_too_large");
        raw(b"key=k&kit=k".to_vec(), "application/x-www-form-urlencoded")
            .await
            .expect_problem(415, "unsupported_media_type");
        let twice = br#"{"key":"a","key":"b","kit":"k"}"#.to_vec();
        raw(twice, json).await.expect_problem(422, "invalid_field");
        app.stop().await;
    });
}
