//! What the vendor decides: looks before, calls off, takes back, holds back, lets out in steps.

use kitward_tests::{BUYER, Kind, Shop, TestApp, both};
use serde_json::{Value, json};

use super::{
    call_off, draft, hole, is, issue, mails_and_addresses, mails_to, notices, open,
    pass_quiet_time, preview, publish_draft, revoke, tell, tell_again, told, widget,
};
use crate::seats::sql;

async fn set_column(app: &TestApp, release: &str, column: &str, value: &str) {
    let update = format!("UPDATE releases SET {column} = {value} WHERE id = '{release}'");
    sql(app, update).await;
}

both!(the_vendor_looks_before_and_calls_off_after);
async fn the_vendor_looks_before_and_calls_off_after(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = draft(&shop, "feedback-widget", "1.1.0", &json!({})).await;
    let preview = preview(&shop, &id).await;
    is(&preview, &json!({ "people": 1, "locked": 0 }));
    assert_eq!(preview["subject"], "Feedback Widget Kit 1.1.0 is out");
    assert!(preview["html"].as_str().unwrap().contains("1.1.0"));
    shop.admin
        .post(&notices(&id), &json!({}))
        .await
        .expect_problem(409, "conflict");
    publish_draft(&shop, &id, "?notify=false").await;
    app.drain().await;
    assert_eq!(told(&shop, &id).await["state"], Value::Null);
    tell_again(&app, &shop, &id).await;
    assert_eq!(told(&shop, &id).await["waiting"], 1);
    call_off(&shop, &id).await;
    pass_quiet_time(&app).await;
    is(
        &told(&shop, &id).await,
        &json!({ "state": "skipped", "skipped": 1 }),
    );
    assert!(app.inbox.messages().is_empty());
    // Begun anew, those who were skipped hear of it after all.
    tell_again(&app, &shop, &id).await;
    pass_quiet_time(&app).await;
    assert_eq!(app.inbox.messages().len(), 1);
    let log = shop
        .admin
        .get(&format!("/v1/admin/audit?subject={id}"))
        .await
        .text();
    assert!(log.contains("release.notices_started") && log.contains("release.notices_called_off"));
    app.stop().await;
}

both!(previews_are_told_of_when_the_vendor_says_so_only);
async fn previews_are_told_of_when_the_vendor_says_so_only(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let quiet = widget(&shop, "2.0.0-beta.1").await;
    let loud = draft(&shop, "feedback-widget", "2.0.0-beta.2", &json!({})).await;
    publish_draft(&shop, &loud, "?notify=true").await;
    app.drain().await;
    assert_eq!(told(&shop, &quiet).await["state"], Value::Null);
    assert_eq!(told(&shop, &loud).await["waiting"], 1);
    let odd = draft(&shop, "feedback-widget", "2.0.0", &json!({})).await;
    let odd = format!("/v1/admin/releases/{odd}/publish?notify=perhaps");
    shop.admin
        .post(&odd, &json!({}))
        .await
        .expect_problem(422, "invalid_field");
    for path in [
        "/v1/admin/releases/rel_x/notices",
        "/v1/admin/releases/x/notices/preview",
    ] {
        shop.admin.get(path).await.expect_problem(404, "not_found");
    }
    app.stop().await;
}

both!(what_was_taken_back_before_the_mail_left_is_not_told);
async fn what_was_taken_back_before_the_mail_left_is_not_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    for (column, version) in [("yanked_at", "1.1.0"), ("withdrawn_at", "1.2.0")] {
        let id = widget(&shop, version).await;
        app.drain().await;
        set_column(&app, &id, column, "'2027-01-15 12:00:00'").await;
        pass_quiet_time(&app).await;
        assert_eq!(told(&shop, &id).await["skipped"], 1, "{column}");
    }
    assert!(app.inbox.messages().is_empty());
    app.stop().await;
}

both!(a_license_that_is_revoked_before_the_mail_leaves_hears_nothing);
async fn a_license_that_is_revoked_before_the_mail_leaves_hears_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let new = widget(&shop, "1.1.0").await;
    app.drain().await;
    revoke(&shop).await;
    let closed = hole(&shop, "1.1.1").await;
    tell(&app).await;
    assert!(app.inbox.messages().is_empty());
    assert_eq!(told(&shop, &new).await["skipped"], 1);
    assert_eq!(told(&shop, &closed).await["waiting"], 0);
    app.stop().await;
}

/// So many that it is no question of luck whether half of them are some, but not all.
const BUYERS: usize = 40;

both!(a_rollout_tells_those_it_has_come_to_and_the_others_later);
async fn a_rollout_tells_those_it_has_come_to_and_the_others_later(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.mail.notices_quiet_minutes = 0)
        .start(kind)
        .await;
    let shop = Shop::open(&app).await;
    for number in 0..BUYERS {
        let address = format!("buyer{number}@example.com");
        issue(&shop, "personal", &address).await;
        app.customer(&address).await;
    }
    app.drain().await;
    app.inbox.clear();
    let id = draft(&shop, "feedback-widget", "1.1.0", &json!({})).await;
    let steps = r#"[{"at":"2027-01-15T11:00:00Z","percent":50},{"at":"2027-01-15T12:30:00Z","percent":50},{"at":"2027-01-15T13:30:00Z","percent":100}]"#;
    set_column(&app, &id, "rollout", &format!("'{steps}'")).await;
    publish_draft(&shop, &id, "").await;
    app.drain().await;
    let first = app.inbox.messages().len();
    assert!((1..BUYERS).contains(&first), "{first}");
    assert_eq!(told(&shop, &id).await["state"], "walking");
    for _ in 0..3 {
        app.clock.advance(3_700);
        app.drain().await;
    }
    assert_eq!(mails_and_addresses(&app), (BUYERS, BUYERS));
    is(
        &told(&shop, &id).await,
        &json!({ "state": "walked", "sent": BUYERS }),
    );
    app.stop().await;
}

both!(a_halt_holds_mails_back_and_another_look_lets_them_go);
async fn a_halt_holds_mails_back_and_another_look_lets_them_go(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    set_column(&app, &id, "halted_at", "'2027-01-15 12:00:00'").await;
    pass_quiet_time(&app).await;
    assert_eq!(told(&shop, &id).await["skipped"], 1);
    set_column(&app, &id, "halted_at", "NULL").await;
    tell_again(&app, &shop, &id).await;
    pass_quiet_time(&app).await;
    assert_eq!(mails_to(&app, BUYER).len(), 1);
    app.stop().await;
}
