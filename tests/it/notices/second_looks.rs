//! What becomes of notices when something about a release, or a mail, turns out otherwise.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kitward::db::Shard;
use kitward::notices::model::{NoticeKind, NoticeMailId};
use kitward::notices::store::{Fate, settle};
use kitward::outbox::{self, Lane, OutboxRow};
use kitward::people::store::person_of_address;
use kitward::releases::model::ReleaseId;
use kitward_fakes::{Behavior, Mail};
use kitward_tests::{BUYER, Kind, TestApp, both};
use serde_json::{Value, json};

use super::{
    QUIET, call_off, change_license, choose, draft, drain_at_once, drain_lane, hole, is, mails_to,
    only_mail, open, pass_quiet_time, publish_draft, refuse_for_good, set_severity, tell,
    tell_again, told, widget,
};
use crate::seats::sql;

/// Subjects of the mails about version 1.1.0.
const IS_OUT: &str = "Feedback Widget Kit 1.1.0 is out";
const SECURITY: &str = "Security update: Feedback Widget Kit 1.1.0";

/// Subjects of the mails to the buyer.
fn subjects(app: &TestApp) -> Vec<String> {
    let mails = mails_to(app, BUYER);
    mails.iter().map(Mail::subject).collect()
}

both!(a_version_that_turns_out_to_close_a_hole_is_announced_as_that_once);
async fn a_version_that_turns_out_to_close_a_hole_is_announced_as_that_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    tell(&app).await;
    assert_eq!(subjects(&app), [IS_OUT]);
    set_severity(&shop, &id, "security").await;
    let second = app.second().await;
    drain_at_once([&app, &second], Lane::Jobs).await;
    app.drain().await;
    assert_eq!(subjects(&app), [IS_OUT, SECURITY]);
    is(
        &told(&shop, &id).await,
        &json!({ "kind": "advisory", "sent": 1 }),
    );
    // Worse still, or not so bad after all: everybody has heard of it.
    for severity in ["critical", "normal", "security"] {
        set_severity(&shop, &id, severity).await;
        tell(&app).await;
        assert_eq!(subjects(&app), [IS_OUT, SECURITY], "{severity}");
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
    let better = hole(&shop, "1.2.0").await;
    drain_lane(&app, Lane::Jobs).await;
    set_severity(&shop, &better, "normal").await;
    app.drain().await;
    assert_eq!(subjects(&app).len(), 1, "it waits as new versions do");
    pass_quiet_time(&app).await;
    assert_eq!(
        subjects(&app),
        [
            "Critical update: Feedback Widget Kit 1.1.0",
            "Feedback Widget Kit 1.2.0 is out"
        ]
    );
    for id in [&worse, &better] {
        is(&told(&shop, id).await, &json!({ "sent": 1, "waiting": 0 }));
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
    drain_lane(&app, Lane::Notices).await;
    assert!(subjects(&app).is_empty(), "no mail calls it a new version");
    assert_eq!(told(&shop, &id).await["waiting"], 0);
    app.drain().await;
    assert_eq!(subjects(&app), [SECURITY]);
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
    drain_lane(&app, Lane::Notices).await;
    set_severity(&shop, &id, "normal").await;
    tell(&app).await;
    assert_eq!(subjects(&app), [IS_OUT]);
    is(&told(&shop, &id).await, &json!({ "sent": 1, "waiting": 0 }));
    app.stop().await;
}

both!(who_heard_of_a_version_is_not_told_anew_when_a_severity_goes_up_and_down);
async fn who_heard_of_a_version_is_not_told_anew_when_a_severity_goes_up_and_down(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    tell(&app).await;
    // Down again, or called off, before the advisory leaves.
    for turn_back in [true, false] {
        set_severity(&shop, &id, "security").await;
        drain_lane(&app, Lane::Jobs).await;
        is(&told(&shop, &id).await, &json!({ "sent": 0, "waiting": 1 }));
        if !turn_back {
            call_off(&shop, &id).await;
            is(&told(&shop, &id).await, &json!({ "sent": 1, "skipped": 0 }));
        }
        set_severity(&shop, &id, "normal").await;
        drain_lane(&app, Lane::Jobs).await;
        tell(&app).await;
        assert_eq!(subjects(&app), [IS_OUT]);
        is(&told(&shop, &id).await, &json!({ "sent": 1, "waiting": 0 }));
    }
    // What it turns out to be in the end is told.
    set_severity(&shop, &id, "critical").await;
    tell_again(&app, &shop, &id).await;
    let critical = "Critical update: Feedback Widget Kit 1.1.0";
    assert_eq!(subjects(&app), [IS_OUT, critical]);
    app.stop().await;
}

both!(what_is_called_off_while_its_mail_leaves_has_been_heard);
async fn what_is_called_off_while_its_mail_leaves_has_been_heard(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let told_before = widget(&shop, "1.1.0").await;
    tell(&app).await;
    set_severity(&shop, &told_before, "security").await;
    let new = hole(&shop, "1.2.0").await;
    app.inbox.clear();
    drain_lane(&app, Lane::Jobs).await;
    for id in [&told_before, &new] {
        call_off(&shop, id).await;
        leave(&app, id).await;
        is(&told(&shop, id).await, &json!({ "sent": 1, "skipped": 0 }));
    }
    for id in [&told_before, &new] {
        tell_again(&app, &shop, id).await;
    }
    assert!(subjects(&app).is_empty(), "told anew: {:?}", subjects(&app));
    app.stop().await;
}

/// The mail with the advisory of a release, on its way since before, has left.
async fn leave(app: &TestApp, release: &str) {
    let release = ReleaseId::parse(release).unwrap();
    let now = app.app.clock.now();
    let left = app.app.db.write(Shard::Wide, move |tx| {
        let person = person_of_address(tx.conn(), BUYER)?.expect("a person");
        let sql = format!("SELECT mail_id AS text FROM notices WHERE release_id = '{release}'");
        let mail: TextRow = sql_query(sql).get_result(tx.conn())?;
        let mail = NoticeMailId::parse(&mail.text).expect("an id");
        let told = Fate::Told(NoticeKind::Advisory);
        settle(tx, &mail, (&release, &person), told, now)
    });
    left.await.unwrap();
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    text: String,
}

both!(an_advisory_that_was_given_up_has_failed_for_who_heard_of_the_version_too);
async fn an_advisory_that_was_given_up_has_failed_for_who_heard_of_the_version_too(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    tell(&app).await;
    set_severity(&shop, &id, "security").await;
    refuse_for_good(&app).await;
    is(&told(&shop, &id).await, &json!({ "sent": 0, "failed": 1 }));
    app.inbox.set_behavior(Behavior::Accept);
    tell_again(&app, &shop, &id).await;
    assert_eq!(subjects(&app), [IS_OUT, SECURITY]);
    is(&told(&shop, &id).await, &json!({ "sent": 1, "failed": 0 }));
    app.stop().await;
}

both!(who_wants_no_advisories_hears_once_of_what_was_one_for_a_while);
async fn who_wants_no_advisories_hears_once_of_what_was_one_for_a_while(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, buyer) = open(&app).await;
    choose(&buyer, "feedback-widget/advisory/off").await;
    let id = widget(&shop, "1.1.0").await;
    tell(&app).await;
    for severity in ["security", "normal"] {
        set_severity(&shop, &id, severity).await;
        tell(&app).await;
        assert_eq!(subjects(&app), [IS_OUT]);
        is(&told(&shop, &id).await, &json!({ "sent": 1, "skipped": 0 }));
    }
    app.stop().await;
}

both!(what_a_program_of_before_told_is_told_anew_as_what_it_turned_out_to_be);
async fn what_a_program_of_before_told_is_told_anew_as_what_it_turned_out_to_be(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    tell(&app).await;
    // It did not write what it told.
    let unsaid = format!("UPDATE notices SET kind = NULL WHERE release_id = '{id}'");
    sql(&app, unsaid).await;
    set_severity(&shop, &id, "security").await;
    app.drain().await;
    assert_eq!(subjects(&app), [IS_OUT, SECURITY]);
    app.stop().await;
}

both!(who_was_not_reached_is_told_when_the_vendor_tells_once_more);
async fn who_was_not_reached_is_told_when_the_vendor_tells_once_more(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = hole(&shop, "1.1.0").await;
    refuse_for_good(&app).await;
    assert_eq!(told(&shop, &id).await["failed"], 1);
    app.inbox.set_behavior(Behavior::Accept);
    tell_again(&app, &shop, &id).await;
    assert_eq!(subjects(&app).len(), 1);
    is(&told(&shop, &id).await, &json!({ "failed": 0, "sent": 1 }));
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
            publish_draft(&shop, &id, "").await;
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
    pass_quiet_time(&app).await;
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
    hole(&shop, "9.0.0").await;
    app.drain().await;
    let mail = only_mail(&app, BUYER);
    for part in [mail.text(), mail.html()] {
        assert!(part.contains("https://vendor.example.com/renew"), "{part}");
        assert!(!part.contains("/licenses/lic_"), "{part}");
    }
    // Who may have it after all is not sent to a shop.
    let until = json!({ "updates_until": Value::Null });
    change_license(&shop, "extend", &until).await;
    hole(&shop, "9.0.1").await;
    app.drain().await;
    let text = mails_to(&app, BUYER)[1].text();
    assert!(text.contains("Your license covers it"), "{text}");
    assert!(!text.contains("vendor.example.com"), "{text}");
    app.stop().await;
}
