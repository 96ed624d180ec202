//! Seats under concurrency: many calls at once, two processes, on both databases.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use kitward::activations::sweep::sweep;
use kitward::kits::store::Terms;
use kitward_tests::{Issued, Kind, TestApp, both};
use serde_json::json;

use crate::seats::{ask, code, devices, floating, held, hold, shop};

/// How often each code was answered by the two in turn.
async fn codes(
    apps: [&TestApp; 2],
    verb: &str,
    license: &Issued,
    devices: impl Iterator<Item = String>,
    replace: bool,
) -> BTreeMap<String, usize> {
    let calls = devices.enumerate().map(|(n, device)| {
        let kit = apps[n % 2].anonymous();
        let mut more = json!({ "device": device });
        if replace {
            more["replace"] = json!("longest_unseen");
        }
        async move { ask(&kit, verb, license, more).await.str("/code") }
    });
    let mut counts = BTreeMap::new();
    for code in join_all(calls).await {
        *counts.entry(code).or_default() += 1;
    }
    counts
}

fn machines(from: usize, count: usize) -> impl Iterator<Item = String> {
    (from..from + count).map(|n| format!("machine-{n}"))
}

both!(ended_leases_are_handed_on_exactly_once);
async fn ended_leases_are_handed_on_exactly_once(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    let license = shop.issue(&app, floating(5)).await;
    for round in 0..3 {
        let (sweep, codes) = tokio::join!(
            sweep(&second.app),
            codes(
                [&app, &second],
                "activate",
                &license,
                machines(round * 48, 48),
                false
            )
        );
        sweep.unwrap();
        assert_eq!(
            codes,
            BTreeMap::from([("VALID".to_owned(), 5), ("SEATS_EXHAUSTED".to_owned(), 43)])
        );
        assert_eq!(held(&app, &license).await, 5);
        app.clock.advance(600);
    }
    second.stop().await;
    app.stop().await;
}

both!(one_identity_64_times_is_one_seat);
async fn one_identity_64_times_is_one_seat(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    for terms in [devices(5), floating(5)] {
        let license = shop.issue(&app, terms).await;
        let same = std::iter::repeat_n("machine".to_owned(), 64);
        let counts = codes([&app, &second], "activate", &license, same, false).await;
        assert_eq!(counts, BTreeMap::from([("VALID".to_owned(), 64)]));
        assert_eq!(held(&app, &license).await, 1);
    }
    second.stop().await;
    app.stop().await;
}

both!(a_heartbeat_in_time_beats_the_sweep);
async fn a_heartbeat_in_time_beats_the_sweep(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    let license = shop.issue(&app, floating(16)).await;
    codes([&app, &app], "activate", &license, machines(0, 16), false).await;
    app.clock.advance(599);
    for _ in 0..3 {
        let (one, two, beats) = tokio::join!(
            sweep(&app.app),
            sweep(&second.app),
            codes(
                [&app, &second],
                "heartbeat",
                &license,
                machines(0, 16),
                false
            )
        );
        assert_eq!(one.unwrap().leases + two.unwrap().leases, 0);
        assert_eq!(beats, BTreeMap::from([("VALID".to_owned(), 16)]));
        app.clock.advance(599);
    }
    app.clock.advance(1);
    let (one, two, beats) = tokio::join!(
        sweep(&app.app),
        sweep(&second.app),
        codes(
            [&app, &second],
            "heartbeat",
            &license,
            machines(0, 16),
            false
        )
    );
    assert_eq!(one.unwrap().leases + two.unwrap().leases, 16);
    assert_eq!(beats, BTreeMap::from([("NOT_ACTIVATED".to_owned(), 16)]));
    assert_eq!(held(&app, &license).await, 0);
    second.stop().await;
    app.stop().await;
}

both!(no_seat_is_taken_after_the_hold_that_suspends_the_license);
async fn no_seat_is_taken_after_the_hold_that_suspends_the_license(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    let license = shop.issue(&app, devices(64)).await;
    let (codes, ()) = tokio::join!(
        codes(
            [&app, &second],
            "activate",
            &license,
            machines(0, 32),
            false
        ),
        hold(&app, &license)
    );
    let valid = codes.get("VALID").copied().unwrap_or(0);
    let suspended = codes.get("SUSPENDED").copied().unwrap_or(0);
    assert_eq!(valid + suspended, 32, "{codes:?}");
    assert_eq!(held(&app, &license).await, i64::try_from(valid).unwrap());
    assert_eq!(code(&app, "activate", &license, "late").await, "SUSPENDED");
    assert_eq!(held(&app, &license).await, i64::try_from(valid).unwrap());
    second.stop().await;
    app.stop().await;
}

both!(replacing_at_once_never_goes_over_the_limit_or_the_churn);
async fn replacing_at_once_never_goes_over_the_limit_or_the_churn(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    let terms = Terms {
        churn_seats: Some(6),
        churn_days: Some(30),
        ..devices(3)
    };
    let license = shop.issue(&app, terms).await;
    codes([&app, &second], "activate", &license, machines(0, 3), false).await;
    let counts = codes([&app, &second], "activate", &license, machines(3, 32), true).await;
    assert_eq!(
        counts,
        BTreeMap::from([("VALID".to_owned(), 6), ("SEATS_EXHAUSTED".to_owned(), 26)])
    );
    assert_eq!(held(&app, &license).await, 3);
    second.stop().await;
    app.stop().await;
}

both!(giving_back_and_taking_at_once_keeps_the_count);
async fn giving_back_and_taking_at_once_keeps_the_count(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let second = app.second().await;
    let license = shop.issue(&app, devices(8)).await;
    codes([&app, &second], "activate", &license, machines(0, 8), false).await;
    let (freed, _) = tokio::join!(
        codes(
            [&app, &second],
            "deactivate",
            &license,
            machines(0, 8),
            false
        ),
        codes(
            [&app, &second],
            "activate",
            &license,
            machines(8, 24),
            false
        )
    );
    assert_eq!(freed, BTreeMap::from([("FREED".to_owned(), 8)]));
    let left = held(&app, &license).await;
    assert!((0..=8).contains(&left), "{left}");
    codes(
        [&app, &second],
        "activate",
        &license,
        machines(40, 24),
        false,
    )
    .await;
    assert_eq!(held(&app, &license).await, 8);
    second.stop().await;
    app.stop().await;
}
