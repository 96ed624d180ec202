//! People are told of new versions and security releases: once, in time, and not against their will.

mod buyers;
mod second_looks;

use futures_util::future::join_all;
use kitward::customers::model::{CustomerId, Role};
use kitward::customers::store::{insert_membership, owned_by_address};
use kitward::db::{DbError, Shard};
use kitward::notices::model::{Hearer, NoticeKind};
use kitward::notices::unsubscribe::address;
use kitward::notices::walk::walk;
use kitward::outbox::{self, Lane};
use kitward::people::model::PersonId;
use kitward::people::store::person_of_address;
use kitward::releases::model::ReleaseId;
use kitward_fakes::{Behavior, Mail};
use kitward_tests::{Actor, BUYER, Kind, Shop, TestApp, both};
use reqwest::Method;
use serde_json::{Value, json};

use crate::database::run;

/// Longer than new versions wait for each other.
const QUIET: i64 = 16 * 60;

/// A shop, and the usual buyer as a person with a license for `feedback-widget`.
async fn open(app: &TestApp) -> (Shop, Actor) {
    let shop = Shop::open(app).await;
    shop.buy(app).await;
    let buyer = app.customer(BUYER).await;
    app.inbox.clear();
    (shop, buyer)
}

/// Publishes a release; `query` stands behind the address of the publication.
async fn publish(shop: &Shop, kit: &str, version: &str, more: &Value, query: &str) -> String {
    let id = draft(shop, kit, version, more).await;
    let path = format!("/v1/admin/releases/{id}/publish{query}");
    let published = shop.admin.post(&path, &json!({})).await;
    published.expect_status(200);
    id
}

async fn draft(shop: &Shop, kit: &str, version: &str, more: &Value) -> String {
    let mut release = json!({ "kit": kit, "version": version, "notes": "Better." });
    let members = release.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    let created = shop.admin.post("/v1/admin/releases", &release).await;
    let id = created.expect_status(201).str("/id");
    let path = format!("/v1/admin/releases/{id}/artifacts/kit.bin");
    let put = shop.admin.put(&path, version.as_bytes().to_vec()).await;
    assert!(put.status == 200 || put.status == 201, "{}", put.text());
    id
}

async fn widget(shop: &Shop, version: &str) -> String {
    publish(shop, "feedback-widget", version, &json!({}), "").await
}

fn security() -> Value {
    json!({ "severity": "security", "notes": "A hole is closed." })
}

/// What the management API says about who was told.
async fn told(shop: &Shop, release: &str) -> Value {
    let path = format!("/v1/admin/releases/{release}/notices");
    shop.admin.get(&path).await.expect_status(200).json()
}

fn mails_to(app: &TestApp, address: &str) -> Vec<Mail> {
    let mails = app.inbox.messages().into_iter();
    mails
        .filter(|mail| mail.to.iter().any(|to| to == address))
        .collect()
}

async fn sql(app: &TestApp, statement: String) {
    let done = app.app.db.write(Shard::Wide, move |tx| run(tx, &statement));
    done.await.unwrap();
}

async fn person(app: &TestApp, address: &'static str) -> PersonId {
    let found = app
        .app
        .db
        .read_slow(move |conn| person_of_address(conn, address));
    found.await.unwrap().expect("a person")
}

async fn buyers_customer(app: &TestApp) -> CustomerId {
    let found = app.app.db.read_slow(|conn| owned_by_address(conn, BUYER));
    found.await.unwrap().expect("a customer")
}

/// Signs somebody in and makes them belong to the buyer's customer.
async fn join(app: &TestApp, address: &'static str, role: Role) -> Actor {
    let browser = app.customer(address).await;
    let (customer, now) = (buyers_customer(app).await, app.app.clock.now());
    let joined = app.app.db.write(Shard::Wide, move |tx| {
        let person = person_of_address(tx.conn(), address)?.expect("a person");
        insert_membership(tx, &customer, &person, role, now)
    });
    joined.await.unwrap();
    browser
}

/// So many more members of the buyer's customer, with an address each.
async fn crowd(app: &TestApp, count: usize) {
    let customer = buyers_customer(app).await;
    let now = app.app.clock.now();
    let ids: Vec<PersonId> = (0..count)
        .map(|_| PersonId::new(now, app.app.entropy.as_ref()))
        .collect();
    let written = app.app.db.write(Shard::Wide, move |tx| -> Result<(), DbError> {
        let at = now.to_string().replace('T', " ").replace('Z', "");
        for (number, id) in ids.iter().enumerate() {
            run(tx, &format!("INSERT INTO people (id, name, created_at) VALUES ('{id}', '', '{at}')"))?;
            run(tx, &format!(
                "INSERT INTO person_emails (address, person_id, as_typed, verified_at) \
                 VALUES ('member{number}@example.com', '{id}', 'member{number}@example.com', '{at}')"
            ))?;
            insert_membership(tx, &customer, id, Role::Member, now)?;
        }
        Ok(())
    });
    written.await.unwrap();
}

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
    let lanes = [&app, &second].map(|one| outbox::drain(&one.app, Lane::Notices));
    join_all(lanes).await;
    app.drain().await;
    for address in [BUYER, "member@example.com"] {
        let mails = mails_to(&app, address);
        assert_eq!(mails.len(), 1, "{address}");
        let mail = &mails[0];
        assert_eq!(mail.subject(), "Feedback Widget Kit 1.1.0 is out");
        assert!(mail.text().contains("Better.") && mail.html().contains("Better."));
        assert!(mail.text().contains("/updates"));
        let link = mail.header("list-unsubscribe").unwrap();
        let inside = link.trim_matches(['<', '>']);
        assert!(inside.contains("/unsubscribe/v-"), "{link}");
        assert!(mail.text().contains(inside));
        let click = mail.header("list-unsubscribe-post").unwrap();
        assert_eq!(click, "List-Unsubscribe=One-Click");
        assert_eq!(mail.header("auto-submitted").unwrap(), "auto-generated");
    }
    assert_eq!(
        app.inbox.messages().len(),
        2,
        "billing and strangers hear nothing"
    );
    let state = told(&shop, &id).await;
    assert_eq!(
        (&state["state"], &state["sent"]),
        (&json!("walked"), &json!(2))
    );
    // Nothing comes again: neither by publishing once more nor by telling once more.
    let again = format!("/v1/admin/releases/{id}/publish");
    shop.admin.post(&again, &json!({})).await.expect_status(200);
    let again = format!("/v1/admin/releases/{id}/notices");
    shop.admin.post(&again, &json!({})).await.expect_status(200);
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(app.inbox.messages().len(), 2);
    second.stop().await;
    app.stop().await;
}

both!(a_mail_cut_off_comes_again_as_the_same_mail_and_counts_once);
async fn a_mail_cut_off_comes_again_as_the_same_mail_and_counts_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = publish(&shop, "feedback-widget", "1.1.0", &security(), "").await;
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
    let id = publish(&shop, "feedback-widget", "1.1.0", &security(), "").await;
    app.inbox.set_behavior(Behavior::RefuseRecipient(550));
    for _ in 0..14 {
        app.drain().await;
        app.clock.advance(86_400);
    }
    assert_eq!(told(&shop, &id).await["failed"], 1);
    app.stop().await;
}

both!(two_walks_at_once_tell_a_crowd_once_each_in_slices);
async fn two_walks_at_once_tell_a_crowd_once_each_in_slices(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.mail.notices_per_minute = 0)
        .start(kind)
        .await;
    let (shop, _buyer) = open(&app).await;
    let second = app.second().await;
    crowd(&app, 249).await;
    let id = widget(&shop, "1.1.0").await;
    let release = ReleaseId::parse(&id).unwrap();
    let (one, two) = tokio::join!(
        walk(&app.app, &release, None),
        walk(&second.app, &release, None)
    );
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    app.drain().await;
    assert_eq!(told(&shop, &id).await["waiting"], 250);
    app.clock.advance(QUIET);
    let lanes = [&app, &second].map(|one| outbox::drain(&one.app, Lane::Notices));
    let tried: usize = join_all(lanes).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(tried, 250);
    let mut to: Vec<String> = app
        .inbox
        .messages()
        .iter()
        .flat_map(|it| it.to.clone())
        .collect();
    to.sort();
    to.dedup();
    assert_eq!((app.inbox.messages().len(), to.len()), (250, 250));
    assert_eq!(told(&shop, &id).await["sent"], 250);
    second.stop().await;
    app.stop().await;
}

both!(versions_that_come_out_together_share_a_mail);
async fn versions_that_come_out_together_share_a_mail(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let both = json!({ "name": "both", "kits": ["feedback-widget", "rate-limiter"] });
    let policy = Shop::policy(&shop.admin, "both", &both).await;
    let issue = json!({ "policy": policy, "email": BUYER });
    shop.admin
        .post("/v1/admin/licenses", &issue)
        .await
        .expect_status(201);
    widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(10 * 60);
    widget(&shop, "1.2.0").await;
    publish(&shop, "rate-limiter", "2.0.0", &json!({}), "").await;
    app.drain().await;
    app.clock.advance(6 * 60);
    app.drain().await;
    let mails = mails_to(&app, BUYER);
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject(), "3 new versions from Example Kits");
    let text = mails[0].text();
    let at = |word: &str| {
        text.find(word)
            .unwrap_or_else(|| panic!("{word} in {text}"))
    };
    assert!(at("1.2.0") < at("1.1.0") && at("2.0.0") > 0);
    // One click stops what all of it was: mails about new versions.
    let link = mails[0].header("list-unsubscribe").unwrap();
    app.anonymous()
        .form(link.trim_matches(['<', '>']), &[])
        .await
        .expect_status(200);
    let third = publish(&shop, "rate-limiter", "2.1.0", &json!({}), "").await;
    app.drain().await;
    assert_eq!(told(&shop, &third).await["skipped"], 1);
    app.stop().await;
}

both!(an_advisory_leaves_at_once_also_to_those_who_must_renew_first);
async fn an_advisory_leaves_at_once_also_to_those_who_must_renew_first(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let first = publish(&shop, "feedback-widget", "1.1.0", &security(), "").await;
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
    publish(&shop, "feedback-widget", "9.0.0", &critical, "").await;
    let normal = widget(&shop, "9.1.0").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
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

both!(what_was_taken_back_before_the_mail_left_is_not_told);
async fn what_was_taken_back_before_the_mail_left_is_not_told(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    for column in ["yanked_at", "withdrawn_at"] {
        let id = widget(
            &shop,
            if column == "yanked_at" {
                "1.1.0"
            } else {
                "1.2.0"
            },
        )
        .await;
        app.drain().await;
        let at = "2027-01-15 12:00:00";
        sql(
            &app,
            format!("UPDATE releases SET {column} = '{at}' WHERE id = '{id}'"),
        )
        .await;
        app.clock.advance(QUIET);
        app.drain().await;
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
    let licenses = shop.admin.get("/v1/admin/licenses").await.json();
    let license = licenses["items"][0]["id"].as_str().unwrap();
    let revoke = json!({ "reason": "abuse", "note": "Shared." });
    let path = format!("/v1/admin/licenses/{license}/revoke");
    shop.admin.post(&path, &revoke).await.expect_status(200);
    let hole = publish(&shop, "feedback-widget", "1.1.1", &security(), "").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert!(app.inbox.messages().is_empty());
    assert_eq!(told(&shop, &new).await["skipped"], 1);
    assert_eq!(told(&shop, &hole).await["waiting"], 0);
    app.stop().await;
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
    app.clock.advance(QUIET);
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    app.inbox.clear();
    let off = "/notices/feedback-widget/new_version/off";
    let back = buyer.form(off, &[]).await.expect_status(303);
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
    publish(&shop, "feedback-widget", "1.1.1", &security(), "").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(told(&shop, &skipped).await["skipped"], 1);
    assert_eq!(
        app.inbox.messages().len(),
        1,
        "security releases are mailed all the same"
    );
    let on = "/notices/feedback-widget/new_version/on";
    buyer.form(on, &[]).await.expect_status(303);
    buyer
        .form("/notices/new_version/off", &[])
        .await
        .expect_status(303);
    let advisory = "/notices/feedback-widget/advisory/off";
    buyer.form(advisory, &[]).await.expect_status(303);
    let page = buyer.get("/updates").await.text();
    assert!(
        page.contains("Nobody tells you of holes in this kit"),
        "{page}"
    );
    for more in [json!({}), security()] {
        let version = if more == json!({}) { "1.2.0" } else { "1.2.1" };
        let id = publish(&shop, "feedback-widget", version, &more, "").await;
        app.drain().await;
        assert_eq!(told(&shop, &id).await["skipped"], 1, "{version}");
    }
    assert_eq!(app.inbox.messages().len(), 1);
    buyer
        .form("/notices/new_version/on", &[])
        .await
        .expect_status(303);
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
    publish(&shop, "feedback-widget", "1.1.0", &security(), "").await;
    app.drain().await;
    let link = mails_to(&app, BUYER)[0].header("list-unsubscribe").unwrap();
    let link = link.trim_matches(['<', '>']).to_owned();
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
    let hole = publish(&shop, "feedback-widget", "1.1.1", &security(), "").await;
    app.drain().await;
    let state = told(&shop, &hole).await;
    assert_eq!(state["sent"], 2, "looking changes nothing: {state}");
    // A mail program posts from elsewhere, without any cookie.
    let program = app.anonymous().with("sec-fetch-site", "cross-site");
    let one_click = [("List-Unsubscribe", "One-Click")];
    let done = program.form(&link, &one_click).await.expect_status(200);
    assert_eq!(done.header("set-cookie"), "", "it signs nobody in");
    program.form(&link, &one_click).await.expect_status(200);
    let hole = publish(&shop, "feedback-widget", "1.1.2", &security(), "").await;
    app.drain().await;
    let state = told(&shop, &hole).await;
    assert_eq!((&state["skipped"], &state["sent"]), (&json!(1), &json!(1)));
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

both!(mails_leave_at_a_pace_that_sign_ins_do_not_wait_for);
async fn mails_leave_at_a_pace_that_sign_ins_do_not_wait_for(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.mail.notices_per_minute = 12)
        .start(kind)
        .await;
    let (shop, _buyer) = open(&app).await;
    let second = app
        .second_with(|config| config.mail.notices_per_minute = 12)
        .await;
    crowd(&app, 39).await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    let sent = || app.inbox.messages().len();
    assert_eq!(sent(), 2, "ten seconds' worth at once");
    app.browser().form("/sign-in", &[("email", BUYER)]).await;
    app.drain().await;
    assert_eq!(sent(), 3, "a sign-in mail overtakes 38 others");
    let hole = publish(&shop, "feedback-widget", "1.1.1", &security(), "").await;
    app.drain().await;
    assert_eq!(
        told(&shop, &hole).await["sent"],
        2,
        "and so does an advisory"
    );
    // A second process makes it no faster.
    for _ in 0..6 {
        app.clock.advance(10);
        app.drain().await;
        second.drain().await;
    }
    assert_eq!(told(&shop, &id).await["sent"], 14);
    app.clock.advance(3_600);
    second.drain().await;
    assert_eq!(told(&shop, &id).await["sent"], 16, "no flood after a pause");
    second.stop().await;
    app.stop().await;
}

both!(the_vendor_looks_before_and_calls_off_after);
async fn the_vendor_looks_before_and_calls_off_after(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = draft(&shop, "feedback-widget", "1.1.0", &json!({})).await;
    let notices = format!("/v1/admin/releases/{id}/notices");
    let preview = shop.admin.get(&format!("{notices}/preview")).await;
    let preview = preview.expect_status(200).json();
    assert_eq!(
        (&preview["people"], &preview["locked"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(preview["subject"], "Feedback Widget Kit 1.1.0 is out");
    assert!(preview["html"].as_str().unwrap().contains("1.1.0"));
    shop.admin
        .post(&notices, &json!({}))
        .await
        .expect_problem(409, "conflict");
    let publish = format!("/v1/admin/releases/{id}/publish?notify=false");
    shop.admin
        .post(&publish, &json!({}))
        .await
        .expect_status(200);
    app.drain().await;
    assert_eq!(told(&shop, &id).await["state"], Value::Null);
    shop.admin
        .post(&notices, &json!({}))
        .await
        .expect_status(200);
    app.drain().await;
    assert_eq!(told(&shop, &id).await["waiting"], 1);
    let delete = shop.admin.request(Method::DELETE, &notices);
    shop.admin.send(delete).await.expect_status(200);
    app.clock.advance(QUIET);
    app.drain().await;
    let state = told(&shop, &id).await;
    assert_eq!(
        (&state["state"], &state["skipped"]),
        (&json!("skipped"), &json!(1))
    );
    assert!(app.inbox.messages().is_empty());
    // Begun anew, those who were skipped hear of it after all.
    shop.admin
        .post(&notices, &json!({}))
        .await
        .expect_status(200);
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
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
    let quiet = publish(&shop, "feedback-widget", "2.0.0-beta.1", &json!({}), "").await;
    let loud = publish(
        &shop,
        "feedback-widget",
        "2.0.0-beta.2",
        &json!({}),
        "?notify=true",
    )
    .await;
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
    publish(&shop, "feedback-widget", "1.1.0", &more, "").await;
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

both!(a_rollout_tells_those_it_has_come_to_and_the_others_later);
async fn a_rollout_tells_those_it_has_come_to_and_the_others_later(kind: Kind) {
    let app = TestApp::builder()
        .config(|config| config.mail.notices_quiet_minutes = 0)
        .start(kind)
        .await;
    let shop = Shop::open(&app).await;
    for number in 0..12 {
        let address = format!("buyer{number}@example.com");
        let issue = json!({ "policy": "personal", "email": address });
        shop.admin
            .post("/v1/admin/licenses", &issue)
            .await
            .expect_status(201);
        app.customer(&address).await;
    }
    app.drain().await;
    app.inbox.clear();
    let id = draft(&shop, "feedback-widget", "1.1.0", &json!({})).await;
    let steps = r#"[{"at":"2027-01-15T11:00:00Z","percent":50},{"at":"2027-01-15T13:30:00Z","percent":100}]"#;
    sql(
        &app,
        format!("UPDATE releases SET rollout = '{steps}' WHERE id = '{id}'"),
    )
    .await;
    let path = format!("/v1/admin/releases/{id}/publish");
    shop.admin.post(&path, &json!({})).await.expect_status(200);
    app.drain().await;
    let first = app.inbox.messages().len();
    assert!((1..12).contains(&first), "{first}");
    assert_eq!(told(&shop, &id).await["state"], "walking");
    for _ in 0..3 {
        app.clock.advance(3_700);
        app.drain().await;
    }
    let mut to: Vec<String> = app
        .inbox
        .messages()
        .iter()
        .flat_map(|it| it.to.clone())
        .collect();
    to.sort();
    to.dedup();
    assert_eq!((app.inbox.messages().len(), to.len()), (12, 12));
    let state = told(&shop, &id).await;
    assert_eq!(
        (&state["state"], &state["sent"]),
        (&json!("walked"), &json!(12))
    );
    app.stop().await;
}

both!(a_halt_holds_mails_back_and_another_look_lets_them_go);
async fn a_halt_holds_mails_back_and_another_look_lets_them_go(kind: Kind) {
    let app = TestApp::start(kind).await;
    let (shop, _buyer) = open(&app).await;
    let id = widget(&shop, "1.1.0").await;
    app.drain().await;
    let halt = "halted_at = '2027-01-15 12:00:00'";
    sql(
        &app,
        format!("UPDATE releases SET {halt} WHERE id = '{id}'"),
    )
    .await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(told(&shop, &id).await["skipped"], 1);
    sql(
        &app,
        format!("UPDATE releases SET halted_at = NULL WHERE id = '{id}'"),
    )
    .await;
    let again = format!("/v1/admin/releases/{id}/notices");
    shop.admin.post(&again, &json!({})).await.expect_status(200);
    app.drain().await;
    app.clock.advance(QUIET);
    app.drain().await;
    assert_eq!(mails_to(&app, BUYER).len(), 1);
    app.stop().await;
}
