//! People are told of new versions and security releases: once, in time, and not against their will.

mod buyers;
mod choices;
mod crowds;
mod mails;
mod second_looks;
mod vendor;

use futures_util::future::join_all;
use kitward::customers::model::{CustomerId, Role};
use kitward::customers::store::{insert_membership, owned_by_address};
use kitward::db::{DbError, Shard};
use kitward::outbox::{self, Lane};
use kitward::people::store::person_of_address;
use kitward_fakes::{Behavior, Mail};
use kitward_tests::{Actor, BUYER, Reply, Shop, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

/// Longer than new versions wait for each other.
const QUIET: i64 = 16 * 60;

/// A shop, and somebody who bought `feedback-widget` there and never signed in.
async fn bought(app: &TestApp) -> Shop {
    let shop = Shop::open(app).await;
    shop.buy(app).await;
    app.inbox.clear();
    shop
}

/// The same, and the usual buyer as a person.
async fn open(app: &TestApp) -> (Shop, Actor) {
    let shop = bought(app).await;
    let buyer = app.customer(BUYER).await;
    app.inbox.clear();
    (shop, buyer)
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

async fn issue(shop: &Shop, policy: &str, email: &str) {
    let issue = json!({ "policy": policy, "email": email });
    let issued = shop.admin.post("/v1/admin/licenses", &issue).await;
    issued.expect_status(201);
}

/// A verb of the only license.
async fn change_license(shop: &Shop, verb: &str, body: &Value) {
    let licenses = shop.admin.get("/v1/admin/licenses").await;
    let path = format!("/v1/admin/licenses/{}/{verb}", licenses.str("/items/0/id"));
    shop.admin.post(&path, body).await.expect_status(200);
}

async fn revoke(shop: &Shop) {
    let revoke = json!({ "reason": "abuse", "note": "Shared." });
    change_license(shop, "revoke", &revoke).await;
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

/// Publishes a draft; `query` stands behind the address of the publication.
async fn publish_draft(shop: &Shop, release: &str, query: &str) {
    let path = format!("/v1/admin/releases/{release}/publish{query}");
    let published = shop.admin.post(&path, &json!({})).await;
    published.expect_status(200);
}

/// Publishes a release.
async fn publish(shop: &Shop, kit: &str, version: &str, more: &Value) -> String {
    let id = draft(shop, kit, version, more).await;
    publish_draft(shop, &id, "").await;
    id
}

async fn widget(shop: &Shop, version: &str) -> String {
    publish(shop, "feedback-widget", version, &json!({})).await
}

/// A version that closes a hole.
async fn hole(shop: &Shop, version: &str) -> String {
    let security = json!({ "severity": "security", "notes": "A hole is closed." });
    publish(shop, "feedback-widget", version, &security).await
}

async fn set_severity(shop: &Shop, release: &str, severity: &str) {
    let path = format!("/v1/admin/releases/{release}");
    let edit = json!({ "severity": severity });
    shop.admin.patch(&path, &edit).await.expect_status(200);
}

/// Where the vendor sees, begins and calls off the telling of a release.
fn notices(release: &str) -> String {
    format!("/v1/admin/releases/{release}/notices")
}

/// What the management API says about who was told.
async fn told(shop: &Shop, release: &str) -> Value {
    let told = shop.admin.get(&notices(release)).await;
    told.expect_status(200).json()
}

/// What it says before anybody is told.
async fn preview(shop: &Shop, release: &str) -> Value {
    let path = format!("{}/preview", notices(release));
    shop.admin.get(&path).await.expect_status(200).json()
}

/// Checks some members of what it says.
#[track_caller]
fn is(state: &Value, expected: &Value) {
    for (member, value) in expected.as_object().unwrap() {
        assert_eq!(&state[member], value, "{member} of {state}");
    }
}

async fn tell_again(app: &TestApp, shop: &Shop, release: &str) {
    let again = shop.admin.post(&notices(release), &json!({})).await;
    again.expect_status(200);
    app.drain().await;
}

async fn call_off(shop: &Shop, release: &str) {
    let delete = shop.admin.request(Method::DELETE, &notices(release));
    shop.admin.send(delete).await.expect_status(200);
}

/// What waited for the quiet time leaves.
async fn pass_quiet_time(app: &TestApp) {
    app.clock.advance(QUIET);
    app.drain().await;
}

/// All that is to be told is told, at once and after the quiet time.
async fn tell(app: &TestApp) {
    app.drain().await;
    pass_quiet_time(app).await;
}

async fn drain_lane(app: &TestApp, lane: Lane) {
    outbox::drain(&app.app, lane).await.unwrap();
}

/// Two processes work on a lane at once.
async fn drain_at_once(processes: [&TestApp; 2], lane: Lane) -> Vec<Result<usize, DbError>> {
    let drains = processes.map(|one| outbox::drain(&one.app, lane));
    join_all(drains).await
}

/// The mail server refuses everybody until that is final.
async fn refuse_for_good(app: &TestApp) {
    app.inbox.set_behavior(Behavior::RefuseRecipient(550));
    for _ in 0..14 {
        app.drain().await;
        app.clock.advance(86_400);
    }
}

fn mails_to(app: &TestApp, address: &str) -> Vec<Mail> {
    let mails = app.inbox.messages().into_iter();
    mails
        .filter(|mail| mail.to.iter().any(|to| to == address))
        .collect()
}

#[track_caller]
fn only_mail(app: &TestApp, address: &str) -> Mail {
    let mut mails = mails_to(app, address);
    assert_eq!(mails.len(), 1, "{address}");
    mails.remove(0)
}

/// How many mails there are, and to how many addresses.
fn mails_and_addresses(app: &TestApp) -> (usize, usize) {
    let mails = app.inbox.messages();
    let mut to: Vec<String> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    to.sort();
    to.dedup();
    (mails.len(), to.len())
}

/// The address in a mail at which its reader stops such mails.
fn link_of(mail: &Mail) -> String {
    let link = mail.header("list-unsubscribe").unwrap();
    link.trim_matches(['<', '>']).to_owned()
}

/// Does what a mail program does when its user stops such mails.
async fn one_click(program: &Actor, link: &str) -> Reply {
    let one_click = [("List-Unsubscribe", "One-Click")];
    program.form(link, &one_click).await.expect_status(200)
}

/// Presses a switch of the portal.
async fn choose(buyer: &Actor, choice: &str) -> Reply {
    let path = format!("/notices/{choice}");
    buyer.form(&path, &[]).await.expect_status(303)
}
