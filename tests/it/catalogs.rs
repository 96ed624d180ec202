//! What is kept of a kit's catalog holds until it changes, and not a moment longer, on every process.

use diesel::{RunQueryDsl, sql_query};
use kitward::db::{DbError, Shard};
use kitward::releases::model::ReleaseId;
use kitward::releases::store::{catalog_version, find, lock};
use kitward_tests::{Actor, Kind, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

const UPDATES: &str = "/v1/kits/feedback-widget/updates?version=0.9.0";

async fn check(kit: &Actor) -> Value {
    kit.get(UPDATES).await.expect_status(200).json()
}

async fn offered(kit: &Actor) -> Value {
    check(kit).await["release"]["version"].clone()
}

both!(a_change_of_a_kit_is_seen_by_the_next_check_on_every_process);
async fn a_change_of_a_kit_is_seen_by_the_next_check_on_every_process(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let zip = kitward_fakes::sample_kit_zip();
    shop.release("feedback-widget", "1.0.0", "a.zip", &zip)
        .await;
    let key = shop.buy(&app).await.key;
    let other = app.second().await;
    let (here, there) = (app.kit(&key), other.kit(&key));
    let both = async |version: &str| {
        // Twice: from the catalog that was just read, and from the one that was kept.
        for kit in [&here, &there, &here, &there] {
            assert_eq!(offered(kit).await, version);
        }
    };
    both("1.0.0").await;
    let newer = shop
        .release("feedback-widget", "1.1.0", "b.zip", &zip)
        .await;
    both("1.1.0").await;
    // A kit's name is in no answer, but its slug is in every address.
    let renamed = json!({ "slug": "feedback" });
    let renamed = shop.admin.patch("/v1/admin/kits/feedback-widget", &renamed);
    renamed.await.expect_status(200);
    for kit in [&here, &there] {
        let answer = kit
            .get("/v1/kits/feedback/updates?version=0.9.0")
            .await
            .json();
        let url = answer["release"]["artifacts"][0]["url"].as_str().unwrap();
        assert!(url.contains("/v1/kits/feedback/releases/1.1.0/"), "{url}");
    }
    both("1.1.0").await;
    withdraw(&app, &newer).await;
    both("1.0.0").await;
    app.stop().await;
    other.stop().await;
}

/// By a statement of its own: whoever changes a release, it counts.
async fn withdraw(app: &TestApp, release: &str) {
    let change = format!("UPDATE releases SET withdrawn_at = published_at WHERE id = '{release}'");
    let changed = app.app.db.write(Shard::Wide, move |tx| {
        Ok::<_, DbError>(sql_query(&change).execute(tx.conn())?)
    });
    assert_eq!(changed.await.unwrap(), 1);
}

both!(a_license_is_looked_at_in_every_check);
async fn a_license_is_looked_at_in_every_check(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let zip = kitward_fakes::sample_kit_zip();
    let release = shop
        .release("feedback-widget", "1.0.0", "a.zip", &zip)
        .await;
    let purchase = shop.buy(&app).await;
    let kit = app.kit(&purchase.key);
    assert_eq!(offered(&kit).await, "1.0.0");
    // The end of its updates moves before the release, by the license's own row.
    let early = "UPDATE licenses SET updates_until = '2000-01-01 00:00:00'";
    let changed = app.app.db.write(Shard::Wide, move |tx| {
        Ok::<_, DbError>(sql_query(early).execute(tx.conn())?)
    });
    assert_eq!(changed.await.unwrap(), 1);
    assert_eq!(offered(&kit).await, Value::Null);
    // What is granted is had all the same, by a row that no catalog knows of.
    let grant = format!(
        "INSERT INTO release_grants (release_id, license_id, reason, created_at) \
         SELECT '{release}', id, 'sorry', created_at FROM licenses"
    );
    let granted = app.app.db.write(Shard::Wide, move |tx| {
        Ok::<_, DbError>(sql_query(&grant).execute(tx.conn())?)
    });
    assert_eq!(granted.await.unwrap(), 1);
    assert_eq!(offered(&kit).await, "1.0.0");
    let unknown = app.kit("kwl_nothing").get(UPDATES).await;
    let reply: Reply = unknown.expect_problem(401, "key_unknown");
    assert_eq!(reply.status, 401);
    app.stop().await;
}

/// The number of the last change of a release's kit.
async fn counted(app: &TestApp, release: &ReleaseId) -> i64 {
    let id = release.clone();
    let read = app.app.db.read_slow(move |conn| {
        let release = find(conn, &id)?.expect("a release");
        catalog_version(conn, &release.kit_id)
    });
    read.await.unwrap()
}

both!(a_release_that_is_locked_has_not_changed);
async fn a_release_that_is_locked_has_not_changed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let zip = kitward_fakes::sample_kit_zip();
    let id = shop.release("feedback-widget", "1.0.0", "a.zip", &zip);
    let id = ReleaseId::parse(&id.await).unwrap();
    let before = counted(&app, &id).await;
    let locked = id.clone();
    let done = app.app.db.write(Shard::Wide, move |tx| lock(tx, &locked));
    assert!(done.await.unwrap().is_some());
    assert_eq!(counted(&app, &id).await, before);
    withdraw(&app, id.as_str()).await;
    assert!(counted(&app, &id).await > before);
    app.stop().await;
}
