//! Mails leave at least once, recognizably; a bad mail server delays mails and nothing else.

use std::time::{Duration, Instant};

use kitward::outbox;
use kitward::outbox::Lane;
use kitward_fakes::Behavior;
use kitward_tests::{Kind, Shop, TestApp, both};
use serde_json::json;

async fn pay(app: &TestApp) {
    let ids = app.stripe.add_checkout(Shop::checkout("price_personal", 1));
    let event = app.stripe.event("checkout.session.completed", &ids.session);
    app.deliver(&event).await.expect_status(200);
}

both!(a_refusing_mail_server_delays_the_mail);
async fn a_refusing_mail_server_delays_the_mail(kind: Kind) {
    let app = TestApp::start(kind).await;
    let _shop = Shop::open(&app).await;
    for behavior in [
        Behavior::Refuse(451),
        Behavior::RefuseRecipient(550),
        Behavior::CloseBeforeData,
    ] {
        app.inbox.clear();
        app.inbox.set_behavior(behavior);
        pay(&app).await;
        app.drain().await;
        assert!(app.inbox.messages().is_empty());
        app.inbox.set_behavior(Behavior::Accept);
        app.drain().await;
        assert!(app.inbox.messages().is_empty(), "not before its time");
        app.clock.advance(15);
        app.drain().await;
        assert_eq!(app.inbox.messages().len(), 1);
    }
    app.stop().await;
}

both!(a_mail_cut_off_after_its_data_comes_again_with_the_same_message_id);
async fn a_mail_cut_off_after_its_data_comes_again_with_the_same_message_id(kind: Kind) {
    let app = TestApp::start(kind).await;
    let _shop = Shop::open(&app).await;
    app.inbox.set_behavior(Behavior::DropAfterData);
    pay(&app).await;
    app.drain().await;
    app.inbox.set_behavior(Behavior::Accept);
    app.clock.advance(15);
    app.drain().await;
    let ids: Vec<_> = app
        .inbox
        .messages()
        .iter()
        .map(|mail| mail.header("message-id"))
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0].is_some());
    assert_eq!(ids[0], ids[1]);
    app.stop().await;
}

both!(a_hanging_mail_server_delays_mails_and_nothing_else);
async fn a_hanging_mail_server_delays_mails_and_nothing_else(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.mail.timeout_seconds = 2)
        .with_workers()
        .start(kind)
        .await;
    let shop = Shop::open(&app).await;
    app.inbox.set_behavior(Behavior::HangAtBanner);
    for _ in 0..6 {
        pay(&app).await;
    }
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let orders = shop.admin.get("/v1/admin/orders?limit=100").await.json();
        if orders["items"].as_array().unwrap().len() == 6 {
            break;
        }
        assert!(Instant::now() < until, "orders wait for mails");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let body = json!({ "key": "kwl_x", "kit": "feedback-widget" });
    app.anonymous()
        .post("/v1/licenses/validate", &body)
        .await
        .expect_status(200);
    app.anonymous().get("/readyz").await.expect_status(200);
    app.stop().await;
}

both!(two_workers_never_send_one_mail_twice);
async fn two_workers_never_send_one_mail_twice(kind: Kind) {
    let app = TestApp::start(kind).await;
    let _shop = Shop::open(&app).await;
    let second = app.second().await;
    for _ in 0..10 {
        pay(&app).await;
    }
    outbox::drain(&app.app, Lane::Payments).await.unwrap();
    let lane = Lane::Mail;
    let (one, two) = tokio::join!(
        outbox::drain(&app.app, lane),
        outbox::drain(&second.app, lane)
    );
    assert_eq!(one.unwrap() + two.unwrap(), 10);
    assert_eq!(app.inbox.messages().len(), 10);
    second.stop().await;
    app.stop().await;
}

both!(without_a_mail_server_mails_wait_however_long);
async fn without_a_mail_server_mails_wait_however_long(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.mail.smtp_url = None)
        .start(kind)
        .await;
    let _shop = Shop::open(&app).await;
    pay(&app).await;
    for _ in 0..20 {
        app.drain().await;
        app.clock.advance(86_400);
    }
    let rows = app
        .app
        .db
        .read_slow(|conn| outbox::list(conn, 10))
        .await
        .unwrap();
    let waiting = rows
        .iter()
        .find(|row| row.lane == Lane::Mail)
        .expect("the mail");
    assert_eq!(
        (waiting.attempts, waiting.done_at, waiting.dead_at),
        (0, None, None)
    );
    app.stop().await;
}

#[test]
fn a_mail_never_leaves_unencrypted_where_encryption_is_required() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::builder()
            .config(|config| {
                let plain = config.mail.smtp_url.take().expect("an address");
                let url = format!(
                    "{}?tls=required",
                    secrecy::ExposeSecret::expose_secret(&plain)
                );
                config.mail.smtp_url = Some(secrecy::SecretString::from(url));
            })
            .start(kind)
            .await;
        let _shop = Shop::open(&app).await;
        pay(&app).await;
        app.drain().await;
        assert!(app.inbox.connections() > 0, "nothing was tried");
        assert!(
            app.inbox.messages().is_empty(),
            "the server offers no STARTTLS"
        );
        app.stop().await;
    });
}

#[test]
fn a_hanging_mail_server_does_not_hold_up_a_shutdown() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::builder()
            .config(|config| config.mail.timeout_seconds = 60)
            .with_workers()
            .start(kind)
            .await;
        let _shop = Shop::open(&app).await;
        app.inbox.set_behavior(Behavior::HangAtBanner);
        for _ in 0..12 {
            pay(&app).await;
        }
        let until = Instant::now() + Duration::from_mins(1);
        while app.inbox.connections() == 0 {
            assert!(Instant::now() < until, "nobody mails");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let started = Instant::now();
        app.stop().await;
        // Far from the 180 s that three rounds of attempts would take.
        assert!(
            started.elapsed() < Duration::from_secs(45),
            "{:?}",
            started.elapsed()
        );
    });
}
