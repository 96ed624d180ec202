//! Sites: which take a seat, and that one site takes one.

use kitward::kits::model::SeatKind;
use kitward::kits::store::Terms;
use kitward_tests::{Kind, both};
use serde_json::json;

use crate::seats::{ask, held, shop};

fn one_site() -> Terms {
    Terms {
        seat_kind: SeatKind::Site,
        seat_limit: Some(1),
        staging_hosts: vec!["*.staging.shop.com".to_owned()].into(),
        ..Terms::default()
    }
}

both!(sites_of_ones_own_and_staging_sites_use_no_seat);
async fn sites_of_ones_own_and_staging_sites_use_no_seat(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, one_site()).await;
    let kit = app.anonymous();
    for site in [
        "localhost:3000",
        "app.localhost",
        "shop.local",
        "shop.test",
        "x.example",
        "x.invalid",
        "127.0.0.1",
        "http://[::1]:8080/",
        "192.168.1.4",
        "a.staging.shop.com",
    ] {
        for verb in ["validate", "activate", "heartbeat"] {
            let answer = ask(&kit, verb, &license, json!({ "site": site })).await;
            assert_eq!(
                (answer.str("/code"), answer.str("/activation")),
                ("VALID".into(), "null".into()),
                "{site}"
            );
        }
    }
    assert_eq!(held(&app, &license).await, 0);
    let first = ask(
        &kit,
        "activate",
        &license,
        json!({ "site": "https://www.Shop.com:8443/x" }),
    )
    .await;
    assert_eq!(first.str("/activation/identity"), "shop.com");
    let again = ask(&kit, "activate", &license, json!({ "site": "SHOP.com." })).await;
    assert_eq!(first.str("/activation/id"), again.str("/activation/id"));
    for other in [
        "staging.shop.com",
        "ѕhop.com",
        "8.8.8.8",
        "shop.com.test.com",
    ] {
        let answer = ask(&kit, "activate", &license, json!({ "site": other })).await;
        assert_eq!(answer.str("/code"), "SEATS_EXHAUSTED", "{other}");
    }
    assert_eq!(held(&app, &license).await, 1);
    app.stop().await;
}

both!(a_device_called_localhost_takes_a_seat);
async fn a_device_called_localhost_takes_a_seat(kind: Kind) {
    let (app, shop) = shop(kind).await;
    let license = shop.issue(&app, crate::seats::devices(1)).await;
    let answer = ask(
        &app.anonymous(),
        "activate",
        &license,
        json!({ "device": "localhost" }),
    )
    .await;
    assert_eq!(answer.str("/license/seats/used"), "1");
    app.stop().await;
}
