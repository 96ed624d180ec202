//! Buyers who never signed in: told of security releases, where their keys were mailed to.

use kitward::customers::store::stub_for;
use kitward::db::Shard;
use kitward::notices::buyers::gave_up;
use kitward::notices::store::buyer_heard;
use kitward::outbox::{Lane, OutboxId};
use kitward::releases::model::ReleaseId;
use kitward_tests::{BUYER, Kind, TestApp, both};
use serde_json::json;

use super::{
    bought, call_off, choose, drain_at_once, drain_lane, hole, is, issue, link_of,
    mails_and_addresses, mails_to, one_click, only_mail, preview, revoke, set_severity, tell,
    tell_again, told, widget,
};

both!(a_buyer_who_never_signed_in_hears_of_security_releases_alone_and_once);
async fn a_buyer_who_never_signed_in_hears_of_security_releases_alone_and_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let new = widget(&shop, "1.1.0").await;
    tell(&app).await;
    assert!(app.inbox.messages().is_empty(), "nobody asked for news");
    let id = hole(&shop, "1.1.1").await;
    assert_eq!(preview(&shop, &id).await["people"], 1);
    app.drain().await;
    let mail = only_mail(&app, BUYER);
    assert_eq!(mail.subject(), "Security update: Feedback Widget Kit 1.1.1");
    let link = link_of(&mail);
    assert!(link.contains("/unsubscribe/b-"), "{link}");
    is(&told(&shop, &id).await, &json!({ "sent": 1, "waiting": 0 }));
    tell_again(&app, &shop, &id).await;
    // The same person signs in by now, and has heard of it; of what comes next as everybody else.
    app.customer(BUYER).await;
    app.inbox.clear();
    tell_again(&app, &shop, &id).await;
    assert!(app.inbox.messages().is_empty());
    hole(&shop, "1.1.2").await;
    app.drain().await;
    let link = link_of(&only_mail(&app, BUYER));
    assert!(link.contains("/unsubscribe/a-"), "{link}");
    // What turns out to close a hole reaches who heard nothing of it.
    set_severity(&shop, &new, "security").await;
    app.drain().await;
    assert_eq!(mails_to(&app, BUYER).len(), 2);
    app.stop().await;
}

both!(a_buyer_stops_advisories_by_one_click);
async fn a_buyer_stops_advisories_by_one_click(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    hole(&shop, "1.1.0").await;
    app.drain().await;
    let link = link_of(&mails_to(&app, BUYER)[0]);
    let anyone = app.anonymous();
    anyone.get(&link).await.expect_status(200);
    let looked = hole(&shop, "1.1.1").await;
    app.drain().await;
    is(&told(&shop, &looked).await, &json!({ "sent": 1 }));
    // The link of one buyer says nothing for another.
    issue(&shop, "personal", "other@example.com").await;
    for _ in 0..2 {
        one_click(&anyone, &link).await;
    }
    let off = hole(&shop, "1.1.2").await;
    app.drain().await;
    is(
        &told(&shop, &off).await,
        &json!({ "sent": 1, "skipped": 1 }),
    );
    assert_eq!(mails_to(&app, "other@example.com").len(), 1);
    let mut cut = link.clone();
    cut.pop();
    anyone.form(&cut, &[]).await.expect_status(200);
    app.stop().await;
}

both!(a_buyer_who_signs_in_meanwhile_hears_as_a_person);
async fn a_buyer_who_signs_in_meanwhile_hears_as_a_person(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let id = hole(&shop, "1.1.0").await;
    drain_lane(&app, Lane::Jobs).await;
    is(&told(&shop, &id).await, &json!({ "waiting": 1 }));
    app.customer(BUYER).await;
    app.inbox.clear();
    app.drain().await;
    // The buyer is told nothing, and the person without anybody's doing.
    let link = link_of(&only_mail(&app, BUYER));
    assert!(link.contains("/unsubscribe/a-"), "{link}");
    let counts = json!({ "skipped": 1, "sent": 1, "waiting": 0 });
    is(&told(&shop, &id).await, &counts);
    tell_again(&app, &shop, &id).await;
    assert_eq!(mails_to(&app, BUYER).len(), 1);
    app.stop().await;
}

both!(what_a_buyer_switched_off_stays_off_after_the_first_sign_in);
async fn what_a_buyer_switched_off_stays_off_after_the_first_sign_in(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    hole(&shop, "1.1.0").await;
    app.drain().await;
    let link = link_of(&mails_to(&app, BUYER)[0]);
    let anyone = app.anonymous();
    anyone.form(&link, &[]).await.expect_status(200);
    let buyer = app.customer(BUYER).await;
    let off = hole(&shop, "1.1.1").await;
    app.drain().await;
    is(
        &told(&shop, &off).await,
        &json!({ "skipped": 1, "sent": 0 }),
    );
    choose(&buyer, "feedback-widget/advisory/on").await;
    let heard = hole(&shop, "1.1.2").await;
    app.drain().await;
    is(
        &told(&shop, &heard).await,
        &json!({ "skipped": 0, "sent": 1 }),
    );
    // The link of before still does what it says.
    anyone.form(&link, &[]).await.expect_status(200);
    let off = hole(&shop, "1.1.3").await;
    app.drain().await;
    is(
        &told(&shop, &off).await,
        &json!({ "skipped": 1, "sent": 0 }),
    );
    app.stop().await;
}

both!(what_is_called_off_and_begun_again_reaches_a_buyer_once);
async fn what_is_called_off_and_begun_again_reaches_a_buyer_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let id = hole(&shop, "1.1.0").await;
    drain_lane(&app, Lane::Jobs).await;
    call_off(&shop, &id).await;
    // Two jobs are due at the same time now.
    tell_again(&app, &shop, &id).await;
    assert_eq!(mails_to(&app, BUYER).len(), 1);
    let counts = json!({ "sent": 1, "skipped": 0, "waiting": 0 });
    is(&told(&shop, &id).await, &counts);
    app.stop().await;
}

both!(a_job_that_is_given_up_leaves_to_another_one_what_that_one_says);
async fn a_job_that_is_given_up_leaves_to_another_one_what_that_one_says(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let id = hole(&shop, "1.1.0").await;
    drain_lane(&app, Lane::Jobs).await;
    let called_off = OutboxId::new(app.app.clock.now(), app.app.entropy.as_ref());
    let release = ReleaseId::parse(&id).unwrap();
    let stub = app.app.db.read_slow(|conn| stub_for(conn, BUYER)).await;
    let buyer = stub.unwrap().expect("a customer");
    let gave_up = gave_up(&app.app, &called_off, &release, &buyer).await;
    gave_up.unwrap();
    is(
        &told(&shop, &id).await,
        &json!({ "waiting": 1, "failed": 0 }),
    );
    app.drain().await;
    only_mail(&app, BUYER);
    is(&told(&shop, &id).await, &json!({ "sent": 1, "failed": 0 }));
    app.stop().await;
}

both!(what_is_called_off_while_its_mail_leaves_has_been_heard_by_a_buyer);
async fn what_is_called_off_while_its_mail_leaves_has_been_heard_by_a_buyer(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let id = hole(&shop, "1.1.0").await;
    drain_lane(&app, Lane::Jobs).await;
    call_off(&shop, &id).await;
    let (release, now) = (ReleaseId::parse(&id).unwrap(), app.app.clock.now());
    let left = app.app.db.write(Shard::Wide, move |tx| {
        let buyer = stub_for(tx.conn(), BUYER)?.expect("a customer");
        buyer_heard(tx, (&release, &buyer), now)
    });
    left.await.unwrap();
    is(&told(&shop, &id).await, &json!({ "sent": 1, "skipped": 0 }));
    tell_again(&app, &shop, &id).await;
    assert!(app.inbox.messages().is_empty());
    app.stop().await;
}

both!(who_has_no_right_left_and_what_was_called_off_is_not_told_to_buyers);
async fn who_has_no_right_left_and_what_was_called_off_is_not_told_to_buyers(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let id = hole(&shop, "1.1.0").await;
    drain_lane(&app, Lane::Jobs).await;
    call_off(&shop, &id).await;
    app.drain().await;
    is(
        &told(&shop, &id).await,
        &json!({ "skipped": 1, "waiting": 0 }),
    );
    revoke(&shop).await;
    let second = hole(&shop, "1.1.1").await;
    app.drain().await;
    is(
        &told(&shop, &second).await,
        &json!({ "sent": 0, "skipped": 0 }),
    );
    assert!(app.inbox.messages().is_empty());
    app.stop().await;
}

both!(many_buyers_are_told_once_each_by_two_processes);
async fn many_buyers_are_told_once_each_by_two_processes(kind: Kind) {
    let app = TestApp::builder()
        .without_request_limits()
        .config(|config| config.mail.notices_per_minute = 0)
        .start(kind)
        .await;
    let shop = bought(&app).await;
    for number in 0..120 {
        let email = format!("buyer{number}@example.com");
        issue(&shop, "personal", &email).await;
    }
    app.customer("buyer7@example.com").await;
    app.drain().await;
    app.inbox.clear();
    let second = app.second().await;
    let id = hole(&shop, "1.1.0").await;
    for lane in [Lane::Jobs, Lane::Advisories] {
        for drained in drain_at_once([&app, &second], lane).await {
            drained.unwrap();
        }
    }
    app.drain().await;
    assert_eq!(mails_and_addresses(&app), (121, 121));
    is(&told(&shop, &id).await, &json!({ "sent": 121 }));
    second.stop().await;
    app.stop().await;
}
