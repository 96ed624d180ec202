//! Storing an event before anything is decided about it.

use super::model::{Envelope, EnvelopeError, EventStatus, Mode, PaymentEventId, Provider};
use super::store::{self, PaymentEvent};
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::outbox::{self, Job, Lane};
use crate::secrets::{Cell, SealError};

/// Why an event was not stored.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The body is no event.
    #[error("the body is no event")]
    Envelope(#[from] EnvelopeError),
    /// It could not be sealed.
    #[error("the event could not be sealed")]
    Seal(#[from] SealError),
    /// The database failed.
    #[error("the database failed while an event was stored")]
    Db(#[from] DbError),
}

/// Where the body of an event is kept.
pub(super) fn cell(id: &PaymentEventId) -> Cell<'_> {
    Cell {
        table: "payment_events",
        column: "sealed_body",
        row: id.as_str(),
    }
}

/// Stores a signed event and, where it matters, the job that reduces it. A repeated delivery
/// changes nothing, unless the event could not be reduced before: then it is tried anew.
pub async fn receive(app: &App, body: &[u8]) -> Result<(), ReceiveError> {
    let envelope = Envelope::parse(body)?;
    let now = app.clock.now();
    let id = PaymentEventId::new(now, app.entropy.as_ref());
    let status = envelope.status(app.config.stripe.mode);
    let job = (status == EventStatus::Received)
        .then(|| outbox::prepare(app, &Job::ReducePayment { event: id.clone() }))
        .transpose()?;
    let row = PaymentEvent {
        sealed_body: app.vault.seal(cell(&id), body)?,
        id,
        provider: Provider::Stripe,
        mode: envelope.mode,
        event_id: envelope.event_id,
        event_type: envelope.event_type,
        object_id: envelope.object_id,
        status,
        received_at: now,
        handled_at: None,
    };
    let shard = Shard::of(row.event_id.as_str());
    let (provider, mode, event_id) = (row.provider, row.mode, row.event_id.clone());
    let stored = app
        .db
        .write(shard, move |tx| -> Result<bool, DbError> {
            let new = tx.unless_taken(|tx| store::insert_event(tx, &row))?;
            if let (Some(()), Some(job)) = (new, &job) {
                outbox::insert(tx, job)?;
            }
            Ok(new.is_some())
        })
        .await?;
    if !stored {
        revive(app, provider, mode, event_id).await?;
    }
    app.lanes.wake(Lane::Payments);
    Ok(())
}

/// A delivery repeated by hand is how a vendor asks for another try.
async fn revive(
    app: &App,
    provider: Provider,
    mode: Mode,
    event_id: String,
) -> Result<(), ReceiveError> {
    let known = app
        .db
        .read(move |conn| store::find_event_by_key(conn, provider, mode, &event_id))
        .await?;
    if let Some(event) = known.filter(|event| event.status == EventStatus::Failed) {
        retry(app, &event.id).await?;
    }
    Ok(())
}

/// Lets a failed event be reduced again; `false` when it did not fail.
pub async fn retry(app: &App, id: &PaymentEventId) -> Result<bool, ReceiveError> {
    let job = outbox::prepare(app, &Job::ReducePayment { event: id.clone() })?;
    let event = id.clone();
    let retried = app
        .db
        .write(Shard::of(id.as_str()), move |tx| -> Result<bool, DbError> {
            let reopened = store::reopen_event(tx, &event)?;
            if reopened {
                outbox::insert(tx, &job)?;
            }
            Ok(reopened)
        })
        .await?;
    app.lanes.wake(Lane::Payments);
    Ok(retried)
}
