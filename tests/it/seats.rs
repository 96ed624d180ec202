//! Seats: leases, moves, limits, what time does to them.

use kitward::activations::sweep::{Swept, sweep};
use kitward::activations::{free, model::ActivationId, seen};
use kitward::audit::Actor as Who;
use kitward::db::Shard;
use kitward::kits::model::SeatKind;
use kitward::kits::store::Terms;
use kitward_tests::{Actor, BUYER, Issued, Kind, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

use crate::database::{numbers, run};

pub(crate) const DAY: i64 = 86_400;

pub(crate) async fn shop(kind: Kind) -> (TestApp, Shop) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    (app, shop)
}

/// Terms with so many devices.
pub(crate) fn devices(limit: i32) -> Terms {
    Terms {
        seat_kind: SeatKind::Device,
        seat_limit: Some(limit),
        ..Terms::default()
    }
}

pub(crate) fn floating(limit: i32) -> Terms {
    Terms {
        lease_seconds: Some(600),
        ..devices(limit)
    }
}

pub(crate) async fn ask(kit: &Actor, verb: &str, license: &Issued, more: Value) -> Reply {
    let mut body = json!({ "key": license.key, "kit": "feedback-widget" });
    let members = body.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    kit.post(&format!("/v1/licenses/{verb}"), &body)
        .await
        .expect_status(200)
}

pub(crate) async fn code(app: &TestApp, verb: &str, license: &Issued, device: &str) -> String {
    let more = json!({ "device": device });
    ask(&app.anonymous(), verb, license, more)
        .await
        .str("/code")
}

pub(crate) async fn sql(app: &TestApp, statement: String) {
    let job = app.app.db.write(Shard::Wide, move |tx| run(tx, &statement));
    job.await.unwrap();
}

pub(crate) async fn number(app: &TestApp, query: String) -> i64 {
    let rows = app.app.db.read_slow(move |conn| numbers(conn, &query));
    rows.await.unwrap()[0]
}

/// The count of the license is the count of its rows, and within the cap.
pub(crate) async fn held(app: &TestApp, license: &Issued) -> i64 {
    let id = &license.id;
    let query =
        format!("SELECT CAST(seats_used AS BIGINT) AS number FROM licenses WHERE id = '{id}'");
    let used = number(app, query).await;
    let query = format!(
        "SELECT COUNT(*) AS number FROM activations WHERE license_id = '{id}' AND freed_at IS NULL"
    );
    assert_eq!(used, number(app, query).await, "count and rows differ");
    used
}

async fn events(app: &TestApp, license: &Issued, kind: &str, by: &str) -> i64 {
    let query = format!(
        "SELECT COUNT(*) AS number FROM activation_events WHERE license_id = '{}' AND kind = '{kind}' AND by_whom = '{by}'",
        license.id
    );
    number(app, query).await
}

both!(an_ended_lease_frees_its_seat_for_the_next_claim);
async fn an_ended_lease_frees_its_seat_for_the_next_claim(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, floating(1)).await;
    let kit = app.anonymous();
    let first = ask(&kit, "activate", &license, json!({ "device": "one" })).await;
    assert_eq!(
        first.str("/activation/lease_ends_at"),
        "2027-01-15T12:10:00Z"
    );
    assert_eq!(
        code(&app, "activate", &license, "two").await,
        "SEATS_EXHAUSTED"
    );
    app.clock.advance(599);
    assert_eq!(code(&app, "validate", &license, "one").await, "VALID");
    assert_eq!(
        code(&app, "activate", &license, "two").await,
        "SEATS_EXHAUSTED"
    );
    app.clock.advance(1);
    let look = ask(&kit, "validate", &license, json!({ "device": "one" })).await;
    assert_eq!(
        (look.str("/code"), look.str("/reason")),
        ("NOT_ACTIVATED".into(), "lease_ended".into())
    );
    assert_eq!(look.str("/license/seats/used"), "0");
    assert_eq!(look.str("/activation"), "null");
    let second = ask(&kit, "activate", &license, json!({ "device": "two" })).await;
    assert_eq!(
        (second.str("/code"), second.str("/license/seats/used")),
        ("VALID".into(), "1".into())
    );
    assert_eq!(
        code(&app, "activate", &license, "one").await,
        "SEATS_EXHAUSTED"
    );
    assert_eq!(held(&app, &license).await, 1);
    assert_eq!(events(&app, &license, "lease_ended", "system").await, 1);
    app.clock.advance(600);
    let back = ask(&kit, "activate", &license, json!({ "device": "one" })).await;
    assert_eq!(back.str("/activation/id"), first.str("/activation/id"));
    assert_eq!(events(&app, &license, "activated", "kit").await, 3);
    app.stop().await;
}

both!(a_heartbeat_extends_a_lease_and_brings_no_ended_one_back);
async fn a_heartbeat_extends_a_lease_and_brings_no_ended_one_back(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, floating(1)).await;
    assert_eq!(
        code(&app, "heartbeat", &license, "one").await,
        "NOT_ACTIVATED"
    );
    assert_eq!(code(&app, "activate", &license, "one").await, "VALID");
    for _ in 0..4 {
        app.clock.advance(500);
        let beat = ask(
            &app.anonymous(),
            "heartbeat",
            &license,
            json!({ "device": "one", "nonce": "n" }),
        )
        .await;
        assert_eq!(beat.str("/code"), "VALID");
        assert!(beat.json().get("license_file").is_none());
    }
    assert_eq!(
        code(&app, "activate", &license, "two").await,
        "SEATS_EXHAUSTED"
    );
    app.clock.advance(600);
    let beat = ask(
        &app.anonymous(),
        "heartbeat",
        &license,
        json!({ "device": "one" }),
    )
    .await;
    assert_eq!(
        (beat.str("/code"), beat.str("/reason")),
        ("NOT_ACTIVATED".into(), "lease_ended".into())
    );
    assert_eq!(code(&app, "activate", &license, "two").await, "VALID");
    // Activating at every start extends it too.
    app.clock.advance(500);
    assert_eq!(code(&app, "activate", &license, "two").await, "VALID");
    app.clock.advance(500);
    assert_eq!(code(&app, "validate", &license, "two").await, "VALID");
    app.stop().await;
}

both!(a_refused_license_extends_no_lease);
async fn a_refused_license_extends_no_lease(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, floating(1)).await;
    code(&app, "activate", &license, "one").await;
    hold(&app, &license).await;
    app.clock.advance(500);
    assert_eq!(code(&app, "heartbeat", &license, "one").await, "SUSPENDED");
    sql(&app, "DELETE FROM license_holds".to_owned()).await;
    assert_eq!(code(&app, "validate", &license, "one").await, "VALID");
    app.clock.advance(100);
    assert_eq!(
        code(&app, "validate", &license, "one").await,
        "NOT_ACTIVATED"
    );
    app.stop().await;
}

pub(crate) async fn hold(app: &TestApp, license: &Issued) {
    let at = "2027-01-15 12:00:00";
    let id = &license.id;
    let statement = format!(
        "INSERT INTO license_holds (id, license_id, kind, reason, cause, opened_at) VALUES ('h-{id}', '{id}', 'hold', 'manual', 'test', '{at}')"
    );
    sql(app, statement).await;
}

both!(the_sweep_ends_leases_of_licenses_nobody_calls_about);
async fn the_sweep_ends_leases_of_licenses_nobody_calls_about(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let (one, two) = (
        shop.issue(&app, floating(5)).await,
        shop.issue(&app, floating(5)).await,
    );
    for device in ["a", "b", "c"] {
        code(&app, "activate", &one, device).await;
    }
    code(&app, "activate", &two, "a").await;
    assert_eq!(sweep(&app.app).await.unwrap(), Swept::default());
    app.clock.advance(300);
    code(&app, "heartbeat", &one, "b").await;
    app.clock.advance(300);
    let swept = sweep(&app.app).await.unwrap();
    assert_eq!(
        swept,
        Swept {
            leases: 3,
            ..Swept::default()
        }
    );
    assert_eq!((held(&app, &one).await, held(&app, &two).await), (1, 0));
    assert_eq!(sweep(&app.app).await.unwrap(), Swept::default());
    app.stop().await;
}

both!(seats_unseen_for_long_are_freed_and_seen_ones_are_not);
async fn seats_unseen_for_long_are_freed_and_seen_ones_are_not(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        free_unseen_days: Some(30),
        offline_file_days: Some(365),
        ..devices(4)
    };
    let license = shop.issue(&app, terms).await;
    let other = shop.issue(&app, devices(4)).await;
    for device in ["gone", "active", "offline"] {
        code(&app, "activate", &license, device).await;
    }
    code(&app, "activate", &other, "gone").await;
    assert_eq!(code(&app, "file", &license, "offline").await, "VALID");
    app.clock.advance(20 * DAY);
    assert_eq!(code(&app, "validate", &license, "active").await, "VALID");
    app.clock.advance(10 * DAY - 1);
    assert_eq!(sweep(&app.app).await.unwrap(), Swept::default());
    app.clock.advance(1);
    let swept = sweep(&app.app).await.unwrap();
    assert_eq!(
        swept,
        Swept {
            unseen: 1,
            ..Swept::default()
        }
    );
    let look = ask(
        &app.anonymous(),
        "validate",
        &license,
        json!({ "device": "gone" }),
    )
    .await;
    assert_eq!(
        (look.str("/code"), look.str("/reason")),
        ("NOT_ACTIVATED".into(), "freed".into())
    );
    assert_eq!(code(&app, "validate", &license, "active").await, "VALID");
    assert_eq!(code(&app, "validate", &license, "offline").await, "VALID");
    assert_eq!(code(&app, "validate", &other, "gone").await, "VALID");
    assert_eq!(events(&app, &license, "unseen", "system").await, 1);
    assert_eq!(held(&app, &license).await, 2);
    app.stop().await;
}

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
    assert_eq!(
        (refused.str("/code"), refused.str("/deactivated")),
        ("CHURN_LIMIT".into(), "false".into())
    );
    assert!(
        refused.str("/detail").contains("14 February 2027"),
        "{}",
        refused.text()
    );
    assert_eq!(
        refused.str("/manage_url"),
        format!("{}/licenses/{}", app.origin(), license.id)
    );
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

both!(overage_lets_in_beyond_the_limit_and_says_so);
async fn overage_lets_in_beyond_the_limit_and_says_so(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let terms = Terms {
        overage_seats: Some(1),
        ..devices(2)
    };
    let license = shop.issue(&app, terms).await;
    let mut codes = Vec::new();
    for device in ["a", "b", "c", "d"] {
        codes.push(code(&app, "activate", &license, device).await);
    }
    assert_eq!(codes, ["VALID", "VALID", "OVER_LIMIT", "SEATS_EXHAUSTED"]);
    let look = ask(
        &app.anonymous(),
        "validate",
        &license,
        json!({ "device": "a" }),
    )
    .await;
    assert_eq!(
        (look.str("/code"), look.str("/valid")),
        ("OVER_LIMIT".into(), "true".into())
    );
    code(&app, "deactivate", &license, "b").await;
    assert_eq!(code(&app, "validate", &license, "a").await, "VALID");
    app.stop().await;
}

both!(a_lowered_limit_throws_nobody_off_before_its_date);
async fn a_lowered_limit_throws_nobody_off_before_its_date(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, devices(4)).await;
    for device in ["a", "b", "c", "d"] {
        code(&app, "activate", &license, device).await;
        app.clock.advance(60);
    }
    let lower = "UPDATE licenses SET seat_limit = 2, seat_cap = 2, over_limit_until = '2027-02-01 00:00:00'";
    sql(&app, lower.to_owned()).await;
    // The oldest seat was seen last.
    assert_eq!(code(&app, "validate", &license, "a").await, "OVER_LIMIT");
    let look = ask(
        &app.anonymous(),
        "activate",
        &license,
        json!({ "device": "b" }),
    )
    .await;
    assert_eq!(
        (look.str("/code"), look.str("/valid")),
        ("OVER_LIMIT".into(), "true".into())
    );
    assert_eq!(look.str("/notices/0/code"), "over_limit_until");
    assert!(look.str("/notices/0/detail").contains("1 February 2027"));
    assert_eq!(
        code(&app, "activate", &license, "e").await,
        "SEATS_EXHAUSTED"
    );
    // One seat freed leaves no room yet, so none is given up for another.
    let replace = json!({ "device": "e", "replace": "longest_unseen" });
    let refused = ask(&app.anonymous(), "activate", &license, replace).await;
    assert_eq!(refused.str("/code"), "SEATS_EXHAUSTED");
    assert_eq!(held(&app, &license).await, 4);
    assert_eq!(sweep(&app.app).await.unwrap(), Swept::default());
    app.clock.advance(17 * DAY);
    let swept = sweep(&app.app).await.unwrap();
    assert_eq!(
        swept,
        Swept {
            over_limit: 2,
            ..Swept::default()
        }
    );
    assert_eq!(held(&app, &license).await, 2);
    for (device, expected) in [
        ("a", "VALID"),
        ("b", "VALID"),
        ("c", "NOT_ACTIVATED"),
        ("d", "NOT_ACTIVATED"),
    ] {
        assert_eq!(
            code(&app, "validate", &license, device).await,
            expected,
            "{device}"
        );
    }
    assert_eq!(events(&app, &license, "over_limit", "system").await, 2);
    assert_eq!(sweep(&app.app).await.unwrap(), Swept::default());
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

both!(that_a_seat_was_seen_is_written_later_and_at_the_stop);
async fn that_a_seat_was_seen_is_written_later_and_at_the_stop(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, devices(2)).await;
    let seat = json!({ "device": "a", "version": "1.0.0", "platform": "linux" });
    ask(&app.anonymous(), "activate", &license, seat.clone()).await;
    let rows = |column: &str| {
        let query = format!("SELECT COUNT(*) AS number FROM {column}");
        number(&app, query)
    };
    let version = format!("licenses WHERE version = 2 AND id = '{}'", license.id);
    assert_eq!(rows(&version).await, 1);
    app.clock.advance(3_600);
    for verb in ["activate", "validate", "heartbeat"] {
        let answer = ask(&app.anonymous(), verb, &license, seat.clone()).await;
        assert_eq!(
            answer.str("/activation/last_seen_at"),
            "2027-01-15T13:00:00Z",
            "{verb}"
        );
    }
    // No call wrote anything.
    assert_eq!(rows(&version).await, 1);
    let seen_since = "activations WHERE last_seen_at >= '2027-01-15 13:00:00'";
    assert_eq!(rows(seen_since).await, 0);
    seen::flush(&app.app).await.unwrap();
    assert_eq!(rows(seen_since).await, 1);
    assert_eq!(rows(&version).await, 1);
    app.clock.advance(3_600);
    ask(&app.anonymous(), "validate", &license, seat.clone()).await;
    let second = app.second().await;
    app.stop().await;
    let seen_at_the_stop =
        "SELECT COUNT(*) AS number FROM activations WHERE last_seen_at >= '2027-01-15 14:00:00'";
    assert_eq!(number(&second, seen_at_the_stop.to_owned()).await, 1);
    second.stop().await;
}

both!(the_portal_shows_no_seat_whose_lease_has_ended);
async fn the_portal_shows_no_seat_whose_lease_has_ended(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, floating(3)).await;
    code(&app, "activate", &license, "first-machine").await;
    app.clock.advance(300);
    code(&app, "activate", &license, "second-machine").await;
    app.clock.advance(300);
    let owner = app.customer(BUYER).await;
    let page = owner
        .get(&format!("/licenses/{}", license.id))
        .await
        .expect_status(200)
        .text();
    assert!(
        page.contains("second-machine") && !page.contains("first-machine"),
        "{page}"
    );
    assert!(page.contains("1 of 3"), "{page}");
    assert!(owner.get("/").await.text().contains("1 of 3"));
    app.stop().await;
}
