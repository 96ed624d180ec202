//! The walk through buyers and people: bounded slices, each one unit of work.

use std::sync::Arc;

use super::announce::Announcement;
use super::hearing::{Hearing, buyer_hearings, hearings, is_out};
use super::model::{Hearer, NoticeKind, NoticeMailId, Reason, WalkState};
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

/// People, or buyers, looked at in one unit of work.
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

/// Walks until the end, or until somebody else walks, or until a walk of another number began: its job
/// is another one.
pub async fn walk(app: &Arc<App>, release: &ReleaseId, number: Option<i64>) -> Result<(), Failure> {
    loop {
        if app.is_stopping() {
            return Err(Failure::Retry("the program stops".to_owned()));
        }
        let slice = slice(app, release.clone(), number).await;
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
    heard: Vec<(Hearer, Hearing)>,
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
    hearer: Hearer,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Skip(Reason),
    /// For a person: by an open mail, or by this one and its job.
    Tell {
        mail: NoticeMailId,
        job: Prepared,
    },
    /// For a buyer: each by a mail of its own.
    TellBuyer {
        job: Prepared,
    },
}

async fn slice(app: &App, id: ReleaseId, number: Option<i64>) -> Result<Option<Slice>, WalkError> {
    let now = app.clock.now();
    let look = move |conn: &mut _| look(conn, &id, number, now);
    let found = app.db.read_slow(look).await?;
    let Some(found) = found else {
        return Ok(None);
    };
    let Found {
        walk,
        release,
        heard,
    } = found;
    let (reached, is_last) = step(&walk, &release, &heard);
    let entries = heard
        .into_iter()
        .filter_map(|(hearer, hearing)| entry(app, &walk, hearer, &hearing, now).transpose());
    Ok(Some(Slice {
        topic: walk.kind.topic(&release.kit_id),
        entries: entries.collect::<Result<_, _>>()?,
        reached,
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

/// What stands in front of the ids of people, and before all of them: there a walk goes on that has
/// passed all buyers.
fn first_person() -> String {
    format!("{}_", PersonId::PREFIX)
}

/// Of security releases buyers hear first: who signs in meanwhile is met among the people.
fn is_among_buyers(walk: &Walk) -> bool {
    walk.kind == NoticeKind::Advisory && !walk.reached.starts_with(&first_person())
}

/// Up to whom a walk is after a slice, and whether that was the last.
fn step(walk: &Walk, release: &Release, heard: &[(Hearer, Hearing)]) -> (String, bool) {
    let last = heard.last().map(|(hearer, _)| match hearer {
        Hearer::Person(person) => person.to_string(),
        Hearer::Buyer(buyer) => buyer.to_string(),
    });
    let reached = last.unwrap_or_else(|| walk.reached.clone());
    if heard.len() >= SLICE {
        return (reached, false);
    }
    if is_among_buyers(walk) && is_out(release) {
        return (first_person(), false);
    }
    (reached, true)
}

fn look(
    conn: &mut AnyConn,
    id: &ReleaseId,
    number: Option<i64>,
    now: Timestamp,
) -> Result<Option<Found>, DbError> {
    let is_ours = |walk: &Walk| {
        walk.state == WalkState::Walking && number.is_none_or(|number| number == walk.walk)
    };
    let Some(walk) = store::find_walk(conn, id)?.filter(is_ours) else {
        return Ok(None);
    };
    let Some(release) = releases::store::find(conn, id)? else {
        return Ok(None);
    };
    let heard = if is_out(&release) {
        listen(conn, &walk, &release, now)?
    } else {
        Vec::new()
    };
    Ok(Some(Found {
        walk,
        release,
        heard,
    }))
}

/// The next buyers of a security release; behind all of them, and of others, the next people.
fn listen(
    conn: &mut AnyConn,
    walk: &Walk,
    release: &Release,
    now: Timestamp,
) -> Result<Vec<(Hearer, Hearing)>, DbError> {
    let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
    let (kit, after) = (&release.kit_id, &walk.reached);
    if is_among_buyers(walk) {
        let buyers = store::buyers_after(conn, kit, after, limit)?;
        let heard = buyer_hearings(conn, release, &buyers, now)?.into_iter();
        return Ok(heard.map(|(who, how)| (Hearer::Buyer(who), how)).collect());
    }
    let people = store::people_after(conn, kit, after, limit)?;
    let heard = hearings(conn, (release, walk.kind), &people, now)?.into_iter();
    Ok(heard.map(|(who, how)| (Hearer::Person(who), how)).collect())
}

/// What is written about somebody; nothing where there is nothing to say, or not yet.
fn entry(
    app: &App,
    walk: &Walk,
    hearer: Hearer,
    hearing: &Hearing,
    now: Timestamp,
) -> Result<Option<Entry>, SealError> {
    let what = match (hearing, &hearer) {
        (Hearing::Told(_), Hearer::Person(_)) => {
            let mail = NoticeMailId::new(now, app.entropy.as_ref());
            let job = Job::NoticeMail {
                mail: mail.clone(),
                notice: walk.kind,
            };
            let job = outbox::prepare(app, &job)?.due_at(due_at(app, walk, now));
            What::Tell { mail, job }
        }
        (Hearing::Told(_), Hearer::Buyer(buyer)) => {
            let job = Job::BuyerAdvisory {
                release: walk.release_id.clone(),
                buyer: buyer.clone(),
            };
            let job = outbox::prepare(app, &job)?;
            What::TellBuyer { job }
        }
        (Hearing::Not(Reason::SwitchedOff), _) => What::Skip(Reason::SwitchedOff),
        (Hearing::Not(_), _) => return Ok(None),
    };
    Ok(Some(Entry { hearer, what }))
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
        let subject = (&slice.walk.release_id, slice.walk.kind);
        next.again(tx, subject, false)?;
    }
    Ok(true)
}

fn tell_in(tx: &mut WriteTx<'_>, slice: &Slice, entry: &Entry) -> Result<(), DbError> {
    let (release, now) = (&slice.walk.release_id, slice.now);
    let skipped = match &entry.what {
        What::Skip(reason) => Some(*reason),
        What::Tell { .. } | What::TellBuyer { .. } => None,
    };
    let job = match &entry.what {
        What::TellBuyer { job } => Some(job),
        What::Tell { .. } | What::Skip(_) => None,
    };
    let person = match &entry.hearer {
        Hearer::Person(person) => person,
        Hearer::Buyer(buyer) => {
            let by = (job.map(Prepared::id), skipped);
            let is_new = store::enter_buyer(tx, (release, buyer), by, now)?;
            return match job {
                Some(job) if is_new => outbox::insert(tx, job),
                Some(_) | None => Ok(()),
            };
        }
    };
    let is_new = store::enter(tx, (release, person), (slice.walk.kind, skipped), now)?;
    match &entry.what {
        What::Tell { mail, job } if is_new => join_in(tx, slice, person, (mail, job)),
        What::Tell { .. } | What::TellBuyer { .. } | What::Skip(_) => Ok(()),
    }
}

/// Puts what a person hears into the mail that is open, or into a new one.
fn join_in(
    tx: &mut WriteTx<'_>,
    slice: &Slice,
    person: &PersonId,
    (mail, job): (&NoticeMailId, &Prepared),
) -> Result<(), DbError> {
    let subject = (&slice.walk.release_id, person);
    // An open mail may close, and another walk may open one, between the two.
    for _ in 0..TRIES {
        if let Some(open) = store::open_mail(tx, person, &slice.topic)? {
            return store::put_into(tx, subject, &open);
        }
        if store::add_mail(tx, mail, (person, &slice.topic), slice.now)? {
            outbox::insert(tx, job)?;
            return store::put_into(tx, subject, mail);
        }
    }
    Err(DbError::Busy)
}
