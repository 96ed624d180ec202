//! What became of what was in a mail.

use diesel::prelude::*;

use crate::clock::Timestamp;
use crate::db::schema::notices;
use crate::db::{DbError, WriteTx};
use crate::notices::model::{NoticeKind, NoticeMailId, NoticeState, Reason};
use crate::people::model::PersonId;
use crate::releases::model::ReleaseId;

/// What became of one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The mail left and told this.
    Told(NoticeKind),
    /// The mail left without it, or did not leave.
    Skipped(Reason),
    /// The mail was given up.
    Failed,
}

/// Writes what became of one of them, once, unless it waits for another mail by now.
pub fn settle(
    tx: &mut WriteTx<'_>,
    mail: &NoticeMailId,
    (release, person): (&ReleaseId, &PersonId),
    fate: Fate,
    now: Timestamp,
) -> Result<(), DbError> {
    let (state, reason) = match fate {
        Fate::Told(kind) => return heard(tx, mail, (release, person), kind, now),
        Fate::Skipped(reason) => (NoticeState::Skipped, Some(reason)),
        Fate::Failed => (NoticeState::Failed, None),
    };
    let of_mail = || {
        diesel::update(notices::table.find((release, person)))
            .filter(notices::mail_id.eq(mail))
            .filter(notices::state.eq(NoticeState::Waiting))
    };
    if state == NoticeState::Skipped {
        // Who heard of the new version before, and hears no more of it now, has heard of it.
        of_mail()
            .filter(notices::settled_at.is_not_null())
            .set((
                notices::kind.eq(Some(NoticeKind::NewVersion)),
                notices::state.eq(NoticeState::Sent),
            ))
            .execute(tx.conn())?;
    }
    of_mail()
        .set((
            notices::state.eq(state),
            notices::reason.eq(reason),
            notices::settled_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// A mail has left. It said what it said also where that was called off while it was on its way.
fn heard(
    tx: &mut WriteTx<'_>,
    mail: &NoticeMailId,
    (release, person): (&ReleaseId, &PersonId),
    kind: NoticeKind,
    now: Timestamp,
) -> Result<(), DbError> {
    let of_mail =
        || diesel::update(notices::table.find((release, person))).filter(notices::mail_id.eq(mail));
    if kind == NoticeKind::Advisory {
        // It was taken back to what they had heard before, while this was on its way.
        of_mail()
            .filter(notices::state.eq(NoticeState::Sent))
            .set(notices::kind.eq(Some(kind)))
            .execute(tx.conn())?;
    }
    let called_off = notices::state
        .eq(NoticeState::Skipped)
        .and(notices::reason.eq(Reason::CalledOff));
    of_mail()
        .filter(notices::state.eq(NoticeState::Waiting).or(called_off))
        .set((
            notices::state.eq(NoticeState::Sent),
            notices::reason.eq(None::<Reason>),
            notices::settled_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    Ok(())
}
