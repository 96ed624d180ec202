//! A signed event becomes an order, licenses and one mail, once, whatever is delivered how often.

use futures_util::future::join_all;
use kitward::staff::Scope;
use kitward_fakes::sign_event;
use kitward_tests::{BUYER, Kind, Shop, TestApp, WEBHOOK_SECRETS, both, key_in};
use serde_json::{Value, json};

async fn orders(shop: &Shop) -> Vec<Value> {
    let list = shop
        .admin
        .get("/v1/admin/orders?limit=100")
        .await
        .expect_status(200)
        .json();
    list["items"].as_array().unwrap().clone()
}

async fn events(shop: &Shop) -> Vec<Value> {
    let list = shop
        .admin
        .get("/v1/admin/events?limit=100")
        .await
        .expect_status(200)
        .json();
    list["items"].as_array().unwrap().clone()
}

fn keys_in_mails(app: &TestApp) -> Vec<String> {
    let mails = app.inbox.messages();
    let words = mails.iter().flat_map(|mail| {
        let text = mail.text();
        let keys: Vec<String> = text
            .split_whitespace()
            .filter(|w| w.starts_with("kwl_"))
            .map(str::to_owned)
            .collect();
        keys
    });
    words.collect()
}

both!(a_purchase_becomes_an_order_a_license_and_a_mail);
async fn a_purchase_becomes_an_order_a_license_and_a_mail(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let purchase = shop.buy(&app).await;
    let orders = orders(&shop).await;
    assert_eq!(orders.len(), 1);
    assert_eq!(orders[0]["status"], "fulfilled");
    assert_eq!(orders[0]["business_key"], purchase.ids.session);
    assert_eq!(
        (orders[0]["total"].clone(), orders[0]["currency"].clone()),
        (json!(3_700), json!("USD"))
    );
    let mail = &app.inbox.messages()[0];
    assert_eq!(mail.to, [BUYER]);
    assert!(mail.html().contains(&purchase.key));
    assert_eq!(
        mail.header("auto-submitted").as_deref(),
        Some("auto-generated")
    );
    assert!(mail.header("message-id").unwrap().ends_with("@localhost>"));
    let events = events(&shop).await;
    assert_eq!(
        (events.len(), events[0]["status"].clone()),
        (1, json!("handled"))
    );
    app.stop().await;
}

both!(the_same_event_50_times_in_parallel_is_one_order_one_license_one_mail);
async fn the_same_event_50_times_in_parallel_is_one_order_one_license_one_mail(kind: Kind) {
    let app = TestApp::builder().with_workers().start(kind).await;
    let shop = Shop::open(&app).await;
    let ids = app.stripe.add_checkout(Shop::checkout("price_personal", 1));
    let event = app.stripe.event("checkout.session.completed", &ids.session);
    let replies = join_all((0..50).map(|_| app.deliver(&event))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    app.inbox
        .wait_for(1, std::time::Duration::from_secs(20))
        .await
        .expect("a mail");
    // Another event about the same purchase has no further effect.
    let later = app
        .stripe
        .event("checkout.session.async_payment_succeeded", &ids.session);
    app.deliver(&later).await.expect_status(200);
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(app.inbox.messages().len(), 1);
    assert_eq!(keys_in_mails(&app).len(), 1);
    assert_eq!(orders(&shop).await.len(), 1);
    assert_eq!(events(&shop).await.len(), 2);
    app.stop().await;
}

both!(two_processes_reduce_one_event_once);
async fn two_processes_reduce_one_event_once(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let second = app.second().await;
    for _ in 0..3 {
        let ids = app.stripe.add_checkout(Shop::checkout("price_personal", 1));
        let event = app.stripe.event("checkout.session.completed", &ids.session);
        let again = app
            .stripe
            .event("checkout.session.async_payment_succeeded", &ids.session);
        let (one, two) = tokio::join!(app.deliver(&event), second.deliver(&again));
        assert_eq!((one.status, two.status), (200, 200));
        tokio::join!(app.drain(), second.drain());
    }
    assert_eq!(orders(&shop).await.len(), 3);
    assert_eq!(keys_in_mails(&app).len(), 3);
    second.stop().await;
    app.stop().await;
}

both!(bad_deliveries_are_refused_and_store_nothing);
async fn bad_deliveries_are_refused_and_store_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let ids = app.stripe.add_checkout(Shop::checkout("price_personal", 1));
    let body = app
        .stripe
        .event("checkout.session.completed", &ids.session)
        .to_string()
        .into_bytes();
    let now = app.now();
    let good = sign_event(WEBHOOK_SECRETS[0], now, &body);
    let v1 = good.split_once("v1=").unwrap().1.to_owned();
    let headers = [
        String::new(),
        "t=,v1=".to_owned(),
        format!("t={now}"),
        format!("v1={v1}"),
        format!("t={now},v0={v1}"),
        format!("t={now},v1={}", "0".repeat(64)),
        sign_event("whsec_wrong", now, &body),
        sign_event(WEBHOOK_SECRETS[0], now - 301, &body),
        sign_event(WEBHOOK_SECRETS[0], now + 301, &body),
        format!("t={},v1={v1}", now - 1),
    ];
    for header in headers {
        app.deliver_raw(body.clone(), &header)
            .await
            .expect_problem(400, "signature_invalid");
    }
    let mut tampered = body.clone();
    *tampered.last_mut().unwrap() = b' ';
    app.deliver_raw(tampered, &good)
        .await
        .expect_problem(400, "signature_invalid");
    let signed = |body: &[u8]| sign_event(WEBHOOK_SECRETS[0], now, body);
    let latin = b"{\"id\":\"evt_\xe9\"}".to_vec();
    let header = signed(&latin);
    app.deliver_raw(latin, &header)
        .await
        .expect_problem(400, "malformed_json");
    let no_id = b"{\"type\":\"checkout.session.completed\"}".to_vec();
    let header = signed(&no_id);
    app.deliver_raw(no_id, &header)
        .await
        .expect_problem(400, "malformed_json");
    let huge = vec![b' '; 1_100_000];
    let header = signed(&huge);
    app.deliver_raw(huge, &header)
        .await
        .expect_problem(413, "payload_too_large");
    app.drain().await;
    assert!(events(&shop).await.is_empty());
    assert!(orders(&shop).await.is_empty());

    // Either secret, and any of several signatures, is good.
    let second = sign_event(WEBHOOK_SECRETS[1], now, &body);
    let right = second.split_once("v1=").unwrap().1.to_owned();
    let rolled = format!("t={now},v1={},v1={right}", "0".repeat(64));
    app.deliver_raw(body, &rolled).await.expect_status(200);
    app.drain().await;
    assert_eq!(orders(&shop).await.len(), 1);
    app.stop().await;
}

both!(other_modes_and_types_are_stored_and_touch_nothing);
async fn other_modes_and_types_are_stored_and_touch_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let ids = app.stripe.add_checkout(Shop::checkout("price_personal", 1));
    let mut live = app.stripe.event("checkout.session.completed", &ids.session);
    live["livemode"] = json!(true);
    app.deliver(&live).await.expect_status(200);
    let unknown = app.stripe.event("customer.tax_id.created", "txi_1");
    app.deliver(&unknown).await.expect_status(200);
    app.deliver(&json!({ "id": "evt_min", "type": "x" }))
        .await
        .expect_status(200);
    app.drain().await;
    let statuses: Vec<String> = events(&shop)
        .await
        .iter()
        .map(|e| e["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(statuses.len(), 3);
    assert!(
        statuses.contains(&"ignored_mode".to_owned()),
        "{statuses:?}"
    );
    assert!(orders(&shop).await.is_empty());
    assert!(app.inbox.messages().is_empty());
    app.stop().await;
}

both!(an_unmapped_price_waits_for_its_mapping);
async fn an_unmapped_price_waits_for_its_mapping(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let mut checkout = Shop::checkout("price_unknown", 1);
    checkout
        .lines
        .extend(Shop::checkout("price_personal", 1).lines);
    let ids = app.stripe.add_checkout(checkout);
    app.deliver(&app.stripe.event("checkout.session.completed", &ids.session))
        .await
        .expect_status(200);
    app.drain().await;
    let order = orders(&shop).await.remove(0);
    assert_eq!(order["status"], "needs_mapping");
    assert_eq!(keys_in_mails(&app).len(), 1);

    let price = json!({
        "external_id": "price_unknown", "policies": [shop.policy], "quantity_rule": "seats",
    });
    shop.admin
        .post("/v1/admin/prices", &price)
        .await
        .expect_status(201);
    let path = format!("/v1/admin/orders/{}/fulfil", order["id"].as_str().unwrap());
    for _ in 0..2 {
        shop.admin.post(&path, &json!({})).await.expect_status(200);
        app.drain().await;
    }
    assert_eq!(orders(&shop).await[0]["status"], "fulfilled");
    let customer = app.customer(BUYER).await;
    assert!(
        customer
            .get("/")
            .await
            .text()
            .matches("/licenses/lic_")
            .count()
            >= 2
    );
    app.stop().await;
}

both!(quantity_means_seats_or_licenses_as_the_price_says);
async fn quantity_means_seats_or_licenses_as_the_price_says(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let price = json!({
        "external_id": "price_many", "policies": ["personal"], "quantity_rule": "licenses",
    });
    shop.admin
        .post("/v1/admin/prices", &price)
        .await
        .expect_status(201);
    let seats = shop
        .buy_checkout(&app, Shop::checkout("price_personal", 3))
        .await;
    let body = json!({ "key": seats.key, "kit": "feedback-widget" });
    let look = app.anonymous().post("/v1/licenses/validate", &body).await;
    assert_eq!(look.str("/license/seats/limit"), "15");
    shop.buy_checkout(&app, Shop::checkout("price_many", 3))
        .await;
    let keys = keys_in_mails(&app);
    assert_eq!(keys.len(), 4);
    let last = app.inbox.messages().pop().unwrap();
    assert_eq!(last.text().matches("kwl_").count(), 3);
    app.stop().await;
}

both!(an_unreachable_stripe_delays_and_loses_nothing);
async fn an_unreachable_stripe_delays_and_loses_nothing(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let ids = app.stripe.add_checkout(Shop::checkout("price_personal", 1));
    app.stripe.set_down(true);
    app.deliver(&app.stripe.event("checkout.session.completed", &ids.session))
        .await
        .expect_status(200);
    app.drain().await;
    assert!(orders(&shop).await.is_empty());
    app.stripe.set_down(false);
    app.clock.advance(120);
    app.drain().await;
    assert_eq!(orders(&shop).await.len(), 1);
    assert_eq!(keys_in_mails(&app).len(), 1);
    app.stop().await;
}

both!(no_mail_of_an_order_holds_the_key_of_what_went_to_another_owner);
async fn no_mail_of_an_order_holds_the_key_of_what_went_to_another_owner(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let mut checkout = Shop::checkout("price_unknown", 1);
    let known = Shop::checkout("price_personal", 1);
    checkout.lines.extend(known.lines);
    let ids = app.stripe.add_checkout(checkout);
    let event = app.stripe.event("checkout.session.completed", &ids.session);
    app.deliver(&event).await.expect_status(200);
    app.drain().await;
    let licenses = shop.admin.get("/v1/admin/licenses").await;
    let transfer = format!(
        "/v1/admin/licenses/{}/transfer",
        licenses.str("/items/0/id")
    );
    let to = json!({ "email": "new-owner@example.com" });
    shop.admin.post(&transfer, &to).await.expect_status(200);
    app.drain().await;
    app.inbox.clear();
    let price = json!({
        "external_id": "price_unknown", "policies": [shop.policy], "quantity_rule": "seats",
    });
    let priced = shop.admin.post("/v1/admin/prices", &price).await;
    priced.expect_status(201);
    let order = orders(&shop).await.remove(0);
    let path = format!("/v1/admin/orders/{}/fulfil", order["id"].as_str().unwrap());
    shop.admin.post(&path, &json!({})).await.expect_status(200);
    app.drain().await;
    assert_eq!(keys_in_mails(&app).len(), 1, "the second license's alone");
    app.stop().await;
}

both!(an_unpaid_checkout_is_fulfilled_when_the_payment_succeeds);
async fn an_unpaid_checkout_is_fulfilled_when_the_payment_succeeds(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let mut checkout = Shop::checkout("price_personal", 1);
    "unpaid".clone_into(&mut checkout.payment_status);
    let ids = app.stripe.add_checkout(checkout);
    app.deliver(&app.stripe.event("checkout.session.completed", &ids.session))
        .await
        .expect_status(200);
    app.drain().await;
    assert!(orders(&shop).await.is_empty());
    app.stripe.set_payment_status(&ids.session, "paid");
    let event = app
        .stripe
        .event("checkout.session.async_payment_succeeded", &ids.session);
    app.deliver(&event).await.expect_status(200);
    app.drain().await;
    assert_eq!(orders(&shop).await.len(), 1);
    let _ = key_in(&app.inbox.messages()[0].text());
    app.stop().await;
}

#[test]
fn management_needs_a_token_with_the_right_scope() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let paths = [
            "/v1/admin/kits",
            "/v1/admin/policies",
            "/v1/admin/prices",
            "/v1/admin/orders",
            "/v1/admin/events",
            "/v1/admin/releases",
        ];
        let read = app.token(Scope::Read).await;
        let publish = app.token(Scope::Publish).await;
        let forged = app
            .anonymous()
            .with("authorization", "Bearer kwa_aaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        for path in paths {
            app.anonymous()
                .get(path)
                .await
                .expect_problem(401, "unauthorized");
            forged.get(path).await.expect_problem(401, "unauthorized");
            read.get(path).await.expect_status(200);
            let reply = read.post(path, &json!({})).await;
            assert!(
                [403, 405].contains(&reply.status),
                "{path} {}",
                reply.status
            );
        }
        let kit = json!({ "slug": "a", "name": "A", "description": "" });
        read.post("/v1/admin/kits", &kit)
            .await
            .expect_problem(403, "insufficient_scope");
        publish
            .post("/v1/admin/kits", &kit)
            .await
            .expect_problem(403, "insufficient_scope");
        publish
            .get("/v1/admin/orders")
            .await
            .expect_problem(403, "insufficient_scope");
        app.stop().await;
    });
}

both!(a_failed_event_is_tried_anew_by_hand_or_by_another_delivery);
async fn a_failed_event_is_tried_anew_by_hand_or_by_another_delivery(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let ids = app.stripe.add_checkout(Shop::checkout("price_personal", 1));
    let event = app.stripe.event("checkout.session.completed", &ids.session);
    app.stripe.set_down(true);
    app.deliver(&event).await.expect_status(200);
    // Until the outbox gives up.
    for _ in 0..14 {
        app.drain().await;
        app.clock.advance(86_400);
    }
    assert_eq!(events(&shop).await[0]["status"], "failed");
    app.deliver(&event).await.expect_status(200);
    assert_eq!(events(&shop).await[0]["status"], "received");
    for _ in 0..14 {
        app.drain().await;
        app.clock.advance(86_400);
    }
    app.stripe.set_down(false);
    let id = events(&shop).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/admin/events/{id}/retry");
    for retried in ["true", "false"] {
        let reply = shop.admin.post(&path, &json!({})).await.expect_status(200);
        assert_eq!(reply.str("/retried"), retried);
    }
    app.drain().await;
    assert_eq!(events(&shop).await[0]["status"], "handled");
    assert_eq!(orders(&shop).await.len(), 1);
    assert_eq!(keys_in_mails(&app).len(), 1);
    app.stop().await;
}

both!(a_buyer_who_is_signed_in_already_owns_the_purchase);
async fn a_buyer_who_is_signed_in_already_owns_the_purchase(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let customer = app.customer(BUYER).await;
    assert!(
        !customer
            .get("/")
            .await
            .expect_status(200)
            .text()
            .contains("/licenses/lic_")
    );
    shop.buy(&app).await;
    assert!(
        customer
            .get("/")
            .await
            .expect_status(200)
            .text()
            .contains("/licenses/lic_")
    );
    app.stop().await;
}

both!(keys_are_mailed_to_the_whole_address_or_not_at_all);
async fn keys_are_mailed_to_the_whole_address_or_not_at_all(kind: Kind) {
    let app = TestApp::start(kind).await;
    let shop = Shop::open(&app).await;
    let label = "b".repeat(60);
    let long = format!("buyer@{label}.{label}.{label}.com-pany.example");
    for (typed, mails) in [(long.as_str(), 1), ("no address", 1)] {
        let mut checkout = Shop::checkout("price_personal", 1);
        typed.clone_into(&mut checkout.email);
        let ids = app.stripe.add_checkout(checkout);
        let event = app.stripe.event("checkout.session.completed", &ids.session);
        app.deliver(&event).await.expect_status(200);
        app.drain().await;
        let found = app.inbox.messages();
        assert_eq!(found.len(), mails, "{typed}");
        assert!(found.iter().all(|mail| mail.to == [long.clone()]));
    }
    assert_eq!(orders(&shop).await.len(), 2);
    app.stop().await;
}
