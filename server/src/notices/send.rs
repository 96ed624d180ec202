//! One mail: closed, looked at once more, sent, and written down.

use std::sync::Arc;

use super::hearing::{Hearing, hearings};
use super::letter::{Contents, Told, letter};
use super::model::{Hearer, NoticeMailId, Reason, WalkState};
use super::store::{self, Fate};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, Shard};
use crate::kits;
use crate::outbox::{Failure, OutboxId};
use crate::people;
use crate::people::model::PersonId;
use crate::releases;
use crate::releases::model::ReleaseId;

/// What becomes of each release in a mail.
type Fates = Vec<(ReleaseId, Fate)>;

/// Sends a mail that is due; one in which nothing is left to tell is not worth sending.
pub async fn send(app: &Arc<App>, row: &OutboxId, mail: &NoticeMailId) -> Result<(), Failure> {
    let retry = |error: DbError| Failure::retry(&error);
    let Some(mailer) = &app.mailer else {
        return Err(Failure::Retry("no mail server is configured".to_owned()));
    };
    let Some(person) = close(app, mail).await.map_err(retry)? else {
        return Ok(());
    };
    let (contents, fates) = look(app, mail, person.clone()).await.map_err(retry)?;
    if let Some(letter) = contents.and_then(|contents| letter(app, &contents)) {
        mailer.send(row, letter).await?;
    }
    settle(app, mail, person, fates).await.map_err(retry)
}

/// Writes that a mail was given up.
pub async fn gave_up(app: &App, mail: &NoticeMailId) -> Result<(), DbError> {
    let Some(person) = close(app, mail).await? else {
        return Ok(());
    };
    let id = mail.clone();
    let waiting = app
        .db
        .read(move |conn| store::waiting_in(conn, &id))
        .await?;
    let failed = |(release, _)| (release, Fate::Failed);
    settle(app, mail, person, waiting.into_iter().map(failed).collect()).await
}

async fn close(app: &App, mail: &NoticeMailId) -> Result<Option<PersonId>, DbError> {
    let (id, now) = (mail.clone(), app.clock.now());
    app.db
        .write(Shard::of(mail.as_str()), move |tx| {
            store::close_mail(tx, &id, now)
        })
        .await
}

async fn look(
    app: &App,
    mail: &NoticeMailId,
    person: PersonId,
) -> Result<(Option<Contents>, Fates), DbError> {
    let (id, now) = (mail.clone(), app.clock.now());
    app.db
        .read_slow(move |conn| {
            let Some(address) = people::store::primary_address(conn, &person)? else {
                let waiting = store::waiting_in(conn, &id)?;
                let nobody = |(release, _)| skipped(release, Reason::NoAddress);
                return Ok((None, waiting.into_iter().map(nobody).collect()));
            };
            let (told, fates) = gather(conn, &id, &person, now)?;
            let contents = Contents {
                hearer: Hearer::Person(person.clone()),
                address,
                told,
            };
            Ok((Some(contents), fates))
        })
        .await
}

/// What is still to be told, and what becomes of everything that was.
fn gather(
    conn: &mut AnyConn,
    mail: &NoticeMailId,
    person: &PersonId,
    now: Timestamp,
) -> Result<(Vec<Told>, Fates), DbError> {
    let (mut told, mut fates) = (Vec::new(), Vec::new());
    for (id, kind) in store::waiting_in(conn, mail)? {
        let walk = store::find_walk(conn, &id)?;
        let Some(walk) = walk.filter(|walk| walk.state != WalkState::Skipped) else {
            fates.push(skipped(id, Reason::CalledOff));
            continue;
        };
        // It is something else by now: the walk that comes puts it into another mail. Skipped, not left:
        // where it turns back before that, nothing would ever take it out of this closed one.
        if kind.is_some_and(|kind| kind != walk.kind) {
            fates.push(skipped(id, Reason::NotCovered));
            continue;
        }
        let release = releases::store::find(conn, &id)?;
        let kit = match &release {
            Some(release) => kits::store::find_kit(conn, &release.kit_id)?,
            None => None,
        };
        let (Some(release), Some(kit)) = (release, kit) else {
            fates.push(skipped(id, Reason::TakenBack));
            continue;
        };
        let people = std::slice::from_ref(person);
        let heard = hearings(conn, (&release, walk.kind), people, now)?;
        let heard = heard.into_iter().next().map(|(_, hearing)| hearing);
        match heard.unwrap_or(Hearing::Not(Reason::NotCovered)) {
            Hearing::Not(reason) => fates.push(skipped(id, reason)),
            Hearing::Told(stand) => {
                fates.push((id, Fate::Told(walk.kind)));
                told.push(Told {
                    kind: walk.kind,
                    release,
                    kit,
                    stand,
                });
            }
        }
    }
    Ok((told, fates))
}

fn skipped(release: ReleaseId, reason: Reason) -> (ReleaseId, Fate) {
    (release, Fate::Skipped(reason))
}

async fn settle(
    app: &App,
    mail: &NoticeMailId,
    person: PersonId,
    fates: Fates,
) -> Result<(), DbError> {
    let (id, now) = (mail.clone(), app.clock.now());
    app.db
        .write(Shard::of(mail.as_str()), move |tx| {
            for (release, fate) in &fates {
                store::settle(tx, &id, (release, &person), *fate, now)?;
            }
            Ok(())
        })
        .await
}
