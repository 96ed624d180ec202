use kitward_fakes::{Checkout, CheckoutLine, FakeStripe};
use stripe_checkout::checkout_session::{ListLineItemsCheckoutSession, RetrieveCheckoutSession};

use super::{KEY, client, get, many_lines};
use crate::Outcome;

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
async fn a_session_can_be_bent_into_any_shape() -> Outcome {
    let stripe = FakeStripe::start().await?;
    let ids = stripe.add_checkout(Checkout::default());
    stripe.edit_session(&ids.session, |session| {
        session["customer_details"] = ().into();
    });
    stripe.edit_session("cs_0", |session| {
        session["id"] = "never".into();
    });
    let path = format!("/v1/checkout/sessions/{}", ids.session);
    assert!(get(&stripe, &path, KEY).await?.json()?["customer_details"].is_null());
    Ok(())
}
