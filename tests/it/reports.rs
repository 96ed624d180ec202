//! Figures say what was downloaded and which versions are in the field.

use kitward::reports::checks;
use kitward_tests::{Kind, Shop, TestApp, both};
use serde_json::{Value, json};

async fn report(shop: &Shop, name: &str, query: &str) -> Value {
    let path = format!("/v1/admin/reports/{name}?kit=feedback-widget{query}");
    shop.admin.get(&path).await.expect_status(200).json()
}

both!(downloads_are_counted_by_release_and_day);
async fn downloads_are_counted_by_release_and_day(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.release("feedback-widget", "1.0.0", "kit.bin", b"one")
        .await;
    shop.release("feedback-widget", "1.1.0", "kit.bin", b"two")
        .await;
    let (one, two) = (shop.buy(&app).await, shop.buy(&app).await);
    // A file that one network fetches again on the same day, whole or in parts, counts once.
    let file = "/v1/kits/feedback-widget/releases/1.0.0/artifacts/kit.bin";
    for key in [&one.key, &one.key, &two.key] {
        app.kit(key).get(file).await.expect_status(200);
    }
    app.clock.advance(86_400);
    app.kit(&one.key).get(file).await.expect_status(200);
    let today = report(&shop, "downloads", "&from=2027-01-16&to=2027-01-16").await;
    assert_eq!(today["items"][1]["downloads"], 1);
    let all = report(&shop, "downloads", "").await;
    assert_eq!(
        (&all["from"], &all["to"]),
        (&json!("2026-12-18"), &json!("2027-01-16"))
    );
    let row = |at: usize| &all["items"][at];
    assert_eq!(
        (&row(0)["version"], &row(0)["downloads"]),
        (&json!("1.1.0"), &json!(0))
    );
    assert_eq!(
        (&row(1)["downloads"], &row(1)["licenses"]),
        (&json!(3), &json!(2))
    );
    app.stop().await;
}

both!(versions_in_the_field_come_from_seats_and_update_checks);
async fn versions_in_the_field_come_from_seats_and_update_checks(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    for version in ["1.0.0", "1.1.0"] {
        shop.release("feedback-widget", version, "kit.bin", version.as_bytes())
            .await;
    }
    let (one, two) = (shop.buy(&app).await, shop.buy(&app).await);
    for (device, version) in [
        ("a", "1.0.0"),
        ("b", "1.0.0+acme.1"),
        ("c", "=1+1"),
        ("d", "6.6.6"),
    ] {
        let seat = json!({ "key": one.key, "kit": "feedback-widget", "device": device, "version": version });
        app.anonymous()
            .post("/v1/licenses/activate", &seat)
            .await
            .expect_status(200);
    }
    let second = app.second().await;
    for (key, version) in [
        (&one.key, "1.0.0"),
        (&one.key, "1.0.0%2Bacme.1"),
        (&two.key, "1.1.0"),
        (&two.key, "7.7.7"),
    ] {
        let path = format!("/v1/kits/feedback-widget/updates?version={version}");
        app.kit(key).get(&path).await.expect_status(200);
    }
    second
        .kit(&two.key)
        .get("/v1/kits/feedback-widget/updates?version=1.0.0")
        .await
        .expect_status(200);
    checks::flush(&app.app).await.unwrap();
    checks::flush(&app.app).await.unwrap();
    // A stopping process writes what it counted.
    second.stop().await;
    let all = report(&shop, "versions", "").await;
    let items = all["items"].as_array().unwrap();
    let of = |version: Value| {
        let item = items.iter().find(|item| item["version"] == version);
        let item = item.unwrap_or_else(|| panic!("{version} in {all}"));
        ["seats", "checks", "asking"].map(|name| item[name].as_i64().unwrap())
    };
    assert_eq!(of(json!("1.0.0")), [2, 3, 2]);
    assert_eq!(of(json!("1.1.0")), [0, 1, 1]);
    assert_eq!(
        of(Value::Null),
        [2, 1, 1],
        "versions that are none of the kit's"
    );
    assert_eq!(items.len(), 3, "nobody's word is a row");
    let csv = "/v1/admin/reports/versions?kit=feedback-widget&format=csv";
    let csv = shop.admin.get(csv).await.expect_status(200);
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert!(
        csv.text()
            .starts_with("kit,version,seats,checks,asking\r\n")
    );
    assert!(!csv.text().contains("=1+1"), "{}", csv.text());
    app.stop().await;
}

both!(odd_days_and_kits_are_refused);
async fn odd_days_and_kits_are_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    for name in ["downloads", "versions"] {
        for query in [
            "",
            "?kit=nothing",
            "?kit=feedback-widget&from=yesterday",
            "?kit=feedback-widget&from=2027-02-30",
            "?kit=feedback-widget&from=2027-02-02&to=2027-02-01",
            "?kit=feedback-widget&from=2020-01-01",
            "?kit=feedback-widget&format=xml",
            "?kit=feedback-widget&page=1",
            "?kit=%00",
        ] {
            let path = format!("/v1/admin/reports/{name}{query}");
            shop.admin
                .get(&path)
                .await
                .expect_problem(422, "invalid_field");
        }
        let path = format!("/v1/admin/reports/{name}?kit=feedback-widget");
        app.anonymous().get(&path).await.expect_status(401);
    }
    app.stop().await;
}
