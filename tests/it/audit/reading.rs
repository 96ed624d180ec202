//! The log as it is listed and verified: by management and by commands.

use diesel::connection::SimpleConnection;
use kitward::audit;
use kitward::staff::Scope;
use kitward_tests::{Ended, Kind, MASTER_KEY, Shop, TestApp, both, command};
use serde_json::{Value, json};

use super::{intruder, lift_protection, whole, write_entries};

both!(the_log_is_listed_newest_first_and_persons_are_for_administrators);
async fn the_log_is_listed_newest_first_and_persons_are_for_administrators(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    shop.buy(&app).await;
    let reader = app.token(Scope::Read).await;
    let (mut seqs, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/admin/audit?limit=3{cursor}");
        let page = reader.get(&path).await.expect_status(200).json();
        assert!(!page.to_string().contains("personal"), "{page}");
        let items = page["items"].as_array().unwrap();
        seqs.extend(items.iter().map(|item| item["seq"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<i64> = (1..=whole(&app).await.entries).rev().collect();
    assert_eq!(seqs, expected);

    let page = shop.admin.get("/v1/admin/audit?limit=100").await.json();
    let items = page["items"].as_array().unwrap();
    let persons = items.iter().filter(|item| !item["personal"].is_null());
    assert!(persons.count() > 0 && page.to_string().contains(kitward_tests::BUYER));
    let path = format!("/v1/admin/audit?subject={}", shop.policy);
    let page = reader.get(&path).await.expect_status(200).json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    assert_eq!(page["items"][0]["action"], json!("policy.created"));
    assert_eq!(page["items"][0]["subject"], json!(shop.policy));

    for bad in [
        "cursor=x",
        "cursor=1.5",
        "cursor=-1",
        "cursor=%2B1",
        "subject=%00",
        "subject=a%20b",
    ] {
        let refused = reader.get(&format!("/v1/admin/audit?{bad}")).await;
        refused.expect_problem(422, "invalid_field");
    }
    let publisher = app.token(Scope::Publish).await;
    let refused = publisher.get("/v1/admin/audit").await;
    refused.expect_problem(403, "insufficient_scope");
    app.stop().await;
}

async fn run(app: &TestApp, words: &'static [&'static str]) -> Ended {
    let folder = app.folder().to_path_buf();
    let url = app.database_url().to_owned();
    let work = tokio::task::spawn_blocking(move || {
        let data = folder.join("data");
        let variables = [
            ("KITWARD_DATABASE_URL", url.as_str()),
            ("KITWARD_DATA_DIR", data.to_str().unwrap()),
            ("KITWARD_MASTER_KEY", MASTER_KEY),
        ];
        command(&folder, &variables, words)
    });
    work.await.unwrap()
}

both!(the_command_tells_a_whole_log_from_a_broken_one);
async fn the_command_tells_a_whole_log_from_a_broken_one(kind: Kind) {
    let app = TestApp::start(kind).await;
    Shop::open(&app).await;
    audit::checkpoint(&app.app)
        .await
        .unwrap()
        .expect("the first");
    let verified = whole(&app).await;
    let ended = run(&app, &["audit", "verify", "--json"]).await;
    assert_eq!(ended.status, 0, "{ended:?}");
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["ok"], json!(true));
    assert_eq!(told["entries"], json!(verified.entries));
    assert_eq!(told["proven"], json!(verified.entries));
    assert_eq!(told["head"].as_str().unwrap().len(), 64);

    let mut conn = intruder(&app);
    lift_protection(kind, &mut conn);
    conn.batch_execute("UPDATE audit_log SET actor = 'nobody' WHERE seq = 3")
        .unwrap();
    let ended = run(&app, &["audit", "verify"]).await;
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(
        ended.err.contains("entry 3 does not fit its hash"),
        "{ended:?}"
    );
    let ended = run(&app, &["audit", "verify", "--json"]).await;
    assert_eq!(ended.status, 1, "{ended:?}");
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told, json!({ "ok": false, "entry": 3, "flaw": "hash" }));
    app.stop().await;
}

#[test]
fn a_folder_without_an_installation_has_no_whole_log() {
    let folder = tempfile::TempDir::new().unwrap();
    let ended = command(folder.path(), &[], &["audit", "verify"]);
    assert_eq!(ended.status, 1, "{ended:?}");
    assert!(ended.err.contains("not set up"), "{ended:?}");
    assert!(!folder.path().join("data").exists(), "a look makes nothing");
}

both!(the_list_is_a_command_too);
async fn the_list_is_a_command_too(kind: Kind) {
    let app = TestApp::start(kind).await;
    Shop::open(&app).await;
    write_entries(&app, 150).await;
    let reader = app.token(Scope::Read).await;
    let token = reader.header_text("authorization");
    let token = token.trim_start_matches("Bearer ").to_owned();
    let (origin, folder) = (app.origin(), app.folder().to_path_buf());
    let work = tokio::task::spawn_blocking(move || {
        let variables = [
            ("KITWARD_URL", origin.as_str()),
            ("KITWARD_TOKEN", token.as_str()),
        ];
        let rows = |words: &[&str]| -> Vec<Value> {
            let ended = command(&folder, &variables, words);
            assert_eq!(ended.status, 0, "{ended:?}");
            serde_json::from_str(&ended.out).unwrap()
        };
        let newest = rows(&["--json", "audit", "list", "--limit", "120"]);
        assert_eq!(newest.len(), 120);
        assert!(newest[0]["seq"].as_i64() > newest[119]["seq"].as_i64());
        let subject = rows(&["--json", "audit", "list", "--subject", "149"]);
        assert_eq!(subject.len(), 1);
    });
    work.await.unwrap();
    app.stop().await;
}
