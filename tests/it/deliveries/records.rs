//! What is on record is read by whoever manages licenses.

use kitward::staff::Scope;
use kitward_tests::{Kind, TestApp, both};
use serde_json::{Value, json};

use super::{FILE, license, path, publish_files, shop};

both!(deliveries_to_a_license_are_listed_newest_first);
async fn deliveries_to_a_license_are_listed_newest_first(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, purchase, file) = shop(&app, 1_000).await;
    publish_files(&shop, "1.1.0", &[("kit.bin".to_owned(), file)]).await;
    let id = license(&shop).await;
    app.clock.advance(1);
    let other = shop.buy(&app).await;
    let newer = "/v1/kits/feedback-widget/releases/1.1.0/artifacts/kit.bin";
    let kit = app.kit(&purchase.key);
    kit.get(&path(FILE)).await.expect_status(200);
    app.clock.advance(1);
    let part = kit.with("range", "bytes=0-9").get(newer).await;
    part.expect_status(206);
    app.kit(&other.key).get(newer).await.expect_status(200);

    let reader = app.token(Scope::Read).await;
    let list = format!("/v1/admin/licenses/{id}/downloads?limit=1");
    let first = reader.get(&list).await.expect_status(200).json();
    let row = &first["items"][0];
    assert_eq!(row["license_id"], id.as_str());
    assert_eq!(
        (&row["version"], &row["name"], &row["bytes_asked"]),
        (&json!("1.1.0"), &json!("kit.bin"), &json!(10))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = reader.get(&format!("{list}&cursor={cursor}")).await;
    let rest = rest.expect_status(200).json();
    let row = &rest["items"][0];
    for (member, expected) in [
        ("started_at", json!("2027-01-15T12:00:01Z")),
        ("kit", json!("feedback-widget")),
        ("version", json!("1.0.0")),
        ("name", json!(FILE)),
        ("credential", json!("license")),
        ("token_id", Value::Null),
        ("network", json!("127.0.0.0/24")),
        ("bytes_asked", json!(1_000)),
        ("continues", json!(false)),
        ("stamp_nonce", Value::Null),
    ] {
        assert_eq!(row[member], expected, "{member}");
    }
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next_cursor"], Value::Null);

    let unknown = "/v1/admin/licenses/lic_01jhmz3e5afkt9ymv5n2e8wqc4/downloads";
    reader.get(unknown).await.expect_problem(404, "not_found");
    let publisher = app.token(Scope::Publish).await;
    let refused = publisher.get(&list).await;
    refused.expect_problem(403, "insufficient_scope");
    app.stop().await;
}
