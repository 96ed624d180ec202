//! What is mailed, when, and how it reads.

use kitward::customers::model::Role;
use kitward::outbox::Lane;
use kitward_fakes::Behavior;
use kitward_tests::{BUYER, Kind, Shop, TestApp, both};
use serde_json::json;

use super::{
    QUIET, drain_at_once, hole, is, issue, join, link_of, mails_to, only_mail, open,
    pass_quiet_time, publish, publish_draft, refuse_for_good, tell, tell_again, told, widget,
};

both!(a_new_version_is_mailed_once_after_a_quiet_time_to_owners_and_members);
async fn a_new_version_is_mailed_once_after_a_quiet_time_to_owners_and_members(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    join(&app, "member@example.com", Role::Member).await;
    join(&app, "billing@example.com", Role::Billing).await;
    app.customer("stranger@example.com").await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    assert!(app.inbox.messages().is_empty(), "not before the quiet time");
    assert_eq!(told(&shop, &id).await["waiting"], 2);
    app.clock.advance(QUIET);
    let second = app.second().await;
    drain_at_once([&app, &second], Lane::Notices).await;
    app.drain().await;
    for address in [BUYER, "member@example.com"] {
        let mail = only_mail(&app, address);
        assert_eq!(mail.subject(), "Feedback Widget Kit 1.1.0 is out");
        assert!(mail.text().contains("Better.") && mail.html().contains("Better."));
        assert!(mail.text().contains("/updates"));
        let link = link_of(&mail);
        assert!(link.contains("/unsubscribe/v-"), "{link}");
        assert!(mail.text().contains(&link));
        let click = mail.header("list-unsubscribe-post").unwrap();
        assert_eq!(click, "List-Unsubscribe=One-Click");
        assert_eq!(mail.header("auto-submitted").unwrap(), "auto-generated");
    }
    assert_eq!(
        app.inbox.messages().len(),
        2,
        "billing and strangers hear nothing"
    );
    is(
        &told(&shop, &id).await,
        &json!({ "state": "walked", "sent": 2 }),
    );
    // Nothing comes again: neither by publishing once more nor by telling once more.
    publish_draft(&shop, &id, "").await;
    tell_again(&app, &shop, &id).await;
    pass_quiet_time(&app).await;
    assert_eq!(app.inbox.messages().len(), 2);
    second.stop().await;
    app.stop().await;
}

both!(a_mail_cut_off_comes_again_as_the_same_mail_and_counts_once);
async fn a_mail_cut_off_comes_again_as_the_same_mail_and_counts_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = hole(&shop, "1.1.0").await;
    app.inbox.set_behavior(Behavior::DropAfterData);
    app.drain().await;
    assert_eq!(told(&shop, &id).await["waiting"], 1);
    app.inbox.set_behavior(Behavior::Accept);
    app.clock.advance(15);
    app.drain().await;
    let mails = mails_to(&app, BUYER);
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].header("message-id"), mails[1].header("message-id"));
    assert_eq!(told(&shop, &id).await["sent"], 1);
    app.stop().await;
}

both!(a_mail_that_is_given_up_is_counted_as_failed);
async fn a_mail_that_is_given_up_is_counted_as_failed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = hole(&shop, "1.1.0").await;
    refuse_for_good(&app).await;
    assert_eq!(told(&shop, &id).await["failed"], 1);
    app.stop().await;
}

both!(versions_that_come_out_together_share_a_mail);
async fn versions_that_come_out_together_share_a_mail(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let both = json!({ "name": "both", "kits": ["feedback-widget", "rate-limiter"] });
    let policy = Shop::policy(&shop.admin, "both", &both).await;
    issue(&shop, &policy, BUYER).await;
    widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(10 * 60);
    widget(&shop, "1.2.0").await;
    publish(&shop, "rate-limiter", "2.0.0", &json!({})).await;
    app.drain().await;
    app.clock.advance(6 * 60);
    app.drain().await;
    let mail = only_mail(&app, BUYER);
    assert_eq!(mail.subject(), "3 new versions from Example Kits");
    let text = mail.text();
    let at = |word: &str| {
        text.find(word)
            .unwrap_or_else(|| panic!("{word} in {text}"))
    };
    assert!(at("1.2.0") < at("1.1.0") && at("2.0.0") > 0);
    // One click stops what all of it was: mails about new versions.
    let anyone = app.anonymous();
    anyone.form(&link_of(&mail), &[]).await.expect_status(200);
    let third = publish(&shop, "rate-limiter", "2.1.0", &json!({})).await;
    app.drain().await;
    assert_eq!(told(&shop, &third).await["skipped"], 1);
    app.stop().await;
}

both!(an_advisory_leaves_at_once_also_to_those_who_must_renew_first);
async fn an_advisory_leaves_at_once_also_to_those_who_must_renew_first(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let first = hole(&shop, "1.1.0").await;
    app.drain().await;
    let mails = mails_to(&app, BUYER);
    assert_eq!(
        mails[0].subject(),
        "Security update: Feedback Widget Kit 1.1.0"
    );
    assert!(
        mails[0].text().contains("Your license covers it"),
        "{}",
        mails[0].text()
    );
    assert_eq!(told(&shop, &first).await["kind"], "advisory");
    // Years later nothing newer is covered, and the way out is told; of new versions nothing is.
    app.clock.advance(3 * 366 * 86_400);
    let critical = json!({ "severity": "critical" });
    publish(&shop, "feedback-widget", "9.0.0", &critical).await;
    let normal = widget(&shop, "9.1.0").await;
    tell(&app).await;
    let mails = mails_to(&app, BUYER);
    assert_eq!(mails.len(), 2);
    assert_eq!(
        mails[1].subject(),
        "Critical update: Feedback Widget Kit 9.0.0"
    );
    let text = mails[1].text();
    assert!(text.contains("updates of your license ended"), "{text}");
    assert!(
        text.contains(&format!("{}/licenses/lic_", app.origin())),
        "{text}"
    );
    assert_eq!(told(&shop, &normal).await["waiting"], 0);
    app.stop().await;
}

both!(hostile_names_and_notes_stay_text_in_mails);
async fn hostile_names_and_notes_stay_text_in_mails(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, buyer) = open(&app).await;
    let name = "<img src=x>=?utf-8?q?=0D=0ABcc:_x?= Kit";
    let edit = json!({ "name": name });
    let edited = shop
        .admin
        .patch("/v1/admin/kits/feedback-widget", &edit)
        .await;
    edited.expect_status(200);
    let notes = "<script>alert(1)</script>\r\nBcc: someone@example.com\r\n.\r\nMAIL FROM:<x>";
    let more = json!({ "severity": "security", "notes": notes });
    publish(&shop, "feedback-widget", "1.1.0", &more).await;
    app.drain().await;
    let mails = app.inbox.messages();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!(mail.to, [BUYER]);
    assert_eq!(mail.header("bcc"), None);
    assert!(!mail.subject().contains(['\r', '\n']), "{}", mail.subject());
    let html = mail.html();
    assert!(
        !html.contains("<script") && !html.contains("<img"),
        "{html}"
    );
    assert!(mail.text().contains("MAIL FROM"));
    let page = buyer.get("/updates").await.expect_status(200).text();
    assert!(
        !page.contains("<script>") && !page.contains("<img"),
        "{page}"
    );
    app.stop().await;
}
