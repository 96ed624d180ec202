use kitward_fakes::{Checkout, FakeStripe};
use stripe_checkout::CheckoutSession;

use super::{KEY, get, many_lines};
use crate::Outcome;

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
async fn ids_are_the_same_each_time_and_differ_within_a_run() -> Outcome {
    let (one, two) = (FakeStripe::start().await?, FakeStripe::start().await?);
    let first = one.add_checkout(many_lines(2));
    assert_eq!(first, two.add_checkout(many_lines(2)));
    // What is asked in between does not count.
    get(&one, "/", KEY).await?;
    let second = one.add_checkout(many_lines(2));
    assert_ne!(first.session, second.session);
    assert_eq!(second, two.add_checkout(many_lines(2)));
    assert!(first.session.len() == 66 && first.session.starts_with("cs_test_"));
    Ok(())
}
