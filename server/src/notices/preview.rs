//! What people would be told of a release, and how many.

use super::hearing::{Hearing, Stand, buyer_hearings, hearings};
use super::letter::{Contents, Told, render};
use super::model::{Hearer, NoticeKind};
use super::store;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{AnyConn, DbError};
use crate::kits;
use crate::people::model::PersonId;
use crate::releases;
use crate::releases::model::{ReleaseId, ReleaseStatus};
use crate::releases::store::Release;

/// People looked at in one go.
const SLICE: i64 = 200;
/// People counted at most.
const MOST: usize = 10_000;

/// What would be mailed.
#[derive(Debug, Clone)]
pub struct Preview {
    /// What is told.
    pub kind: NoticeKind,
    /// How many people would hear of it now.
    pub people: usize,
    /// Whether there are more of them than were counted.
    pub and_more: bool,
    /// Of those, how many may not have it and are told the way out.
    pub locked: usize,
    /// The mail to who may have it.
    pub subject: String,
    /// Its text part.
    pub text: String,
    /// Its HTML part.
    pub html: String,
}

/// As if it were published now, where it is a draft; `None` when there is no such release.
pub async fn preview(app: &App, id: ReleaseId) -> Result<Option<Preview>, DbError> {
    let now = app.clock.now();
    let found = app
        .db
        .read_snapshot(move |conn| -> Result<_, DbError> {
            let Some(release) = releases::store::find(conn, &id)? else {
                return Ok(None);
            };
            let kit = kits::store::find_kit(conn, &release.kit_id)?;
            Ok(kit.map(|kit| (release, kit)))
        })
        .await?;
    let Some((release, kit)) = found else {
        return Ok(None);
    };
    let release = as_published(release, now);
    let kind = NoticeKind::of(release.severity);
    let (people, locked, and_more) = count(app, &release, kind, now).await?;
    let contents = Contents {
        hearer: Hearer::Person(PersonId::new(now, app.entropy.as_ref())),
        address: String::new(),
        told: vec![Told {
            kind,
            release,
            kit,
            stand: Stand::Open,
        }],
    };
    Ok(render(app, &contents).map(|(mail, _)| Preview {
        kind,
        people,
        and_more,
        locked,
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
    }))
}

fn as_published(release: Release, now: Timestamp) -> Release {
    Release {
        status: ReleaseStatus::Published,
        published_at: release.published_at.or(Some(now)),
        ..release
    }
}

/// How many hear of it, how many of them may not have it, and whether there are more.
async fn count(
    app: &App,
    release: &Release,
    kind: NoticeKind,
    now: Timestamp,
) -> Result<(usize, usize, bool), DbError> {
    let (mut told, mut locked, mut seen) = (0, 0, 0);
    let mut after = After::Person(String::new());
    while seen < MOST {
        let (release, from) = (release.clone(), after.clone());
        let read = move |conn: &mut AnyConn| slice(conn, (&release, kind), &from, now);
        let slice = app.db.read_slow(read).await?;
        seen += slice.heard.len();
        for hearing in &slice.heard {
            match hearing {
                Hearing::Told(Stand::Open) => told += 1,
                Hearing::Told(Stand::Locked { .. }) => {
                    told += 1;
                    locked += 1;
                }
                Hearing::Not(_) => {}
            }
        }
        match slice.next {
            Some(next) => after = next,
            None => return Ok((told, locked, false)),
        }
    }
    Ok((told, locked, true))
}

/// Behind whom to go on.
#[derive(Debug, Clone)]
enum After {
    Person(String),
    Buyer(String),
}

struct Slice {
    heard: Vec<Hearing>,
    next: Option<After>,
}

/// The next people; behind all of them, of a security release, the next buyers.
fn slice(
    conn: &mut AnyConn,
    (release, kind): (&Release, NoticeKind),
    after: &After,
    now: Timestamp,
) -> Result<Slice, DbError> {
    match after {
        After::Person(after) => {
            let people = store::people_after(conn, &release.kit_id, after, SLICE)?;
            let heard = hearings(conn, (release, kind), &people, now)?;
            let buyers = || {
                let has_buyers = kind == NoticeKind::Advisory;
                has_buyers.then(|| After::Buyer(String::new()))
            };
            let last = people.last().map(|last| After::Person(last.to_string()));
            Ok(Slice {
                heard: heard.into_iter().map(|(_, hearing)| hearing).collect(),
                next: last.or_else(buyers),
            })
        }
        After::Buyer(after) => {
            let buyers = store::buyers_after(conn, &release.kit_id, after, SLICE)?;
            let heard = buyer_hearings(conn, release, &buyers, now)?;
            Ok(Slice {
                heard: heard.into_iter().map(|(_, hearing)| hearing).collect(),
                next: buyers.last().map(|last| After::Buyer(last.to_string())),
            })
        }
    }
}
