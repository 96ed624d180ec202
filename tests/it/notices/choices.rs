//! What people choose to hear: each kit and kind, in the portal and by the links in mails.

use kitward::customers::model::Role;
use kitward::notices::model::{Hearer, NoticeKind};
use kitward::notices::unsubscribe::address;
use kitward::people::model::PersonId;
use kitward::people::store::person_of_address;
use kitward_tests::{BUYER, Kind, TestApp, both};
use reqwest::Method;
use serde_json::json;

use super::{
    choose, hole, is, join, link_of, mails_to, one_click, open, pass_quiet_time, tell, told, widget,
};

async fn person(app: &TestApp, address: &'static str) -> PersonId {
    let found = app
        .app
        .db
        .read_slow(move |conn| person_of_address(conn, address));
    found.await.unwrap().expect("a person")
}

both!(a_persons_choices_are_kept_for_each_kit_and_kind);
async fn a_persons_choices_are_kept_for_each_kit_and_kind(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, buyer) = open(&app).await;
    widget(&shop, "1.0.0").await;
    let page = buyer.get("/updates").await.expect_status(200).text();
    assert!(
        page.contains("Feedback Widget Kit") && page.contains("1.0.0"),
        "{page}"
    );
    assert!(
        page.contains("Better.") && page.contains("mailed at once"),
        "{page}"
    );
    pass_quiet_time(&app).await;
    pass_quiet_time(&app).await;
    app.inbox.clear();
    let back = choose(&buyer, "feedback-widget/new_version/off").await;
    let page = buyer
        .get(back.header("location"))
        .await
        .expect_status(200)
        .text();
    assert!(
        page.contains("are not sent any more") && page.contains("Undo"),
        "{page}"
    );
    let skipped = widget(&shop, "1.1.0").await;
    hole(&shop, "1.1.1").await;
    tell(&app).await;
    assert_eq!(told(&shop, &skipped).await["skipped"], 1);
    assert_eq!(
        app.inbox.messages().len(),
        1,
        "security releases are mailed all the same"
    );
    choose(&buyer, "feedback-widget/new_version/on").await;
    choose(&buyer, "new_version/off").await;
    choose(&buyer, "feedback-widget/advisory/off").await;
    let page = buyer.get("/updates").await.text();
    assert!(
        page.contains("Nobody tells you of holes in this kit"),
        "{page}"
    );
    let id = widget(&shop, "1.2.0").await;
    app.drain().await;
    assert_eq!(told(&shop, &id).await["skipped"], 1);
    let id = hole(&shop, "1.2.1").await;
    app.drain().await;
    assert_eq!(told(&shop, &id).await["skipped"], 1);
    assert_eq!(app.inbox.messages().len(), 1);
    choose(&buyer, "new_version/on").await;
    let id = widget(&shop, "1.3.0").await;
    app.drain().await;
    assert_eq!(told(&shop, &id).await["waiting"], 1);
    app.stop().await;
}

both!(choices_are_for_kits_of_ones_own_and_from_our_pages_only);
async fn choices_are_for_kits_of_ones_own_and_from_our_pages_only(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (_shop, buyer) = open(&app).await;
    for path in [
        "/notices/rate-limiter/new_version/off",
        "/notices/nothing/new_version/off",
        "/notices/feedback-widget/nothing/off",
        "/notices/feedback-widget/new_version/perhaps",
        "/notices/advisory/off",
    ] {
        buyer.form(path, &[]).await.expect_status(404);
    }
    let path = "/notices/feedback-widget/advisory/off";
    let elsewhere = buyer.clone().with("sec-fetch-site", "cross-site");
    elsewhere.form(path, &[]).await.expect_status(403);
    app.anonymous()
        .browser()
        .get("/updates")
        .await
        .expect_status(303);
    let page = buyer.get("/updates").await.text();
    assert!(!page.contains("Nobody tells you"));
    for odd in [
        "?done=off",
        "?done=x&kind=y&kit=z",
        "?done=off&kind=advisory&kit=<b>",
    ] {
        let page = buyer
            .get(&format!("/updates{odd}"))
            .await
            .expect_status(200);
        assert!(!page.text().contains("class=\"flash"), "{odd}");
    }
    app.stop().await;
}

both!(one_click_switches_off_whoever_presses_it_and_looking_does_not);
async fn one_click_switches_off_whoever_presses_it_and_looking_does_not(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    join(&app, "member@example.com", Role::Member).await;
    hole(&shop, "1.1.0").await;
    app.drain().await;
    let link = link_of(&mails_to(&app, BUYER)[0]);
    app.inbox.clear();
    // A scanner looks, months later still.
    app.clock.advance(300 * 86_400);
    for method in [Method::HEAD, Method::GET] {
        let anyone = app.anonymous();
        let reply = anyone
            .send(anyone.request(method, &link))
            .await
            .expect_status(200);
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let id = hole(&shop, "1.1.1").await;
    app.drain().await;
    let state = told(&shop, &id).await;
    assert_eq!(state["sent"], 2, "looking changes nothing: {state}");
    // A mail program posts from elsewhere, without any cookie.
    let program = app.anonymous().with("sec-fetch-site", "cross-site");
    let done = one_click(&program, &link).await;
    assert_eq!(done.header("set-cookie"), "", "it signs nobody in");
    one_click(&program, &link).await;
    let id = hole(&shop, "1.1.2").await;
    app.drain().await;
    is(&told(&shop, &id).await, &json!({ "skipped": 1, "sent": 1 }));
    // Other kinds of mails go on.
    let new = widget(&shop, "1.2.0").await;
    app.drain().await;
    assert_eq!(told(&shop, &new).await["waiting"], 2);
    app.stop().await;
}

both!(a_link_that_nobody_made_is_answered_alike_and_does_nothing);
async fn a_link_that_nobody_made_is_answered_alike_and_does_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    join(&app, "member@example.com", Role::Member).await;
    let (buyer, member) = (
        person(&app, BUYER).await,
        person(&app, "member@example.com").await,
    );
    let kind = NoticeKind::NewVersion;
    let of = |person: &PersonId| Hearer::Person(person.clone());
    let own = address(&app.app, &of(&buyer), None, kind);
    let own = own.rsplit('/').next().unwrap();
    let bare = |id: &PersonId| id.as_str()[4..].to_owned();
    // The member's id behind the check of the buyer's link.
    let swapped = own.replace(&bare(&buyer), &bare(&member));
    let stranger = PersonId::new(app.app.clock.now(), app.app.entropy.as_ref());
    let gone = address(&app.app, &of(&stranger), None, kind);
    let gone = gone.rsplit('/').next().unwrap();
    let mut cut = own.to_owned();
    cut.pop();
    let long = "x".repeat(2_000);
    let plain = |text: String, token: &str| text.replace(token, "TOKEN");
    let anyone = app.anonymous();
    let real = anyone
        .get(&format!("/unsubscribe/{own}"))
        .await
        .expect_status(200);
    let real = plain(real.text(), own);
    for token in [swapped.as_str(), gone, &cut, "nothing", "v-all-all", &long] {
        let path = format!("/unsubscribe/{token}");
        let seen = anyone.get(&path).await.expect_status(200);
        assert_eq!(plain(seen.text(), token), real);
        anyone.form(&path, &[]).await.expect_status(200);
    }
    anyone.get("/unsubscribe").await.expect_status(404);
    anyone.get("/unsubscribe/a/b").await.expect_status(404);
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    assert_eq!(
        told(&shop, &id).await["waiting"],
        2,
        "nobody's mails were stopped"
    );
    app.stop().await;
}
