//! Uploads under way are listed by release.

use kitward::staff::Scope;
use kitward_tests::{Kind, Shop, TestApp, both};
use serde_json::json;

use super::{Draft, PART, file_of};

both!(uploads_under_way_are_listed_with_their_parts);
async fn uploads_under_way_are_listed_with_their_parts(kind: Kind) {
    let app = TestApp::start(kind).await;
    Shop::open(&app).await;
    let draft = Draft::open(&app, "feedback-widget", "1.0.0").await;
    let other = Draft::open(&app, "feedback-widget", "1.1.0").await;
    let file = file_of(2 * PART + 1, 7);
    let begun = draft.begin("a.bin", &file).await.expect_status(201);
    let (first, path) = (begun.str("/id"), draft.path("/uploads"));
    for (number, part) in (1..).zip(file.chunks(PART)).skip(1) {
        draft.send(&first, number, part).await.expect_status(200);
    }
    app.clock.advance(1);
    let small = draft.begin("b.bin", b"small").await.expect_status(201);
    let elsewhere = other.begin("c.bin", b"other").await;
    elsewhere.expect_status(201);

    let page = draft.publisher.get(&format!("{path}?limit=1")).await;
    let page = page.expect_status(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let row = &page["items"][0];
    assert_eq!((&row["id"], &row["name"]), (&json!(first), &json!("a.bin")));
    assert_eq!(
        (&row["part_count"], &row["received"]),
        (&json!(3), &json!([2, 3]))
    );
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = draft
        .publisher
        .get(&format!("{path}?cursor={cursor}"))
        .await;
    let rest = rest.expect_status(200).json();
    assert_eq!(rest["items"], json!([small.json()]));
    assert!(rest["next_cursor"].is_null());

    let given_up = format!("/v1/admin/uploads/{first}");
    draft.delete(&given_up).await.expect_status(204);
    let left = draft.publisher.get(&path).await.expect_status(200);
    assert_eq!(left.json()["items"], json!([small.json()]));
    let reader = app.token(Scope::Read).await;
    let refused = reader.get(&path).await;
    refused.expect_problem(403, "insufficient_scope");
    let unknown = "/v1/admin/releases/rel_01jhmz3e5afkt9ymv5n2e8wqc4/uploads";
    let missing = draft.publisher.get(unknown).await;
    missing.expect_problem(404, "not_found");
    app.stop().await;
}
