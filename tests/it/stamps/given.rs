//! Whoever finds a copy learns whom it was given to.

use kitward::staff::Scope;
use kitward_tests::{Kind, TestApp, both, command};
use serde_json::{Value, json};

use super::{FILE, Stamping};

/// As long as a nonce, and none of ours: some start with a hyphen.
const UNKNOWN: &str = "-AAAAAAAAAAAAAAAAAAAAA";

both!(a_nonce_leads_to_the_license_that_was_given_the_copy);
async fn a_nonce_leads_to_the_license_that_was_given_the_copy(kind: Kind) {
    let stamping = Stamping::start(kind).await;
    let copy = stamping.fetch(FILE).await.bytes;
    stamping.fetch("kit.tar.gz").await;
    let stamp = stamping.stamp(&copy).await;
    let reader = stamping.app.token(Scope::Read).await;
    let path = |nonce: &str| format!("/v1/admin/downloads?nonce={nonce}");
    let found = reader.get(&path(&stamp.nonce)).await.expect_status(200);
    let found = found.json()["items"].as_array().unwrap().clone();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["license_id"], json!(stamp.sub));
    assert_eq!(found[0]["stamp_nonce"], json!(stamp.nonce));
    assert_eq!(
        (&found[0]["name"], &found[0]["version"]),
        (&json!(FILE), &json!("1.0.0"))
    );
    let none = reader.get(&path(UNKNOWN)).await.expect_status(200);
    assert_eq!(none.json()["items"], json!([]));
    for bad in [
        path(""),
        path("x"),
        path("%00"),
        "/v1/admin/downloads".to_owned(),
    ] {
        let refused = reader.get(&bad).await;
        refused.expect_problem(422, "invalid_field");
    }
    let publisher = stamping.app.token(Scope::Publish).await;
    let refused = publisher.get(&path(UNKNOWN)).await;
    refused.expect_problem(403, "insufficient_scope");
    stamping.app.stop().await;
}

/// What the command prints of a nonce.
fn told(app: &TestApp, token: &str, nonce: &str) -> Value {
    let folder = tempfile::TempDir::new().unwrap();
    let origin = app.origin();
    let variables = [("KITWARD_URL", origin.as_str()), ("KITWARD_TOKEN", token)];
    let words = ["--json", "artifact", "whose", nonce];
    let ended = command(folder.path(), &variables, &words);
    assert_eq!(ended.status, 0, "{ended:?}");
    serde_json::from_str(ended.out.trim()).unwrap()
}

#[test]
fn the_command_tells_whom_a_copy_was_given_to() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let stamping = Stamping::start(kind).await;
        let copy = stamping.fetch(FILE).await.bytes;
        let stamp = stamping.stamp(&copy).await;
        let token = stamping.shop.admin.header_text("authorization");
        let token = token.strip_prefix("Bearer ").unwrap();
        let rows = told(&stamping.app, token, &stamp.nonce);
        assert_eq!(rows[0]["license_id"], json!(stamp.sub));
        assert_eq!(told(&stamping.app, token, UNKNOWN), json!([]));
        stamping.app.stop().await;
    });
}
