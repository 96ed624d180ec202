//! Buyers who never signed in: told of security releases, where their keys were mailed to.

use futures_util::future::join_all;
use kitward::outbox::{self, Lane};
use kitward_tests::{BUYER, Kind, Shop, TestApp, both};
use serde_json::{Value, json};

use super::{QUIET, mails_to, publish, security, told, widget};

/// A shop, and somebody who bought there and never signed in.
async fn bought(app: &TestApp) -> Shop {
    let shop = Shop::open(app).await;
    shop.buy(app).await;
    app.inbox.clear();
    shop
}

async fn hole(shop: &Shop, version: &str) -> String {
    publish(shop, "feedback-widget", version, &security(), "").await
}

async fn tell_again(app: &TestApp, shop: &Shop, release: &str) {
    let again = format!("/v1/admin/releases/{release}/notices");
    shop.admin.post(&again, &json!({})).await.expect_status(200);
    app.drain().await;
}

fn is(state: &Value, expected: &[(&str, i64)]) {
    for (member, count) in expected {
        assert_eq!(state[member], *count, "{member} of {state}");
    }
}

both!(a_buyer_who_never_signed_in_hears_of_security_releases_alone_and_once);
async fn a_buyer_who_never_signed_in_hears_of_security_releases_alone_and_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let new = widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert!(app.inbox.messages().is_empty(), "nobody asked for news");
    let id = hole(&shop, "1.1.1").await;
    let preview = format!("/v1/admin/releases/{id}/notices/preview");
    let preview = shop.admin.get(&preview).await.expect_status(200);
    assert_eq!(preview.json()["people"], 1);
    app.drain().await;
    let mails = mails_to(&app, BUYER);
    assert_eq!(mails.len(), 1);
    assert_eq!(
        mails[0].subject(),
        "Security update: Feedback Widget Kit 1.1.1"
    );
    let link = mails[0].header("list-unsubscribe").unwrap();
    assert!(link.contains("/unsubscribe/b-"), "{link}");
    is(&told(&shop, &id).await, &[("sent", 1), ("waiting", 0)]);
    tell_again(&app, &shop, &id).await;
    // The same person signs in by now, and has heard of it; of what comes next as everybody else.
    app.customer(BUYER).await;
    app.inbox.clear();
    tell_again(&app, &shop, &id).await;
    assert!(app.inbox.messages().is_empty());
    hole(&shop, "1.1.2").await;
    app.drain().await;
    let mails = mails_to(&app, BUYER);
    assert_eq!(mails.len(), 1);
    let link = mails[0].header("list-unsubscribe").unwrap();
    assert!(link.contains("/unsubscribe/a-"), "{link}");
    // What turns out to close a hole reaches who heard nothing of it.
    let patch = format!("/v1/admin/releases/{new}");
    let severity = json!({ "severity": "security" });
    let edited = shop.admin.patch(&patch, &severity).await;
    edited.expect_status(200);
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
    let link = mails_to(&app, BUYER)[0].header("list-unsubscribe").unwrap();
    let link = link.trim_matches(['<', '>']).to_owned();
    let anyone = app.anonymous();
    anyone.get(&link).await.expect_status(200);
    let looked = hole(&shop, "1.1.1").await;
    app.drain().await;
    is(&told(&shop, &looked).await, &[("sent", 1)]);
    // The link of one buyer says nothing for another.
    let other = json!({ "policy": "personal", "email": "other@example.com" });
    let issued = shop.admin.post("/v1/admin/licenses", &other).await;
    issued.expect_status(201);
    for _ in 0..2 {
        let one_click = [("List-Unsubscribe", "One-Click")];
        anyone.form(&link, &one_click).await.expect_status(200);
    }
    let off = hole(&shop, "1.1.2").await;
    app.drain().await;
    is(&told(&shop, &off).await, &[("sent", 1), ("skipped", 1)]);
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
    outbox::drain(&app.app, Lane::Jobs).await.unwrap();
    is(&told(&shop, &id).await, &[("waiting", 1)]);
    app.customer(BUYER).await;
    app.inbox.clear();
    app.drain().await;
    // The buyer is told nothing, and the person without anybody's doing.
    let mails = mails_to(&app, BUYER);
    assert_eq!(mails.len(), 1);
    let link = mails[0].header("list-unsubscribe").unwrap();
    assert!(link.contains("/unsubscribe/a-"), "{link}");
    let counts = [("skipped", 1), ("sent", 1), ("waiting", 0)];
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
    let link = mails_to(&app, BUYER)[0].header("list-unsubscribe").unwrap();
    let link = link.trim_matches(['<', '>']).to_owned();
    let anyone = app.anonymous();
    anyone.form(&link, &[]).await.expect_status(200);
    let buyer = app.customer(BUYER).await;
    let off = hole(&shop, "1.1.1").await;
    app.drain().await;
    is(&told(&shop, &off).await, &[("skipped", 1), ("sent", 0)]);
    let on = "/notices/feedback-widget/advisory/on";
    buyer.form(on, &[]).await.expect_status(303);
    let heard = hole(&shop, "1.1.2").await;
    app.drain().await;
    is(&told(&shop, &heard).await, &[("skipped", 0), ("sent", 1)]);
    // The link of before still does what it says.
    anyone.form(&link, &[]).await.expect_status(200);
    let off = hole(&shop, "1.1.3").await;
    app.drain().await;
    is(&told(&shop, &off).await, &[("skipped", 1), ("sent", 0)]);
    app.stop().await;
}

both!(what_is_called_off_and_begun_again_reaches_a_buyer_once);
async fn what_is_called_off_and_begun_again_reaches_a_buyer_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let id = hole(&shop, "1.1.0").await;
    outbox::drain(&app.app, Lane::Jobs).await.unwrap();
    let notices = format!("/v1/admin/releases/{id}/notices");
    let delete = shop.admin.request(reqwest::Method::DELETE, &notices);
    shop.admin.send(delete).await.expect_status(200);
    // Two jobs are due at the same time now.
    tell_again(&app, &shop, &id).await;
    assert_eq!(mails_to(&app, BUYER).len(), 1);
    let counts = [("sent", 1), ("skipped", 0), ("waiting", 0)];
    is(&told(&shop, &id).await, &counts);
    app.stop().await;
}

both!(who_has_no_right_left_and_what_was_called_off_is_not_told_to_buyers);
async fn who_has_no_right_left_and_what_was_called_off_is_not_told_to_buyers(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = bought(&app).await;
    let id = hole(&shop, "1.1.0").await;
    outbox::drain(&app.app, Lane::Jobs).await.unwrap();
    let notices = format!("/v1/admin/releases/{id}/notices");
    let delete = shop.admin.request(reqwest::Method::DELETE, &notices);
    shop.admin.send(delete).await.expect_status(200);
    app.drain().await;
    is(&told(&shop, &id).await, &[("skipped", 1), ("waiting", 0)]);
    let licenses = shop.admin.get("/v1/admin/licenses").await.json();
    let license = licenses["items"][0]["id"].as_str().unwrap();
    let revoke = json!({ "reason": "abuse", "note": "Shared." });
    let path = format!("/v1/admin/licenses/{license}/revoke");
    shop.admin.post(&path, &revoke).await.expect_status(200);
    let second = hole(&shop, "1.1.1").await;
    app.drain().await;
    is(&told(&shop, &second).await, &[("sent", 0), ("skipped", 0)]);
    assert!(app.inbox.messages().is_empty());
    app.stop().await;
}

both!(many_buyers_are_told_once_each_by_two_processes);
async fn many_buyers_are_told_once_each_by_two_processes(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| {
            config.mail.notices_per_minute = 0;
            config.limits.token_requests_per_minute = 0;
        })
        .start(kind)
        .await;
    let shop = bought(&app).await;
    for number in 0..120 {
        let email = format!("buyer{number}@example.com");
        let issue = json!({ "policy": "personal", "email": email });
        let issued = shop.admin.post("/v1/admin/licenses", &issue).await;
        issued.expect_status(201);
    }
    app.customer("buyer7@example.com").await;
    app.drain().await;
    app.inbox.clear();
    let second = app.second().await;
    let id = hole(&shop, "1.1.0").await;
    for lane in [Lane::Jobs, Lane::Advisories] {
        let drains = [&app, &second].map(|one| outbox::drain(&one.app, lane));
        for drained in join_all(drains).await {
            drained.unwrap();
        }
    }
    app.drain().await;
    let mails = app.inbox.messages();
    let mut to: Vec<String> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    to.sort();
    to.dedup();
    assert_eq!((mails.len(), to.len()), (121, 121));
    is(&told(&shop, &id).await, &[("sent", 121)]);
    second.stop().await;
    app.stop().await;
}
