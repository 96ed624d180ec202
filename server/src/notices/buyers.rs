//! One mail to a buyer who never signed in, about one security release: looked at once more, sent, and
//! written down. It goes where the keys went; nobody has proved to read that address, so that it gets
//! nothing but what whoever uses the kit must know.

use std::sync::Arc;

use super::announce::{Announcement, look_again_in};
use super::hearing::{Hearing, buyer_hearings};
use super::letter::{Contents, Told, letter};
use super::model::{Hearer, NoticeKind, Reason, WalkState};
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
    let own = row.clone();
    let found = app
        .db
        .read_slow(move |conn| look(conn, (&id, &who), &own, now))
        .await;
    match found.map_err(retry)? {
        Found::Nothing => Ok(()),
        Found::Not(reason) => skip(app, (release, buyer), row, reason).await,
        Found::Mail(contents) => {
            if let Some(letter) = letter(app, &contents) {
                mailer.send(row, letter).await?;
            }
            let (id, who, now) = (release.clone(), buyer.clone(), app.clock.now());
            let heard = app.db.write(Shard::of(buyer.as_str()), move |tx| {
                store::buyer_heard(tx, (&id, &who), now)
            });
            heard.await.map_err(retry)
        }
    }
}

/// Writes that it was given up.
pub async fn gave_up(
    app: &App,
    row: &OutboxId,
    release: &ReleaseId,
    buyer: &CustomerId,
) -> Result<(), DbError> {
    let (row, release, who) = (row.clone(), release.clone(), buyer.clone());
    let now = app.clock.now();
    app.db
        .write(Shard::of(buyer.as_str()), move |tx| {
            store::buyer_not_told(tx, (&release, &who), (&row, None), now)
        })
        .await
}

enum Found {
    /// It was settled before, or another job says it.
    Nothing,
    Not(Reason),
    Mail(Box<Contents>),
}

fn look(
    conn: &mut AnyConn,
    (id, buyer): (&ReleaseId, &CustomerId),
    row: &OutboxId,
    now: Timestamp,
) -> Result<Found, DbError> {
    if !store::buyer_waits(conn, (id, buyer), row)? {
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

/// Writes why nothing is said. Where somebody signed in since, the walk may have passed people before
/// that: it looks again, so that the buyer hears as a person.
async fn skip(
    app: &App,
    (release, buyer): (&ReleaseId, &CustomerId),
    row: &OutboxId,
    reason: Reason,
) -> Result<(), Failure> {
    let again = (reason == Reason::NoAddress).then(|| Announcement::new(app, release));
    let again = again.transpose().map_err(|error| Failure::retry(&error))?;
    let (id, buyer, row) = (release.clone(), buyer.clone(), row.clone());
    let now = app.clock.now();
    let skipped = app.db.write(Shard::Wide, move |tx| -> Result<(), DbError> {
        // The release and its walk are locked first, as by everybody who begins one.
        if let Some(again) = &again
            && let Some(release) = releases::store::lock(tx, &id)?
        {
            look_again_in(tx, again, &release)?;
        }
        store::buyer_not_told(tx, (&id, &buyer), (&row, Some(reason)), now)
    });
    skipped.await.map_err(|error| Failure::retry(&error))?;
    Announcement::wake(app);
    Ok(())
}
