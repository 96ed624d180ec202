//! Fetching a Checkout Session and reducing it to our own struct.

use stripe::Client;
use stripe_checkout::CheckoutSession;
use stripe_checkout::checkout_session::{ListLineItemsCheckoutSession, RetrieveCheckoutSession};

use super::FetchError;
use crate::clock::Timestamp;
use crate::payments::model::{Checkout, CheckoutLine, tidy};

/// Most lines Stripe gives at once.
const PAGE: i64 = 100;
/// Most pages that are read; a session has at most a hundred lines.
const PAGES: usize = 10;

pub(super) async fn fetch(client: &Client, id: &str) -> Result<Checkout, FetchError> {
    // The id becomes a part of the path.
    if !is_session(id) {
        return Err(FetchError::BadId);
    }
    let session = Box::pin(RetrieveCheckoutSession::new(id).send(client)).await?;
    let lines = Box::pin(lines(client, id)).await?;
    checkout(session, lines)
}

fn is_session(id: &str) -> bool {
    id.len() <= 255
        && id.strip_prefix("cs_").is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
}

async fn lines(client: &Client, id: &str) -> Result<Vec<CheckoutLine>, FetchError> {
    let mut lines: Vec<CheckoutLine> = Vec::new();
    for _page in 0..PAGES {
        let mut request = ListLineItemsCheckoutSession::new(id).limit(PAGE);
        if let Some(last) = lines.last() {
            request = request.starting_after(last.line_key.as_str());
        }
        let page = request.send(client).await?;
        let more = page.has_more && !page.data.is_empty();
        lines.extend(page.data.into_iter().map(|item| {
            CheckoutLine {
                line_key: item.id.as_str().to_owned(),
                product: item
                    .price
                    .as_ref()
                    .map(|price| price.product.id().as_str().to_owned()),
                price: item.price.map(|price| price.id.as_str().to_owned()),
                description: item
                    .description
                    .as_deref()
                    .and_then(tidy)
                    .unwrap_or_default(),
                quantity: i64::try_from(item.quantity.unwrap_or(1)).unwrap_or(i64::MAX),
                subtotal: item.amount_subtotal,
                tax: item.amount_tax,
                total: item.amount_total,
            }
        }));
        if !more {
            // A line whose quantity the buyer set to zero was not bought.
            lines.retain(|line| line.quantity > 0);
            return Ok(lines);
        }
    }
    Err(FetchError::TooManyLines)
}

fn checkout(session: CheckoutSession, lines: Vec<CheckoutLine>) -> Result<Checkout, FetchError> {
    let unreadable = |what: &str| FetchError::Unreadable(what.to_owned());
    let created =
        Timestamp::from_unix(session.created).ok_or_else(|| unreadable("created is no time"))?;
    let details = session.customer_details;
    let details = details.as_ref();
    let typed = |text: Option<&String>| text.and_then(|text| tidy(text));
    let tax_ids = details.and_then(|details| details.tax_ids.as_ref());
    Ok(Checkout {
        id: session.id.as_str().to_owned(),
        mode: session.mode.as_str().to_owned(),
        payment_status: session.payment_status.as_str().to_owned(),
        livemode: session.livemode,
        email: details
            .and_then(|details| details.email.clone())
            .or(session.customer_email),
        name: typed(details.and_then(|details| details.name.as_ref()))
            .or_else(|| typed(details.and_then(|details| details.business_name.as_ref()))),
        tax_id: typed(tax_ids.and_then(|ids| ids.iter().find_map(|id| id.value.as_ref()))),
        customer: session
            .customer
            .map(|object| object.id().as_str().to_owned()),
        payment_intent: session
            .payment_intent
            .map(|object| object.id().as_str().to_owned()),
        currency: session
            .currency
            .map(|currency| currency.to_string().to_ascii_uppercase())
            .unwrap_or_default(),
        subtotal: session.amount_subtotal.unwrap_or(0),
        tax: session
            .total_details
            .map_or(0, |details| details.amount_tax),
        total: session.amount_total.unwrap_or(0),
        created,
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::is_session;

    #[test]
    fn an_id_cannot_lead_to_another_path() {
        assert!(is_session("cs_test_a1B2"));
        for bad in [
            "",
            "cs_",
            "pi_1",
            "cs_1/../x",
            "cs_1?a",
            "cs_é",
            &"cs_1".repeat(99),
        ] {
            assert!(!is_session(bad), "{bad}");
        }
    }
}
