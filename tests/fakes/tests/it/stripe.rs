use std::net::SocketAddr;
use std::time::Duration;

use kitward_fakes::{Checkout, CheckoutLine, FakeStripe};
use stripe::{Client, ClientBuilder, StripeError};
use stripe_checkout::CheckoutSession;
use stripe_checkout::checkout_session::{ListLineItemsCheckoutSession, RetrieveCheckoutSession};

use crate::{Outcome, http};

const KEY: &str = "Authorization: Bearer sk_test_x\r\n";

fn client(stripe: &FakeStripe) -> Outcome<Client> {
    Ok(ClientBuilder::new("sk_test_x")
        .url(stripe.base_url())
        .build()?)
}

fn address(stripe: &FakeStripe) -> Outcome<SocketAddr> {
    let url = stripe.base_url();
    let address = url
        .strip_prefix("http://")
        .and_then(|rest| rest.strip_suffix('/'));
    Ok(address.ok_or("not an address")?.parse()?)
}

async fn get(stripe: &FakeStripe, path: &str, headers: &str) -> Outcome<http::Answer> {
    http::get(address(stripe)?, path, &format!("Host: api\r\n{headers}")).await
}

fn company_sale() -> Checkout {
    Checkout {
        livemode: true,
        email: "orders@example.com".to_owned(),
        name: Some("Example Company".to_owned()),
        currency: "eur".to_owned(),
        customer: Some("cus_1".to_owned()),
        country: Some("DE".to_owned()),
        tax_id: Some(("eu_vat".to_owned(), "DE123456789".to_owned())),
        lines: vec![
            CheckoutLine {
                price: "price_1".to_owned(),
                product: "prod_1".to_owned(),
                description: "Changelog Kit".to_owned(),
                quantity: 3,
                unit_amount: 2700,
                tax: 1539,
            },
            CheckoutLine::default(),
        ],
        ..Checkout::default()
    }
}

fn many_lines(count: usize) -> Checkout {
    Checkout {
        lines: vec![CheckoutLine::default(); count],
        ..Checkout::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_read_through_the_stripe_client() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(company_sale());
    let session = RetrieveCheckoutSession::new(ids.session.as_str())
        .expand(vec!["line_items".to_owned(), "customer".to_owned()])
        .send(&client(&stripe)?)
        .await?;

    assert_eq!(session.id.as_str(), ids.session);
    assert!(ids.session.starts_with("cs_live_"));
    assert!(session.livemode);
    assert_eq!(session.mode.as_str(), "payment");
    assert_eq!(session.payment_status.as_str(), "paid");
    assert_eq!(
        session.status.map(|status| status.to_string()).as_deref(),
        Some("complete")
    );
    assert_eq!(
        session
            .currency
            .map(|currency| currency.to_string())
            .as_deref(),
        Some("eur")
    );
    assert_eq!(session.amount_subtotal, Some(11_800));
    assert_eq!(session.amount_total, Some(13_339));
    assert_eq!(
        session.total_details.map(|total| total.amount_tax),
        Some(1539)
    );
    let payment = session.payment_intent.ok_or("no payment")?;
    assert_eq!(payment.id().as_str(), ids.payment_intent);
    let customer = session.customer.ok_or("no customer")?;
    assert_eq!(customer.id().as_str(), "cus_1");

    let details = session.customer_details.ok_or("no details")?;
    assert_eq!(details.email.as_deref(), Some("orders@example.com"));
    assert_eq!(details.name.as_deref(), Some("Example Company"));
    assert_eq!(
        details
            .address
            .and_then(|address| address.country)
            .as_deref(),
        Some("DE")
    );
    let tax_ids = details.tax_ids.ok_or("no tax ids")?;
    let tax_id = tax_ids.first().ok_or("no tax id")?;
    assert_eq!(
        (tax_id.type_.as_str(), tax_id.value.as_deref()),
        ("eu_vat", Some("DE123456789"))
    );
    assert_eq!(session.line_items.ok_or("not expanded")?.data.len(), 2);
    Ok(())
}

#[tokio::test]
async fn positions_are_read_through_the_stripe_client() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(company_sale());
    let list = ListLineItemsCheckoutSession::new(ids.session.as_str());
    let items = list.send(&client(&stripe)?).await?;
    assert!(!items.has_more);
    let item = items.data.first().ok_or("no position")?;
    assert_eq!(
        Some(item.id.as_str()),
        ids.line_items.first().map(String::as_str)
    );
    assert_eq!(item.description.as_deref(), Some("Changelog Kit"));
    assert_eq!(item.quantity, Some(3));
    assert_eq!(
        (item.amount_subtotal, item.amount_tax, item.amount_total),
        (8100, 1539, 9639)
    );
    assert_eq!(item.currency.to_string(), "eur");
    let price = item.price.as_ref().ok_or("no price")?;
    assert_eq!(price.id.as_str(), "price_1");
    assert_eq!(price.product.id().as_str(), "prod_1");
    assert_eq!(price.unit_amount, Some(2700));
    assert!(price.livemode);
    Ok(())
}

#[tokio::test]
async fn positions_come_in_pages() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(many_lines(25));
    let client = client(&stripe)?;

    let expanded = RetrieveCheckoutSession::new(ids.session.as_str())
        .expand(vec!["line_items".to_owned()])
        .send(&client)
        .await?;
    let first = expanded.line_items.ok_or("not expanded")?;
    assert_eq!((first.data.len(), first.has_more), (10, true));

    let mut seen: Vec<String> = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let mut list = ListLineItemsCheckoutSession::new(ids.session.as_str()).limit(12);
        if let Some(last) = seen.last() {
            list = list.starting_after(last.as_str());
        }
        let page = list.send(&client).await?;
        sizes.push(page.data.len());
        seen.extend(page.data.iter().map(|item| item.id.to_string()));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(sizes, [12, 12, 1]);
    assert_eq!(seen, ids.line_items);

    let path = format!("/v1/checkout/sessions/{}/line_items", ids.session);
    for wrong in ["limit=0", "limit=101", "limit=x", "starting_after=li_0"] {
        let answer = get(&stripe, &format!("{path}?{wrong}"), KEY).await?;
        assert_eq!(answer.status, "400", "{wrong}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_to_pay_means_no_payment_and_guests_are_no_customers() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let free = Checkout {
        payment_status: "no_payment_required".to_owned(),
        ..Checkout::default()
    };
    let ids = stripe.add_checkout(free);
    assert_eq!(ids.payment_intent, "");
    let retrieve = RetrieveCheckoutSession::new(ids.session.as_str());
    let session = retrieve.send(&client(&stripe)?).await?;
    assert!(session.payment_intent.is_none());
    assert!(session.customer.is_none());
    assert!(session.line_items.is_none());
    Ok(())
}

#[tokio::test]
async fn an_event_holds_the_object_of_its_moment() -> Outcome {
    let stripe = FakeStripe::start().await?;
    stripe.set_now(1_700_000_000);
    let unpaid = Checkout {
        payment_status: "unpaid".to_owned(),
        ..Checkout::default()
    };
    let ids = stripe.add_checkout(unpaid);
    let completed = stripe.event("checkout.session.completed", &ids.session);
    stripe.set_payment_status(&ids.session, "paid");
    let paid = stripe.event("checkout.session.async_payment_succeeded", &ids.session);

    assert_ne!(completed["id"], paid["id"]);
    assert_eq!(completed["object"], "event");
    assert_eq!(completed["type"], "checkout.session.completed");
    assert_eq!(completed["created"], 1_700_000_000);
    assert_eq!(completed["livemode"], false);
    assert_eq!(completed["api_version"], "2026-09-30.endive");
    assert!(completed["request"].is_object() && completed["pending_webhooks"].is_u64());
    assert_eq!(completed["data"]["object"]["payment_status"], "unpaid");
    assert_eq!(paid["data"]["object"]["payment_status"], "paid");
    let session: CheckoutSession = serde_json::from_value(paid["data"]["object"].clone())?;
    assert_eq!(session.created, 1_700_000_000);
    Ok(())
}

#[tokio::test]
async fn other_objects_are_served_and_put_into_events() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let refund = serde_json::json!({ "id": "re_1", "object": "refund", "livemode": true });
    let id = stripe.add_object(refund.clone());
    assert_eq!(id, "re_1");
    assert_eq!(get(&stripe, "/v1/refunds/re_1", KEY).await?.json()?, refund);
    let event = stripe.event("refund.created", &id);
    assert_eq!(
        (&event["data"]["object"], &event["livemode"]),
        (&refund, &true.into())
    );

    let unnamed = stripe.add_object(serde_json::json!({ "object": "charge" }));
    let served = get(&stripe, &format!("/v1/charges/{unnamed}"), KEY)
        .await?
        .json()?;
    assert_eq!(served["id"], unnamed.as_str());
    assert_eq!(
        stripe.event("charge.refunded", "ch_0")["data"]["object"]["id"],
        "ch_0"
    );
    Ok(())
}

#[tokio::test]
async fn a_session_can_be_bent_into_any_shape() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(Checkout::default());
    stripe.edit_session(&ids.session, |session| {
        session["customer_details"] = ().into()
    });
    stripe.edit_session("cs_0", |session| session["id"] = "never".into());
    let path = format!("/v1/checkout/sessions/{}", ids.session);
    assert!(get(&stripe, &path, KEY).await?.json()?["customer_details"].is_null());
    Ok(())
}

#[tokio::test]
async fn unknown_ids_and_paths_are_answered_like_stripe_does() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let retrieve = RetrieveCheckoutSession::new("cs_0")
        .send(&client(&stripe)?)
        .await;
    let Err(StripeError::Stripe(error, 404)) = retrieve else {
        return Err("the session was found".into());
    };
    assert_eq!(error.type_.as_str(), "invalid_request_error");
    assert_eq!(
        error.code.map(|code| code.to_string()).as_deref(),
        Some("resource_missing")
    );
    assert_eq!(
        error.message.as_deref(),
        Some("No such checkout.session: 'cs_0'")
    );

    for path in [
        "/v1/checkout/sessions/cs_0/line_items",
        "/v1/refunds/re_0",
        "/v2/refunds",
        "/",
    ] {
        let answer = get(&stripe, path, KEY).await?;
        assert_eq!(answer.status, "404", "{path}");
        assert!(
            answer.head.contains("\r\nrequest-id: req_"),
            "{}",
            answer.head
        );
        assert!(answer.json()?["error"]["message"].is_string());
    }
    Ok(())
}

#[tokio::test]
async fn a_request_without_a_secret_key_is_refused() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(Checkout::default());
    let path = format!("/v1/checkout/sessions/{}", ids.session);
    for wrong in [
        "",
        "Authorization: Bearer pk_test_x\r\n",
        "Authorization: Basic c2s6\r\n",
    ] {
        let answer = get(&stripe, &path, wrong).await?;
        assert_eq!(answer.status, "401", "{wrong}");
        assert_eq!(answer.json()?["error"]["type"], "invalid_request_error");
    }
    assert_eq!(
        get(&stripe, &path, "Authorization: Bearer rk_test_x\r\n")
            .await?
            .status,
        "200"
    );
    Ok(())
}

#[tokio::test]
async fn requests_fail_as_told_and_are_recorded() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(Checkout::default());
    let path = format!("/v1/checkout/sessions/{}?expand[]=line_items", ids.session);
    stripe.fail_next(2, 429);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&stripe, &path, KEY).await?.status);
    }
    stripe.set_down(true);
    statuses.push(get(&stripe, &path, KEY).await?.status);
    stripe.set_down(false);
    statuses.push(get(&stripe, &path, KEY).await?.status);
    assert_eq!(statuses, ["429", "429", "200", "503", "200"]);

    let requests = stripe.requests();
    assert_eq!(requests.len(), 5);
    let request = requests.first().ok_or("no request")?;
    assert_eq!((request.method.as_str(), &request.path), ("GET", &path));
    assert_eq!(request.authorization.as_deref(), Some("Bearer sk_test_x"));
    stripe.clear_requests();
    assert_eq!(stripe.requests(), []);
    Ok(())
}

#[tokio::test]
async fn the_client_sees_failures_and_slowness() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(Checkout::default());
    let retrieve = RetrieveCheckoutSession::new(ids.session.as_str());
    stripe.fail_next(1, 500);
    let failed = retrieve.send(&client(&stripe)?).await;
    assert!(
        matches!(&failed, Err(StripeError::Stripe(_, 500))),
        "{failed:?}"
    );

    stripe.set_delay(Duration::from_secs(30));
    let impatient = ClientBuilder::new("sk_test_x")
        .url(stripe.base_url())
        .timeout(Duration::from_millis(100))
        .build()?;
    let slow = retrieve.send(&impatient).await;
    assert!(matches!(&slow, Err(StripeError::Timeout)), "{slow:?}");
    assert_eq!(stripe.requests().len(), 2);
    Ok(())
}

#[tokio::test]
async fn ids_are_the_same_each_time_and_differ_within_a_run() -> Outcome {
    let (one, two) = (FakeStripe::start().await?, FakeStripe::start().await?);
    let first = one.add_checkout(many_lines(2));
    assert_eq!(first, two.add_checkout(many_lines(2)));
    assert_ne!(first.session, one.add_checkout(many_lines(2)).session);
    assert!(first.session.len() == 66 && first.session.starts_with("cs_test_"));
    Ok(())
}

#[tokio::test]
async fn it_stops_when_told_and_when_nobody_holds_it() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let stopped = address(&stripe)?;
    let clone = stripe.clone();
    stripe.stop().await;
    assert!(tokio::net::TcpStream::connect(stopped).await.is_err());
    clone.stop().await;

    let stripe = FakeStripe::start().await?;
    let dropped = address(&stripe)?;
    drop(stripe.clone());
    assert!(tokio::net::TcpStream::connect(dropped).await.is_ok());
    drop(stripe);
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(dropped).await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the port is still open".into())
}

#[actix_web::test]
async fn it_runs_beside_an_actix_runtime() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(Checkout::default());
    let session = RetrieveCheckoutSession::new(ids.session.as_str())
        .send(&client(&stripe)?)
        .await?;
    assert_eq!(session.id.as_str(), ids.session);
    stripe.stop().await;
    Ok(())
}

#[test]
fn it_outlives_the_runtime_that_started_it() -> Outcome {
    let stripe = tokio::runtime::Runtime::new()?.block_on(FakeStripe::start())?;
    let answer = tokio::runtime::Runtime::new()?.block_on(get(&stripe, "/", KEY))?;
    assert_eq!(answer.status, "404");
    Ok(())
}
