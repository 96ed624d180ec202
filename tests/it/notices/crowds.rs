//! Many people: told once each, in slices, at a pace that nobody else waits for.

use kitward::customers::model::Role;
use kitward::customers::store::insert_membership;
use kitward::db::{DbError, Shard};
use kitward::notices::walk::walk;
use kitward::outbox::Lane;
use kitward::people::model::PersonId;
use kitward::releases::model::ReleaseId;
use kitward_tests::{BUYER, Kind, TestApp, both};

use super::{
    QUIET, buyers_customer, drain_at_once, hole, mails_and_addresses, open, tell, told, widget,
};
use crate::database::run;

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
    let drained = drain_at_once([&app, &second], Lane::Notices).await;
    let tried: usize = drained.into_iter().map(Result::unwrap).sum();
    assert_eq!(tried, 250);
    assert_eq!(mails_and_addresses(&app), (250, 250));
    assert_eq!(told(&shop, &id).await["sent"], 250);
    second.stop().await;
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
    tell(&app).await;
    let sent = || app.inbox.messages().len();
    assert_eq!(sent(), 2, "ten seconds' worth at once");
    app.browser().form("/sign-in", &[("email", BUYER)]).await;
    app.drain().await;
    assert_eq!(sent(), 3, "a sign-in mail overtakes 38 others");
    let closed = hole(&shop, "1.1.1").await;
    app.drain().await;
    assert_eq!(
        told(&shop, &closed).await["sent"],
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
