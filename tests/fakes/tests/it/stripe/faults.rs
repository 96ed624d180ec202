use std::time::Duration;

use kitward_fakes::{Checkout, FakeStripe};
use stripe::{ClientBuilder, StripeError};
use stripe_checkout::checkout_session::RetrieveCheckoutSession;

use super::{KEY, address, client, get};
use crate::Outcome;

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
        .timeout(Duration::from_millis(500))
        .build()?;
    let slow = retrieve.send(&impatient).await;
    assert!(matches!(&slow, Err(StripeError::Timeout)), "{slow:?}");
    assert_eq!(stripe.requests().len(), 2);
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
