//! Sending the mail of an order once more, by hand: the same job as after the purchase, so that it goes
//! where that went and tells the keys of the moment at which it leaves.

use std::sync::Arc;

use super::mail::{recipient, told};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Timestamp;
use crate::customers::advance_order::lock_order_in;
use crate::customers::model::OrderId;
use crate::db::{DbError, Shard, WriteTx};
use crate::idempotency::{Claim, Once};
use crate::outbox::{self, Job, Lane, Prepared};
use crate::secrets::SealError;

/// Whose mail is sent once more.
#[derive(Debug, Clone)]
pub struct ResendMail {
    /// The order.
    pub order: OrderId,
    /// Who says so.
    pub actor: Actor,
}

/// Why no mail is sent.
#[derive(Debug, thiserror::Error)]
pub enum ResendMailError {
    /// No such order.
    #[error("there is no such order")]
    NoOrder,
    /// It was bought without an address that mails can go to.
    #[error("the order has no usable mail address")]
    NoRecipient,
    /// It has no licenses, or none whose key may be told any more.
    #[error("the order has no license whose key may be told")]
    NothingToTell,
    /// One has not left yet.
    #[error("a mail of the order waits to be sent")]
    Waits,
    /// The mail could not be prepared.
    #[error("the mail could not be sealed")]
    Seal(#[from] SealError),
    /// The database failed.
    #[error("the database failed while a mail was to be sent once more")]
    Db(#[from] DbError),
}

/// Sends it, once for each claim.
pub async fn resend_mail(
    app: &Arc<App>,
    input: ResendMail,
    claim: Claim,
) -> Result<Once<OrderId>, ResendMailError> {
    let job = Job::LicenseMail {
        order: input.order.clone(),
    };
    let mail = outbox::prepare(app, &job)?;
    let (parts, now) = (Arc::clone(app), app.clock.now());
    let shard = Shard::of(input.order.as_str());
    let resent = app.db.write(shard, move |tx| {
        claim.once(tx, &input.order, |tx| {
            check_in(tx, &parts, &job, &input.order)?;
            resend_mail_in(tx, &input, &mail, now)?;
            Ok::<_, ResendMailError>(input.order.clone())
        })
    });
    let resent = resent.await?;
    app.lanes.wake(Lane::Mail);
    Ok(resent)
}

/// Locks the order, so that of two who ask at once the second finds the mail of the first.
fn check_in(
    tx: &mut WriteTx<'_>,
    app: &App,
    job: &Job,
    order: &OrderId,
) -> Result<(), ResendMailError> {
    let order = lock_order_in(tx, order)?.ok_or(ResendMailError::NoOrder)?;
    if recipient(&order.email).is_none() {
        return Err(ResendMailError::NoRecipient);
    }
    if told(tx.conn(), &order)?.is_empty() {
        return Err(ResendMailError::NothingToTell);
    }
    if outbox::waits(tx, app, job)? {
        return Err(ResendMailError::Waits);
    }
    Ok(())
}

fn resend_mail_in(
    tx: &mut WriteTx<'_>,
    input: &ResendMail,
    mail: &Prepared,
    now: Timestamp,
) -> Result<(), DbError> {
    outbox::insert(tx, mail)?;
    let actor = input.actor.clone();
    let action = "order.mail_resent";
    tx.audit(Entry::new(now, actor, action, &input.order, &[]));
    Ok(())
}
