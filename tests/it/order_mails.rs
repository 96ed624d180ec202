//! The mail of an order is sent once more, with the keys of now, and once for one request.

use futures_util::future::join_all;
use kitward::staff::Scope;
use kitward_fakes::{Behavior, Checkout};
use kitward_tests::{Actor, BUYER, Kind, Purchase, Reply, Shop, TestApp, both};
use serde_json::{Value, json};

use crate::seats::number;

const UNKNOWN: &str = "ord_01jhmz3e5afkt9ymv5n2e8wqc4";

/// A shop with one order.
struct Desk {
    app: TestApp,
    shop: Shop,
    order: String,
}

impl Desk {
    /// The usual purchase.
    async fn open(kind: Kind) -> (Self, Purchase) {
        let app = TestApp::start(kind).await;
        let shop = Shop::open(&app).await;
        let purchase = shop.buy(&app).await;
        (Self::of(app, shop).await, purchase)
    }

    async fn of(app: TestApp, shop: Shop) -> Self {
        let orders = shop.admin.get("/v1/admin/orders").await;
        let order = orders.str("/items/0/id");
        Self { app, shop, order }
    }

    /// A purchase of something else, or by somebody else.
    async fn told_of(app: TestApp, shop: Shop, checkout: Checkout) -> Self {
        let ids = app.stripe.add_checkout(checkout);
        let event = app.stripe.event("checkout.session.completed", &ids.session);
        app.deliver(&event).await.expect_status(200);
        app.drain().await;
        Self::of(app, shop).await
    }

    async fn resend_as(&self, actor: &Actor) -> Reply {
        resend(actor, &self.order).await
    }

    async fn resend(&self) -> Reply {
        self.resend_as(&self.shop.admin).await
    }

    async fn change(&self, license: &str, verb: &str, body: &Value) {
        let path = format!("/v1/admin/licenses/{license}/{verb}");
        self.shop.admin.post(&path, body).await.expect_status(200);
    }

    async fn licenses(&self) -> Vec<String> {
        let list = self.shop.admin.get("/v1/admin/licenses?limit=100").await;
        let list = list.expect_status(200).json();
        let rows = list["items"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The license of a key, as a kit is told it.
    async fn license_of(&self, key: &str) -> String {
        let body = json!({ "key": key, "kit": "feedback-widget" });
        let anyone = self.app.anonymous();
        let look = anyone.post("/v1/licenses/validate", &body).await;
        look.expect_status(200).str("/license/id")
    }

    /// Keys in each mail, the oldest mail first; all of them went to the buyer.
    fn mailed(&self) -> Vec<Vec<String>> {
        let mails = self.app.inbox.messages();
        assert!(mails.iter().all(|mail| mail.to == [BUYER]));
        mails.iter().map(|mail| keys_in(&mail.text())).collect()
    }
}

async fn resend(actor: &Actor, order: &str) -> Reply {
    let path = format!("/v1/admin/orders/{order}/resend");
    actor.post(&path, &json!({})).await
}

fn keys_in(text: &str) -> Vec<String> {
    let words = text.split_whitespace();
    words
        .filter(|word| word.starts_with("kwl_"))
        .map(str::to_owned)
        .collect()
}

both!(the_mail_of_an_order_comes_again_with_the_keys_of_now);
async fn the_mail_of_an_order_comes_again_with_the_keys_of_now(kind: Kind) {
    let (desk, purchase) = Desk::open(kind).await;
    let shown = desk.resend().await.expect_status(200);
    let path = format!("/v1/admin/orders/{}", desk.order);
    let order = desk.shop.admin.get(&path).await.expect_status(200);
    assert_eq!(shown.json(), order.json());
    desk.app.drain().await;
    let first = vec![purchase.key.clone()];
    assert_eq!(desk.mailed(), [first.clone(), first.clone()]);
    let mails = desk.app.inbox.messages();
    assert_eq!(mails[0].subject(), mails[1].subject());
    let id = |at: usize| mails[at].header("message-id").unwrap();
    assert_ne!(id(0), id(1), "another mail, no repetition");

    let license = desk.license_of(&purchase.key).await;
    desk.change(&license, "rotate", &json!({})).await;
    desk.resend().await.expect_status(200);
    desk.app.drain().await;
    let last = desk.mailed().pop().unwrap();
    assert_eq!(last.len(), 1);
    assert_ne!(last, first);
    assert_eq!(desk.license_of(&last[0]).await, license);
    desk.app.stop().await;
}

both!(a_mail_that_comes_again_tells_no_key_that_is_not_the_buyers_to_use);
async fn a_mail_that_comes_again_tells_no_key_that_is_not_the_buyers_to_use(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let price = json!({
        "external_id": "price_many", "policies": ["personal"], "quantity_rule": "licenses",
    });
    let mapped = shop.admin.post("/v1/admin/prices", &price).await;
    mapped.expect_status(201);
    let desk = Desk::told_of(app, shop, Shop::checkout("price_many", 4)).await;
    let licenses = desk.licenses().await;
    assert_eq!((licenses.len(), desk.mailed()[0].len()), (4, 4));
    let to = json!({ "email": "new-owner@example.com" });
    desk.change(&licenses[0], "transfer", &to).await;
    let abuse = json!({ "reason": "abuse" });
    desk.change(&licenses[1], "revoke", &abuse).await;
    let into = json!({ "into": licenses[3] });
    desk.change(&licenses[2], "merge", &into).await;
    desk.app.drain().await;
    desk.app.inbox.clear();

    desk.resend().await.expect_status(200);
    desk.app.drain().await;
    let mailed = desk.mailed();
    assert_eq!((mailed.len(), mailed[0].len()), (1, 1));
    assert_eq!(desk.license_of(&mailed[0][0]).await, licenses[3]);

    desk.change(&licenses[3], "revoke", &abuse).await;
    let refused = desk.resend().await;
    refused.expect_problem(409, "conflict");
    // What was taken away by mistake and came back is told again.
    let back = json!({ "reason": "abuse", "note": "A mistake." });
    desk.change(&licenses[3], "reinstate", &back).await;
    desk.resend().await.expect_status(200);
    // What is told is decided when the mail leaves.
    desk.change(&licenses[3], "transfer", &to).await;
    desk.app.drain().await;
    assert_eq!(desk.mailed().len(), 1);
    // That is no failure that somebody would have to look at.
    let given_up = "SELECT COUNT(*) AS number FROM outbox WHERE dead_at IS NOT NULL";
    assert_eq!(number(&desk.app, given_up.to_owned()).await, 0);
    desk.app.stop().await;
}

both!(one_request_sends_one_mail_however_often_it_is_sent);
async fn one_request_sends_one_mail_however_often_it_is_sent(kind: Kind) {
    let (desk, purchase) = Desk::open(kind).await;
    let keyed = desk.shop.admin.clone().with("idempotency-key", "one");
    for _ in 0..2 {
        desk.resend_as(&keyed).await.expect_status(200);
    }
    desk.app.drain().await;
    desk.resend_as(&keyed).await.expect_status(200);
    desk.app.drain().await;
    let key = vec![purchase.key];
    assert_eq!(desk.mailed(), [key.clone(), key]);
    let other = resend(&keyed, UNKNOWN).await;
    other.expect_problem(422, "idempotency_mismatch");
    desk.app.stop().await;
}

both!(no_mail_of_an_order_is_added_while_one_waits);
async fn no_mail_of_an_order_is_added_while_one_waits(kind: Kind) {
    let (desk, _purchase) = Desk::open(kind).await;
    let second = desk.app.second().await;
    let here = &desk.shop.admin;
    let there = second
        .anonymous()
        .with("authorization", here.header_text("authorization"));
    let actors = [here, &there];
    let calls = (0..6).map(|at| desk.resend_as(actors[at % 2]));
    let replies = join_all(calls).await;
    let (sent, refused): (Vec<Reply>, Vec<Reply>) =
        replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(sent.len(), 1);
    for reply in refused {
        reply.expect_problem(409, "conflict");
    }
    desk.app.drain().await;
    assert_eq!(desk.mailed().len(), 2);
    // A mail of another order holds up none of this one.
    desk.shop.buy(&desk.app).await;
    let orders = desk.shop.admin.get("/v1/admin/orders").await.json();
    let orders = orders["items"].as_array().unwrap();
    assert_eq!(orders.len(), 2);
    for order in orders {
        let sent = resend(here, order["id"].as_str().unwrap()).await;
        sent.expect_status(200);
    }
    desk.app.drain().await;
    assert_eq!(desk.mailed().len(), 5);
    second.stop().await;
    desk.app.stop().await;
}

both!(a_mail_that_was_given_up_is_sent_once_more);
async fn a_mail_that_was_given_up_is_sent_once_more(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    app.inbox.set_behavior(Behavior::RefuseRecipient(550));
    let desk = Desk::told_of(app, shop, Shop::checkout("price_personal", 1)).await;
    let waiting = desk.resend().await;
    waiting.expect_problem(409, "conflict");
    // Until the outbox gives up.
    for _ in 0..14 {
        desk.app.clock.advance(86_400);
        desk.app.drain().await;
    }
    desk.app.inbox.set_behavior(Behavior::Accept);
    desk.resend().await.expect_status(200);
    desk.app.drain().await;
    assert_eq!(desk.mailed().len(), 1);
    desk.app.stop().await;
}

both!(whoever_may_act_for_support_sends_mails_of_orders_and_is_on_record);
async fn whoever_may_act_for_support_sends_mails_of_orders_and_is_on_record(kind: Kind) {
    let (desk, _purchase) = Desk::open(kind).await;
    for scope in [Scope::Read, Scope::Publish] {
        let actor = desk.app.token(scope).await;
        let refused = desk.resend_as(&actor).await;
        refused.expect_problem(403, "insufficient_scope");
    }
    let refused = desk.resend_as(&desk.app.anonymous()).await;
    refused.expect_problem(401, "unauthorized");
    let new = json!({ "name": "Support", "scopes": ["support"] });
    let made = desk.shop.admin.post("/v1/admin/tokens", &new).await;
    let made = made.expect_status(201);
    let bearer = format!("Bearer {}", made.str("/token"));
    let support = desk.app.anonymous().with("authorization", bearer);
    desk.resend_as(&support).await.expect_status(200);
    let path = format!("/v1/admin/audit?subject={}", desk.order);
    let told = desk.shop.admin.get(&path).await.expect_status(200);
    assert_eq!(told.str("/items/0/action"), "order.mail_resent");
    assert_eq!(told.str("/items/0/actor"), made.str("/id"));
    assert_ne!(told.str("/items/1/action"), "order.mail_resent");
    desk.app.stop().await;
}

both!(an_order_without_anything_to_send_is_refused);
async fn an_order_without_anything_to_send_is_refused(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    for order in [UNKNOWN, "x"] {
        let unknown = resend(&shop.admin, order).await;
        unknown.expect_problem(404, "not_found");
    }
    let nobody = Checkout {
        email: "no address".to_owned(),
        ..Shop::checkout("price_personal", 1)
    };
    let desk = Desk::told_of(app, shop, nobody).await;
    desk.resend().await.expect_problem(409, "conflict");
    let path = format!("/v1/admin/orders/{}/resend", desk.order);
    let elsewhere = json!({ "email": BUYER });
    let more = desk.shop.admin.post(&path, &elsewhere).await;
    more.expect_problem(422, "invalid_field");
    desk.app.stop().await;
}

both!(an_order_that_waits_for_its_mapping_has_no_mail_yet);
async fn an_order_that_waits_for_its_mapping_has_no_mail_yet(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let desk = Desk::told_of(app, shop, Shop::checkout("price_unknown", 1)).await;
    desk.resend().await.expect_problem(409, "conflict");
    desk.app.stop().await;
}
