//! One mail to a buyer who never signed in, about one security release: looked at once more, sent, and
//! written down. It goes where the keys went; nobody has proved to read that address, so that it gets
//! nothing but what whoever uses the kit must know.

use std::sync::Arc;

use super::hearing::{Hearing, buyer_hearings};
use super::letter::{Contents, Told, letter};
use super::model::{Hearer, NoticeKind, NoticeState, Reason, WalkState};
use super::store;
use crate::app::App;
use crate::clock::Timestamp;
use crate::customers::model::CustomerId;
use crate::db::{AnyConn, DbError, Shard};
use crate::kits;
use crate::outbox::{Failure, OutboxId};
use crate::releases;
use crate::releases::model::ReleaseId;

/// Sends it, where there still is something to say.
pub async fn send(
    app: &Arc<App>,
    row: &OutboxId,
    release: &ReleaseId,
    buyer: &CustomerId,
) -> Result<(), Failure> {
    let retry = |error: DbError| Failure::retry(&error);
    let Some(mailer) = &app.mailer else {
        return Err(Failure::Retry("no mail server is configured".to_owned()));
    };
    let (id, who, now) = (release.clone(), buyer.clone(), app.clock.now());
    let found = app
        .db
        .read_slow(move |conn| look(conn, (&id, &who), now))
        .await;
    let fate = match found.map_err(retry)? {
        Found::Nothing => return Ok(()),
        Found::Not(reason) => (NoticeState::Skipped, Some(reason)),
        Found::Mail(contents) => {
            if let Some(letter) = letter(app, &contents) {
                mailer.send(row, letter).await?;
            }
            (NoticeState::Sent, None)
        }
    };
    settle(app, (release, buyer), fate).await.map_err(retry)
}

/// Writes that it was given up.
pub async fn gave_up(app: &App, release: &ReleaseId, buyer: &CustomerId) -> Result<(), DbError> {
    settle(app, (release, buyer), (NoticeState::Failed, None)).await
}

enum Found {
    /// It was settled before.
    Nothing,
    Not(Reason),
    Mail(Box<Contents>),
}

fn look(
    conn: &mut AnyConn,
    (id, buyer): (&ReleaseId, &CustomerId),
    now: Timestamp,
) -> Result<Found, DbError> {
    if !store::buyer_waits(conn, (id, buyer))? {
        return Ok(Found::Nothing);
    }
    let walk = store::find_walk(conn, id)?;
    let is_told =
        |walk: &store::Walk| walk.state != WalkState::Skipped && walk.kind == NoticeKind::Advisory;
    if !walk.as_ref().is_some_and(is_told) {
        return Ok(Found::Not(Reason::CalledOff));
    }
    let Some(address) = store::buyers_address(conn, buyer)? else {
        return Ok(Found::Not(Reason::NoAddress));
    };
    let Some(release) = releases::store::find(conn, id)? else {
        return Ok(Found::Not(Reason::TakenBack));
    };
    let Some(kit) = kits::store::find_kit(conn, &release.kit_id)? else {
        return Ok(Found::Not(Reason::TakenBack));
    };
    let heard = buyer_hearings(conn, &release, std::slice::from_ref(buyer), now)?;
    let heard = heard.into_iter().next().map(|(_, hearing)| hearing);
    Ok(match heard.unwrap_or(Hearing::Not(Reason::NotCovered)) {
        Hearing::Not(reason) => Found::Not(reason),
        Hearing::Told(stand) => Found::Mail(Box::new(Contents {
            hearer: Hearer::Buyer(buyer.clone()),
            address,
            told: vec![Told {
                kind: NoticeKind::Advisory,
                release,
                kit,
                stand,
            }],
        })),
    })
}

async fn settle(
    app: &App,
    (release, buyer): (&ReleaseId, &CustomerId),
    fate: (NoticeState, Option<Reason>),
) -> Result<(), DbError> {
    let (release, buyer, now) = (release.clone(), buyer.clone(), app.clock.now());
    app.db
        .write(Shard::of(buyer.as_str()), move |tx| {
            store::settle_buyer(tx, (&release, &buyer), fate, now)
        })
        .await
}
