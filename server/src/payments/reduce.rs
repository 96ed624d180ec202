//! Reducing a stored event to state.

use std::sync::Arc;

use super::complete::CompleteError;
use super::fulfil::{Fulfil, Fulfilled, fulfil};
use super::model::{Envelope, EnvelopeError, EventStatus, Mode, PaymentEventId};
use super::receive::cell;
use super::store;
use super::stripe::FetchError;
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::http::error::chain;
use crate::outbox::Failure;
use crate::secrets::SealError;

/// Why an event was not reduced.
#[derive(Debug, thiserror::Error)]
pub enum ReduceError {
    /// No such event.
    #[error("there is no such event")]
    NoEvent,
    /// It names no object.
    #[error("the event names no object")]
    NoObject,
    /// Its body does not open.
    #[error("the event's body does not open")]
    Seal(#[from] SealError),
    /// Its body is no event.
    #[error("the event's body cannot be read")]
    Envelope(#[from] EnvelopeError),
    /// There is no way to Stripe.
    #[error("no Stripe API key is configured")]
    NoApiKey,
    /// Stripe did not show the object.
    #[error("the checkout could not be fetched")]
    Fetch(#[from] FetchError),
    /// It could not be recorded.
    #[error("the checkout could not be fulfilled")]
    Fulfil(#[from] CompleteError),
    /// The database failed.
    #[error("the database failed while an event was reduced")]
    Db(#[from] DbError),
}

impl ReduceError {
    fn is_final(&self) -> bool {
        match self {
            Self::NoEvent | Self::NoObject | Self::Envelope(_) => true,
            Self::Fetch(error) => error.is_final(),
            // The operator restores a key, or the database comes back.
            Self::Seal(_) | Self::NoApiKey | Self::Fulfil(_) | Self::Db(_) => false,
        }
    }
}

/// Fetches what the event is about and applies it.
pub async fn reduce(app: &Arc<App>, event: &PaymentEventId) -> Result<(), Failure> {
    let Err(error) = apply(app, event).await else {
        return Ok(());
    };
    let reason = chain(&error);
    if !error.is_final() {
        return Err(Failure::Retry(reason));
    }
    match settle(app, event, EventStatus::Failed).await {
        Ok(()) => Err(Failure::Never(reason)),
        Err(error) => Err(Failure::retry(&error)),
    }
}

async fn apply(app: &App, id: &PaymentEventId) -> Result<(), ReduceError> {
    let wanted = id.clone();
    let event = app
        .db
        .read(move |conn| store::find_event(conn, &wanted))
        .await?
        .ok_or(ReduceError::NoEvent)?;
    if event.status == EventStatus::Handled {
        return Ok(());
    }
    let body = app.vault.open(cell(id), &event.sealed_body)?;
    let object = Envelope::parse(&body)?.object_id;
    let object = object.ok_or(ReduceError::NoObject)?;
    let stripe = app.stripe.as_ref().ok_or(ReduceError::NoApiKey)?;
    let checkout = stripe.fetch_checkout(&object).await?;
    if Mode::of(checkout.livemode) != app.config.stripe.mode {
        return Ok(settle(app, id, EventStatus::IgnoredMode).await?);
    }
    if !checkout.is_bought() {
        // Either it never concerns us, or another event will tell when it is paid.
        return Ok(settle(app, id, EventStatus::Handled).await?);
    }
    let event = id.clone();
    let fulfilled = fulfil(app, &Fulfil { checkout, event }).await?;
    log(id, &fulfilled);
    Ok(())
}

fn log(event: &PaymentEventId, fulfilled: &Fulfilled) {
    let event = event.as_str();
    match fulfilled {
        Fulfilled::Known => tracing::debug!(event.id = event, "the order was recorded before"),
        Fulfilled::Recorded { order, completion } => tracing::info!(
            event.id = event,
            order.id = order.as_str(),
            order.status = completion.status.as_str(),
            licenses = completion.issued,
            "order recorded"
        ),
    }
}

/// The outbox tried long enough: the event waits for somebody to try it anew.
pub async fn gave_up(app: &App, event: &PaymentEventId) -> Result<(), DbError> {
    settle(app, event, EventStatus::Failed).await
}

async fn settle(app: &App, id: &PaymentEventId, status: EventStatus) -> Result<(), DbError> {
    let (event, now) = (id.clone(), app.clock.now());
    app.db
        .write(Shard::of(id.as_str()), move |tx| {
            store::settle_event(tx, &event, status, now)
        })
        .await
}
