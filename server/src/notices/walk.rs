//! The walk through the people: bounded slices, each one unit of work.

use std::sync::Arc;

use super::announce::Announcement;
use super::hearing::{Hearing, hearings, is_out};
use super::model::{NoticeKind, NoticeMailId, Reason, WalkState};
use super::store::{self, Walk};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::outbox::{self, Failure, Job, Prepared};
use crate::people::model::PersonId;
use crate::releases;
use crate::releases::model::ReleaseId;
use crate::releases::store::Release;
use crate::secrets::SealError;

/// People looked at in one unit of work.
const SLICE: usize = 100;
/// While a rollout grows, everybody is looked at again so often.
const AGAIN_SECONDS: i64 = 3_600;
/// How often a mail is looked for that others open and close.
const TRIES: usize = 4;

/// Why a slice was not written.
#[derive(Debug, thiserror::Error)]
enum WalkError {
    #[error("the database failed while people were told of a release")]
    Db(#[from] DbError),
    #[error("a job could not be sealed")]
    Seal(#[from] SealError),
}

/// Walks until the end, or until somebody else walks.
pub async fn walk(app: &Arc<App>, release: &ReleaseId) -> Result<(), Failure> {
    loop {
        if app.is_stopping() {
            return Err(Failure::Retry("the program stops".to_owned()));
        }
        let slice = slice(app, release.clone()).await;
        let goes_on = match slice {
            Ok(None) => return Ok(()),
            Ok(Some(slice)) => write(app, slice).await,
            Err(error) => Err(error),
        };
        if !goes_on.map_err(|error| Failure::retry(&error))? {
            return Ok(());
        }
    }
}

/// What a slice found.
struct Found {
    walk: Walk,
    release: Release,
    people: Vec<(PersonId, Hearing)>,
}

/// What a slice will write.
#[derive(Debug, Clone)]
struct Slice {
    walk: Walk,
    topic: String,
    entries: Vec<Entry>,
    reached: String,
    state: WalkState,
    next: Option<Announcement>,
    now: Timestamp,
}

#[derive(Debug, Clone)]
struct Entry {
    person: PersonId,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Skip(Reason),
    Tell { mail: NoticeMailId, job: Prepared },
}

async fn slice(app: &App, id: ReleaseId) -> Result<Option<Slice>, WalkError> {
    let now = app.clock.now();
    let found = app.db.read_slow(move |conn| look(conn, &id, now)).await?;
    let Some(found) = found else {
        return Ok(None);
    };
    let Found {
        walk,
        release,
        people,
    } = found;
    let is_last = people.len() < SLICE;
    let last = people.last().map(|(person, _)| person.to_string());
    let entries = people
        .into_iter()
        .filter_map(|(person, hearing)| entry(app, &walk, person, &hearing, now).transpose());
    Ok(Some(Slice {
        topic: walk.kind.topic(&release.kit_id),
        entries: entries.collect::<Result<_, _>>()?,
        reached: last.unwrap_or_else(|| walk.reached.clone()),
        state: if is_last {
            WalkState::Walked
        } else {
            WalkState::Walking
        },
        next: if is_last {
            next_walk(app, &release, now)?
        } else {
            None
        },
        walk,
        now,
    }))
}

fn look(conn: &mut AnyConn, id: &ReleaseId, now: Timestamp) -> Result<Option<Found>, DbError> {
    let walk = store::find_walk(conn, id)?;
    let Some(walk) = walk.filter(|walk| walk.state == WalkState::Walking) else {
        return Ok(None);
    };
    let Some(release) = releases::store::find(conn, id)? else {
        return Ok(None);
    };
    let people = if is_out(&release) {
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        let people = store::people_after(conn, &release.kit_id, &walk.reached, limit)?;
        hearings(conn, (&release, walk.kind), &people, now)?
    } else {
        Vec::new()
    };
    Ok(Some(Found {
        walk,
        release,
        people,
    }))
}

/// What is written about a person; nothing where there is nothing to say, or not yet.
fn entry(
    app: &App,
    walk: &Walk,
    person: PersonId,
    hearing: &Hearing,
    now: Timestamp,
) -> Result<Option<Entry>, SealError> {
    let what = match hearing {
        Hearing::Told(_) => {
            let mail = NoticeMailId::new(now, app.entropy.as_ref());
            let job = Job::NoticeMail {
                mail: mail.clone(),
                notice: walk.kind,
            };
            let job = outbox::prepare(app, &job)?.due_at(due_at(app, walk, now));
            What::Tell { mail, job }
        }
        Hearing::Not(Reason::SwitchedOff) => What::Skip(Reason::SwitchedOff),
        Hearing::Not(_) => return Ok(None),
    };
    Ok(Some(Entry { person, what }))
}

/// A new version waits for others; what closes a hole does not.
fn due_at(app: &App, walk: &Walk, now: Timestamp) -> Timestamp {
    match walk.kind {
        NoticeKind::Advisory => now,
        NoticeKind::NewVersion => {
            let minutes = i64::from(app.config.mail.notices_quiet_minutes);
            now.plus_seconds(minutes * 60)
        }
    }
}

/// The walk after this one, while the rollout goes on by itself.
fn next_walk(
    app: &App,
    release: &Release,
    now: Timestamp,
) -> Result<Option<Announcement>, SealError> {
    let Some(due) = next_look(release, now) else {
        return Ok(None);
    };
    Ok(Some(Announcement::new(app, &release.id)?.due_at(due)))
}

/// When a rollout will have come to more people without anybody's doing.
fn next_look(release: &Release, now: Timestamp) -> Option<Timestamp> {
    let rollout = release.rollout.as_ref().filter(|_| is_out(release))?;
    let steps = rollout.rollout().steps();
    let goes_on = steps.iter().any(|step| step.at > now);
    let first = steps.first()?.at;
    goes_on.then(|| first.max(now.plus_seconds(AGAIN_SECONDS)))
}

/// `false` when somebody else walks, or the walk is at its end.
async fn write(app: &App, slice: Slice) -> Result<bool, WalkError> {
    let lane = slice.walk.kind.lane();
    let goes_on = slice.state == WalkState::Walking;
    let moved = app
        .db
        .write(Shard::Wide, move |tx| write_in(tx, &slice))
        .await?;
    app.lanes.wake(lane);
    // Not moved: another walk goes on from elsewhere, and perhaps is ours to do.
    Ok(goes_on || !moved)
}

fn write_in(tx: &mut WriteTx<'_>, slice: &Slice) -> Result<bool, DbError> {
    if !store::advance(tx, &slice.walk, &slice.reached, slice.state)? {
        return Ok(false);
    }
    for entry in &slice.entries {
        tell_in(tx, slice, entry)?;
    }
    if let Some(next) = &slice.next {
        store::again(tx, &slice.walk.release_id, false)?;
        next.insert(tx)?;
    }
    Ok(true)
}

fn tell_in(tx: &mut WriteTx<'_>, slice: &Slice, entry: &Entry) -> Result<(), DbError> {
    let subject = (&slice.walk.release_id, &entry.person);
    let (mail, job) = match &entry.what {
        What::Skip(reason) => {
            store::enter(tx, subject, Some(*reason), slice.now)?;
            return Ok(());
        }
        What::Tell { mail, job } => (mail, job),
    };
    if !store::enter(tx, subject, None, slice.now)? {
        return Ok(());
    }
    // An open mail may close, and another walk may open one, between the two.
    for _ in 0..TRIES {
        if let Some(open) = store::open_mail(tx, &entry.person, &slice.topic)? {
            return store::put_into(tx, subject, &open);
        }
        if store::add_mail(tx, mail, (&entry.person, &slice.topic), slice.now)? {
            outbox::insert(tx, job)?;
            return store::put_into(tx, subject, mail);
        }
    }
    Err(DbError::Busy)
}
