//! What becomes of notices when something about a release, or a mail, turns out otherwise.

use futures_util::future::join_all;
use kitward::outbox::{self, Lane, OutboxRow};
use kitward_fakes::Behavior;
use kitward_tests::{BUYER, Kind, Shop, TestApp, both};
use serde_json::{Value, json};

use super::{QUIET, draft, mails_to, open, publish, security, sql, told, widget};

async fn set_severity(shop: &Shop, release: &str, severity: &str) {
    let path = format!("/v1/admin/releases/{release}");
    let edit = json!({ "severity": severity });
    shop.admin.patch(&path, &edit).await.expect_status(200);
}

fn subjects(app: &TestApp) -> Vec<String> {
    let mails = mails_to(app, BUYER);
    mails.iter().map(kitward_fakes::Mail::subject).collect()
}

both!(a_version_that_turns_out_to_close_a_hole_is_announced_as_that_once);
async fn a_version_that_turns_out_to_close_a_hole_is_announced_as_that_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(subjects(&app), ["Feedback Widget Kit 1.1.0 is out"]);
    set_severity(&shop, &id, "security").await;
    let second = app.second().await;
    let lanes = [&app, &second].map(|one| outbox::drain(&one.app, Lane::Jobs));
    join_all(lanes).await;
    app.drain().await;
    let both = [
        "Feedback Widget Kit 1.1.0 is out",
        "Security update: Feedback Widget Kit 1.1.0",
    ];
    assert_eq!(subjects(&app), both);
    let state = told(&shop, &id).await;
    assert_eq!(
        (&state["kind"], &state["sent"]),
        (&json!("advisory"), &json!(1))
    );
    // Worse still, or not so bad after all: everybody has heard of it.
    for severity in ["critical", "normal", "security"] {
        set_severity(&shop, &id, severity).await;
        app.drain().await;
        app.clock.advance(QUIET);
        app.drain().await;
        assert_eq!(subjects(&app), both, "{severity}");
    }
    second.stop().await;
    app.stop().await;
}

both!(a_mail_that_waits_becomes_what_the_release_turned_out_to_be);
async fn a_mail_that_waits_becomes_what_the_release_turned_out_to_be(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let worse = widget(&shop, "1.1.0").await;
    app.drain().await;
    set_severity(&shop, &worse, "critical").await;
    app.drain().await;
    assert_eq!(
        subjects(&app),
        ["Critical update: Feedback Widget Kit 1.1.0"]
    );
    let better = publish(&shop, "feedback-widget", "1.2.0", &security(), "").await;
    outbox::drain(&app.app, Lane::Jobs).await.unwrap();
    set_severity(&shop, &better, "normal").await;
    app.drain().await;
    assert_eq!(subjects(&app).len(), 1, "it waits as new versions do");
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(
        subjects(&app),
        [
            "Critical update: Feedback Widget Kit 1.1.0",
            "Feedback Widget Kit 1.2.0 is out"
        ]
    );
    for id in [&worse, &better] {
        let state = told(&shop, id).await;
        assert_eq!(
            (&state["sent"], &state["waiting"]),
            (&json!(1), &json!(0)),
            "{state}"
        );
    }
    app.stop().await;
}

both!(a_mail_that_leaves_meanwhile_settles_nothing_of_another);
async fn a_mail_that_leaves_meanwhile_settles_nothing_of_another(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    // The mail about the new version is due, and the release is an advisory whose walk has not begun.
    app.clock.advance(QUIET);
    set_severity(&shop, &id, "security").await;
    outbox::drain(&app.app, Lane::Notices).await.unwrap();
    assert!(subjects(&app).is_empty(), "no mail calls it a new version");
    assert_eq!(told(&shop, &id).await["waiting"], 0);
    app.drain().await;
    let only = ["Security update: Feedback Widget Kit 1.1.0"];
    assert_eq!(subjects(&app), only);
    assert_eq!(told(&shop, &id).await["sent"], 1);
    app.stop().await;
}

both!(a_severity_that_turns_back_before_its_walk_leaves_nobody_out);
async fn a_severity_that_turns_back_before_its_walk_leaves_nobody_out(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(QUIET);
    set_severity(&shop, &id, "security").await;
    outbox::drain(&app.app, Lane::Notices).await.unwrap();
    set_severity(&shop, &id, "normal").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(subjects(&app), ["Feedback Widget Kit 1.1.0 is out"]);
    let state = told(&shop, &id).await;
    assert_eq!((&state["sent"], &state["waiting"]), (&json!(1), &json!(0)));
    app.stop().await;
}

both!(who_wants_no_advisories_hears_once_of_what_was_one_for_a_while);
async fn who_wants_no_advisories_hears_once_of_what_was_one_for_a_while(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, buyer) = open(&app).await;
    let off = "/notices/feedback-widget/advisory/off";
    buyer.form(off, &[]).await.expect_status(303);
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    for severity in ["security", "normal"] {
        set_severity(&shop, &id, severity).await;
        app.drain().await;
        app.clock.advance(QUIET);
        app.drain().await;
        assert_eq!(subjects(&app), ["Feedback Widget Kit 1.1.0 is out"]);
        let state = told(&shop, &id).await;
        assert_eq!((&state["sent"], &state["skipped"]), (&json!(1), &json!(0)));
    }
    app.stop().await;
}

both!(what_a_program_of_before_told_is_told_anew_as_what_it_turned_out_to_be);
async fn what_a_program_of_before_told_is_told_anew_as_what_it_turned_out_to_be(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    // It did not write what it told.
    let unsaid = format!("UPDATE notices SET kind = NULL WHERE release_id = '{id}'");
    sql(&app, unsaid).await;
    set_severity(&shop, &id, "security").await;
    app.drain().await;
    let both = [
        "Feedback Widget Kit 1.1.0 is out",
        "Security update: Feedback Widget Kit 1.1.0",
    ];
    assert_eq!(subjects(&app), both);
    app.stop().await;
}

both!(who_was_not_reached_is_told_when_the_vendor_tells_once_more);
async fn who_was_not_reached_is_told_when_the_vendor_tells_once_more(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = publish(&shop, "feedback-widget", "1.1.0", &security(), "").await;
    app.inbox.set_behavior(Behavior::RefuseRecipient(550));
    for _ in 0..14 {
        app.drain().await;
        app.clock.advance(86_400);
    }
    assert_eq!(told(&shop, &id).await["failed"], 1);
    app.inbox.set_behavior(Behavior::Accept);
    let again = format!("/v1/admin/releases/{id}/notices");
    shop.admin.post(&again, &json!({})).await.expect_status(200);
    app.drain().await;
    assert_eq!(subjects(&app).len(), 1);
    let state = told(&shop, &id).await;
    assert_eq!((&state["failed"], &state["sent"]), (&json!(0), &json!(1)));
    app.stop().await;
}

/// Jobs that tell people of releases: all that ever were, and those to come.
async fn walks(app: &TestApp) -> (usize, usize) {
    let rows = app.app.db.read_slow(|conn| outbox::list(conn, 500)).await;
    let is_walk = |row: &OutboxRow| row.kind == "announce_release";
    let rows: Vec<OutboxRow> = rows.unwrap().into_iter().filter(is_walk).collect();
    let open = rows.iter().filter(|row| row.done_at.is_none()).count();
    (rows.len(), open)
}

both!(a_rollout_that_is_changed_often_has_one_walk_to_come);
async fn a_rollout_that_is_changed_often_has_one_walk_to_come(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = draft(&shop, "feedback-widget", "1.1.0", &json!({})).await;
    let rollout = format!("/v1/admin/releases/{id}/rollout");
    for percent in 1..=4 {
        let steps = json!({ "steps": [
            { "at": "2027-01-15T11:00:00Z", "percent": percent },
            { "at": "2027-01-17T11:00:00Z", "percent": 100 },
        ]});
        shop.admin.post(&rollout, &steps).await.expect_status(200);
        if percent == 1 {
            let path = format!("/v1/admin/releases/{id}/publish");
            shop.admin.post(&path, &json!({})).await.expect_status(200);
        }
        app.drain().await;
    }
    // The last change's, and those whose time is not come, which will find that they are late.
    let (before, _) = walks(&app).await;
    for _ in 0..3 {
        app.clock.advance(3_700);
        app.drain().await;
    }
    let (after, open) = walks(&app).await;
    assert_eq!(open, 1, "one walk goes on");
    assert_eq!(after, before + 3, "one walk an hour");
    app.clock.advance(3 * 86_400);
    app.drain().await;
    assert_eq!(walks(&app).await.1, 0);
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(told(&shop, &id).await["sent"], 1);
    app.stop().await;
}

both!(an_advisory_leads_to_where_the_policy_says_that_licenses_are_renewed);
async fn an_advisory_leads_to_where_the_policy_says_that_licenses_are_renewed(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let elsewhere = json!({ "renew_url": "https://vendor.example.com/renew" });
    let path = format!("/v1/admin/policies/{}", shop.policy);
    shop.admin.patch(&path, &elsewhere).await.expect_status(200);
    app.clock.advance(3 * 366 * 86_400);
    publish(&shop, "feedback-widget", "9.0.0", &security(), "").await;
    app.drain().await;
    let mails = mails_to(&app, BUYER);
    assert_eq!(mails.len(), 1);
    for part in [mails[0].text(), mails[0].html()] {
        assert!(part.contains("https://vendor.example.com/renew"), "{part}");
        assert!(!part.contains("/licenses/lic_"), "{part}");
    }
    // Who may have it after all is not sent to a shop.
    let licenses = shop.admin.get("/v1/admin/licenses").await.json();
    let license = licenses["items"][0]["id"].as_str().unwrap();
    let renew = format!("/v1/admin/licenses/{license}/extend");
    let until = json!({ "updates_until": Value::Null });
    shop.admin.post(&renew, &until).await.expect_status(200);
    publish(&shop, "feedback-widget", "9.0.1", &security(), "").await;
    app.drain().await;
    let text = mails_to(&app, BUYER)[1].text();
    assert!(text.contains("Your license covers it"), "{text}");
    assert!(!text.contains("vendor.example.com"), "{text}");
    app.stop().await;
}
