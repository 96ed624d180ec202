//! Floating seats: a lease is extended, ends, and frees its seat for others.

use kitward::activations::sweep::{Swept, sweep};
use kitward_tests::{BUYER, Kind, Shop, TestApp, both};
use serde_json::json;

use super::{ask, code, events, floating, held, hold, shop, sql};

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

both!(a_running_server_sweeps_by_itself);
async fn a_running_server_sweeps_by_itself(kind: Kind) {
    let app = TestApp::builder().with_workers().start(kind).await;
    let shop = Shop::open(&app).await;
    let license = shop.issue(&app, floating(1)).await;
    code(&app, "activate", &license, "a").await;
    app.clock.advance(600);
    app.app.seen.ring();
    let swept = async { while events(&app, &license, "lease_ended", "system").await == 0 {} };
    let patience = std::time::Duration::from_mins(1);
    tokio::time::timeout(patience, swept).await.unwrap();
    assert_eq!(held(&app, &license).await, 0);
    app.stop().await;
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
