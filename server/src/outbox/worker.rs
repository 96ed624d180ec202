//! Workers: one task per lane, on any number of processes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::ready;
use futures_util::{StreamExt, stream};

use super::model::{Failure, Job, Lane, cell, retry_after};
use super::store::{self, Due, Ending};
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::notices;

/// Rows read at once.
const BATCH: i64 = 50;
/// Rows of a lane tried at the same time.
const PARALLEL: usize = 4;
/// Seconds a reservation lasts. A killed process holds its rows that long, so it is short, and
/// renewed while an attempt goes on.
const RESERVATION: i64 = 15;
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(5);
/// Other processes do not ring our bell, and due times pass in silence.
const POLL: Duration = Duration::from_secs(1);

/// Works on a lane until the app stops.
pub async fn run(app: Arc<App>, lane: Lane) {
    while !app.is_stopping() {
        match drain(&app, lane).await {
            Ok(0) => {
                let bell = app.lanes.bell(lane).notified();
                // Either is a reason to look again.
                let _ = tokio::time::timeout(POLL, bell).await;
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(lane = lane.as_str(), %error, "the outbox could not be read");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

/// Tries every row that is due now; returns how many were tried.
pub async fn drain(app: &Arc<App>, lane: Lane) -> Result<usize, DbError> {
    // Without a way out rows wait; trying them would only use their attempts up.
    let has_outlet = match lane {
        Lane::Mail | Lane::Advisories | Lane::Notices => app.can_mail(),
        Lane::Payments => app.stripe.is_some(),
        Lane::Jobs => true,
    };
    if !has_outlet {
        return Ok(0);
    }
    let mut tried = 0;
    loop {
        let now = app.clock.now();
        let mut rows = app
            .db
            .read_slow(move |conn| store::due(conn, lane, now, BATCH))
            .await?;
        rows.truncate(notices::pace::places(app, lane, rows.len()).await?);
        if rows.is_empty() {
            return Ok(tried);
        }
        let round: usize = stream::iter(rows)
            .take_while(|_row| ready(!app.is_stopping()))
            .map(|row| attempt(app, lane, row))
            .buffer_unordered(PARALLEL)
            .map(usize::from)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .sum();
        tried += round;
        if round == 0 || app.is_stopping() {
            return Ok(tried);
        }
    }
}

/// Whether the row was ours to try.
async fn attempt(app: &Arc<App>, lane: Lane, row: Due) -> bool {
    let until = app.clock.now().plus_seconds(RESERVATION);
    let own = row.clone();
    let taken = app
        .db
        .write(Shard::of(row.id.as_str()), move |tx| {
            store::reserve(tx, &own, until)
        })
        .await;
    match taken {
        Ok(true) => {}
        Ok(false) => return false,
        Err(error) => {
            tracing::warn!(outbox.id = row.id.as_str(), %error, "an outbox row was not reserved");
            return false;
        }
    }
    let ending = ending(
        app,
        lane,
        &row,
        holding(app, &row, perform(app, &row)).await,
    );
    if matches!(ending, Ending::Dead { .. }) {
        give_up(app, &row).await;
    }
    settle(app, row, ending).await;
    true
}

/// What becomes of a cause whose row is dead: a payment event can be tried anew by hand, and who was
/// not told of a release is counted.
async fn give_up(app: &Arc<App>, row: &Due) {
    let Ok(job) = job_of(app, row) else { return };
    let marked = match &job {
        Job::ReducePayment { event } => crate::payments::reduce::gave_up(app, event).await,
        Job::NoticeMail { mail, .. } => notices::send::gave_up(app, mail).await,
        Job::BuyerAdvisory { release, buyer } => {
            notices::buyers::gave_up(app, &row.id, release, buyer).await
        }
        Job::LicenseMail { .. } | Job::SignInMail { .. } | Job::AnnounceRelease { .. } => Ok(()),
    };
    if let Err(error) = marked {
        tracing::warn!(job.kind = job.kind(), %error, "what a given-up row was for was not marked");
    }
}

/// Writes how an attempt ended. Tried for as long as the reservation lasts: a mail that left and
/// is not written down goes again.
async fn settle(app: &App, row: Due, ending: Ending) {
    let row = Arc::new((row, ending));
    for wait in [100, 400, 1_600, 6_400] {
        let own = Arc::clone(&row);
        let shard = Shard::of(row.0.id.as_str());
        let settled = app
            .db
            .write(shard, move |tx| store::settle(tx, &own.0, &own.1))
            .await;
        let Err(error) = settled else { return };
        tracing::warn!(outbox.id = row.0.id.as_str(), %error, "an outbox row was not settled");
        if app.is_stopping() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

/// What a row shall do.
pub(super) fn job_of(app: &App, row: &Due) -> Result<Job, Failure> {
    let opened = app
        .vault
        .open(cell(&row.id), &row.sealed_parameters)
        .map_err(|error| Failure::retry(&error))?;
    // Perhaps written by a newer version that runs beside this one during an upgrade.
    serde_json::from_slice(&opened)
        .map_err(|_unreadable| Failure::Retry("the row's parameters are unreadable".to_owned()))
}

/// Renews the reservation of a row until its attempt has ended.
async fn holding<T>(app: &App, row: &Due, attempt: impl Future<Output = T>) -> T {
    let mut attempt = std::pin::pin!(attempt);
    loop {
        if let Ok(outcome) = tokio::time::timeout(RENEWAL, &mut attempt).await {
            return outcome;
        }
        let until = app.clock.now().plus_seconds(RESERVATION);
        let own = row.clone();
        let shard = Shard::of(row.id.as_str());
        let renewed = app
            .db
            .write(shard, move |tx| store::renew(tx, &own, until))
            .await;
        if let Err(error) = renewed {
            tracing::warn!(outbox.id = row.id.as_str(), %error, "a reservation was not renewed");
        }
    }
}

fn ending(app: &App, lane: Lane, row: &Due, outcome: Result<(), Failure>) -> Ending {
    let now = app.clock.now();
    let (ending, outcome) = match outcome {
        Ok(()) => (Ending::Done(now), "done"),
        Err(Failure::Never(error)) => (Ending::Dead { at: now, error }, "dead"),
        Err(Failure::Retry(error)) => match retry_after(row.attempts + 1, app.entropy.as_ref()) {
            Some(seconds) => (
                Ending::Again {
                    due: now.plus_seconds(seconds),
                    error,
                },
                "retry",
            ),
            None => (Ending::Dead { at: now, error }, "dead"),
        },
    };
    app.metrics.outbox(lane.as_str(), outcome);
    match &ending {
        Ending::Done(_) => tracing::debug!(outbox.id = row.id.as_str(), "outbox row done"),
        Ending::Again { error, .. } => {
            tracing::warn!(
                outbox.id = row.id.as_str(),
                error,
                "outbox row will be tried again"
            );
        }
        Ending::Dead { error, .. } => {
            tracing::error!(outbox.id = row.id.as_str(), error, "outbox row given up");
        }
    }
    ending
}

async fn perform(app: &Arc<App>, row: &Due) -> Result<(), Failure> {
    match job_of(app, row)? {
        Job::LicenseMail { order } => crate::payments::mail::send(app, &row.id, &order).await,
        Job::SignInMail {
            sign_in,
            link,
            code,
        } => crate::people::mail::send(app, &row.id, &sign_in, &link, &code).await,
        Job::ReducePayment { event } => crate::payments::reduce::reduce(app, &event).await,
        Job::AnnounceRelease { release, walk } => notices::walk::walk(app, &release, walk).await,
        Job::NoticeMail { mail, .. } => notices::send::send(app, &row.id, &mail).await,
        Job::BuyerAdvisory { release, buyer } => {
            notices::buyers::send(app, &row.id, &release, &buyer).await
        }
    }
}
