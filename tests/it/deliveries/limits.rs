//! How often files leave: downloads and networks of a day, and what a ticket gives.

use kitward::downloads::model::CredentialForm;
use kitward::downloads::record::sweep;
use kitward_tests::{Actor, Kind, Shop, TestApp, both};
use reqwest::Method;
use serde_json::json;

use super::{FILE, limit, path, publish_files, recorded, shop, ticket};
use crate::seats::number;

/// A release with so many files, each with other bytes.
async fn release_of(shop: &Shop, version: &str, count: usize) {
    let file = |number| {
        (
            format!("{number}.bin"),
            format!("file {number}").into_bytes(),
        )
    };
    let files: Vec<_> = (0..count).map(file).collect();
    publish_files(shop, version, &files).await;
}

fn numbered(number: usize) -> String {
    format!("/v1/kits/feedback-widget/releases/2.0.0/artifacts/{number}.bin")
}

both!(downloads_of_a_day_are_limited_and_resuming_is_none);
async fn downloads_of_a_day_are_limited_and_resuming_is_none(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, _file) = shop(&app, 1_000).await;
    release_of(&shop, "2.0.0", 4).await;
    limit(&shop, &json!({ "downloads_per_day": 2 })).await;
    let kit = app.kit(&purchase.key);
    kit.get(&numbered(0)).await.expect_status(200);
    for range in ["bytes=2-", "bytes=0-1", "bytes=0-0,3-3"] {
        let resumed = kit.clone().with("range", range).get(&numbered(0)).await;
        resumed.expect_status(206);
    }
    kit.get(&numbered(1)).await.expect_status(200);
    let refused = kit
        .get(&numbered(2))
        .await
        .expect_problem(429, "download_limit");
    // Noon: twelve hours are left.
    assert_eq!(refused.header("retry-after"), "43200");
    assert!(refused.str("/detail").contains("2 downloads a day"));
    kit.get(&numbered(0)).await.expect_status(200);
    let head = kit.send(kit.request(Method::HEAD, &numbered(2))).await;
    head.expect_status(200);
    let part = kit
        .clone()
        .with("range", "bytes=1-")
        .get(&numbered(2))
        .await;
    part.expect_problem(429, "download_limit");
    app.clock.advance(43_199);
    kit.get(&numbered(2))
        .await
        .expect_problem(429, "download_limit");
    app.clock.advance(1);
    kit.get(&numbered(2)).await.expect_status(200);
    sweep(&app.app).await.unwrap();
    kit.get(&numbered(3)).await.expect_status(200);
    kit.get(&numbered(0))
        .await
        .expect_problem(429, "download_limit");
    let rows = recorded(&app, &shop).await;
    let counted = rows.iter().filter(|row| !row.continues).count();
    // Neither do parts: their bytes are added, 6 + 4 + 2 + 2 + 6.
    assert_eq!((rows.len(), counted), (4, 4), "refusals leave no row");
    assert!(rows.iter().any(|row| row.bytes_asked == Some(20)));
    app.stop().await;
}

both!(a_limit_of_downloads_holds_however_many_ask_at_once);
async fn a_limit_of_downloads_holds_however_many_ask_at_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, _file) = shop(&app, 1_000).await;
    release_of(&shop, "2.0.0", 16).await;
    limit(&shop, &json!({ "downloads_per_day": 5 })).await;
    let other = app.second().await;
    let mut asking = Vec::new();
    for number in 0..16 {
        let process = if number % 2 == 0 { &app } else { &other };
        let kit = process.kit(&purchase.key);
        asking.push(tokio::spawn(async move {
            kit.get(&numbered(number)).await.status
        }));
    }
    let mut statuses = Vec::new();
    for ask in asking {
        statuses.push(ask.await.unwrap());
    }
    let count = |status: u16| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((count(200), count(429)), (5, 11), "{statuses:?}");
    other.stop().await;
    app.stop().await;
}

both!(whoever_asks_again_and_again_makes_one_row);
async fn whoever_asks_again_and_again_makes_one_row(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, _file) = shop(&app, 1_000).await;
    let kit = "/v1/admin/kits/feedback-widget";
    let opened = shop.admin.patch(kit, &json!({ "is_open": true })).await;
    opened.expect_status(200);
    let rows = || {
        let query = "SELECT COUNT(*) AS number FROM downloads";
        number(&app, query.to_owned())
    };
    let bytes = || {
        let query = "SELECT CAST(SUM(bytes_asked) AS BIGINT) AS number FROM downloads";
        number(&app, query.to_owned())
    };
    let other = app.second().await;
    let first = app.anonymous().get(&path(FILE)).await;
    first.expect_status(200);
    let mut asking = Vec::new();
    for number in 0..10 {
        let process = if number % 2 == 0 { &app } else { &other };
        let anybody = process.anonymous().with("range", "bytes=0-0");
        asking.push(tokio::spawn(async move {
            anybody.get(&path(FILE)).await.status
        }));
    }
    for ask in asking {
        assert_eq!(ask.await.unwrap(), 206);
    }
    assert_eq!((rows().await, bytes().await), (1, 1_010));
    // A license is another recipient, and the next day another delivery.
    let mine = app.kit(&purchase.key).with("range", "bytes=0-0");
    for _ in 0..3 {
        mine.get(&path(FILE)).await.expect_status(206);
    }
    assert_eq!((rows().await, bytes().await), (2, 1_013));
    app.clock.advance(86_400);
    for _ in 0..2 {
        mine.get(&path(FILE)).await.expect_status(206);
        let again = app.anonymous().get(&path(FILE)).await;
        again.expect_status(200);
    }
    assert_eq!((rows().await, bytes().await), (4, 3_015));
    other.stop().await;
    app.stop().await;
}

fn from(app: &TestApp, key: &str, address: &str) -> Actor {
    app.kit(key).with("x-forwarded-for", address)
}

both!(networks_of_a_day_are_limited);
async fn networks_of_a_day_are_limited(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
        .start(kind)
        .await;
    let (shop, purchase, _file) = shop(&app, 1_000).await;
    limit(&shop, &json!({ "download_networks_per_day": 2 })).await;
    let key = &purchase.key;
    for address in [
        "192.0.2.1",
        "192.0.2.77",
        "2001:db8:0:1::1",
        "2001:db8:0:2::1",
    ] {
        from(&app, key, address)
            .get(&path(FILE))
            .await
            .expect_status(200);
        app.clock.advance(1);
    }
    for address in ["198.51.100.1", "2001:db8:0:100::1"] {
        let refused = from(&app, key, address).get(&path(FILE)).await;
        let refused = refused.expect_problem(429, "download_limit");
        assert!(refused.str("/detail").contains("2 networks"), "{address}");
    }
    from(&app, key, "192.0.2.5")
        .get(&path(FILE))
        .await
        .expect_status(200);
    let rows = recorded(&app, &shop).await;
    let networks: Vec<_> = rows
        .iter()
        .map(|row| (row.network.as_deref(), row.bytes_asked))
        .collect();
    let v4 = (Some("192.0.2.0/24"), Some(3_000));
    let v6 = (Some("2001:db8::/56"), Some(2_000));
    assert_eq!(networks, [v4, v6], "no whole address is kept");
    app.stop().await;
}

both!(a_ticket_gives_three_times_its_file_to_one_network);
async fn a_ticket_gives_three_times_its_file_to_one_network(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()])
        .start(kind)
        .await;
    let (shop, _purchase, file) = shop(&app, 1_000).await;
    let address = ticket(&app).await;
    let at_home = app.anonymous().with("x-forwarded-for", "192.0.2.1");
    let elsewhere = app.anonymous().with("x-forwarded-for", "198.51.100.1");
    let part = at_home
        .clone()
        .with("range", "bytes=0-499")
        .get(&address)
        .await;
    assert_eq!(part.expect_status(206).bytes, &file[..500]);
    let shared = elsewhere.get(&address).await;
    shared.expect_problem(403, "forbidden");
    let head = at_home.send(at_home.request(Method::HEAD, &address)).await;
    head.expect_status(200);
    at_home.get(&address).await.expect_status(200);
    at_home.get(&address).await.expect_status(200);
    let rest = at_home
        .clone()
        .with("range", "bytes=500-")
        .get(&address)
        .await;
    assert_eq!(rest.expect_status(206).bytes, &file[500..]);
    let more = at_home
        .clone()
        .with("range", "bytes=0-0")
        .get(&address)
        .await;
    more.expect_problem(410, "gone");
    elsewhere
        .get(&address)
        .await
        .expect_problem(403, "forbidden");
    let rows = recorded(&app, &shop).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.credential, row.bytes_asked))
        .collect();
    assert_eq!(told, [(CredentialForm::Ticket, Some(3_000))]);
    // Another file is another ticket; a ticket that is over opens nothing.
    let fresh = ticket(&app).await;
    assert_ne!(fresh, address);
    app.clock.advance(601);
    at_home.get(&fresh).await.expect_problem(410, "gone");
    app.stop().await;
}
