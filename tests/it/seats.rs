//! Seats: leases, moves, limits, what time does to them.

mod leases;
mod moves;
mod offline;

use kitward::activations::seen;
use kitward::activations::sweep::{Swept, sweep};
use kitward::db::Shard;
use kitward::kits::model::SeatKind;
use kitward::kits::store::Terms;
use kitward_tests::{Actor, Issued, Kind, Reply, Shop, TestApp, both};
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

/// A seat that the customer may not free before a date: that is told, and where to look.
#[track_caller]
fn expect_not_yet(app: &TestApp, license: &Issued, refused: &Reply, code: &str) {
    assert_eq!(
        (refused.str("/code"), refused.str("/deactivated")),
        (code.into(), "false".into())
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

/// Suspends a license, in a unit of work that takes its root row first.
pub(crate) async fn hold(app: &TestApp, license: &Issued) {
    let id = &license.id;
    let lock = format!("UPDATE licenses SET version = version + 1 WHERE id = '{id}'");
    let hold = format!(
        "INSERT INTO license_holds (id, license_id, kind, reason, cause, opened_at) VALUES ('h-{id}', '{id}', 'hold', 'manual', 'test', '2027-01-15 12:00:00')"
    );
    let job = app.app.db.write(Shard::Wide, move |tx| {
        run(tx, &lock)?;
        run(tx, &hold)
    });
    job.await.unwrap();
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

both!(who_comes_back_on_the_last_day_keeps_the_seat_whichever_process_sweeps);
async fn who_comes_back_on_the_last_day_keeps_the_seat_whichever_process_sweeps(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    for days in [30, 1] {
        let terms = Terms {
            free_unseen_days: Some(days),
            ..devices(1)
        };
        let license = shop.issue(&app, terms).await;
        assert_eq!(code(&app, "activate", &license, "a").await, "VALID");
        app.clock.advance(i64::from(days) * DAY - 1);
        assert_eq!(code(&second, "activate", &license, "a").await, "VALID");
        app.clock.advance(1);
        // What the second process has seen it has not written yet.
        let swept = sweep(&app.app).await.unwrap();
        assert_eq!(swept, Swept::default(), "{days}");
        assert_eq!(code(&app, "validate", &license, "a").await, "VALID");
    }
    second.stop().await;
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
