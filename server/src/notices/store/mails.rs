//! Mails, and what each person hears.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::buyers;
use crate::clock::Timestamp;
use crate::db::schema::{notice_mails, notice_pace, notices};
use crate::db::{AnyConn, DbError, WriteTx};
use crate::notices::model::{NoticeKind, NoticeMailId, NoticeState, Reason, grant};
use crate::outbox::Lane;
use crate::people::model::PersonId;
use crate::releases::model::ReleaseId;

/// Writes that a person hears this of a release, or why not; `false` where that was settled before.
/// What was only skipped comes back. So does what waits as something else, and who heard of a new
/// version hears that it closes a hole.
pub fn enter(
    tx: &mut WriteTx<'_>,
    (release, person): (&ReleaseId, &PersonId),
    (kind, skipped): (NoticeKind, Option<Reason>),
    now: Timestamp,
) -> Result<bool, DbError> {
    let state = match skipped {
        None => NoticeState::Waiting,
        Some(_) => NoticeState::Skipped,
    };
    let settled = skipped.map(|_reason| now);
    let added = tx.unless_taken(|tx| {
        diesel::insert_into(notices::table)
            .values((
                notices::release_id.eq(release),
                notices::person_id.eq(person),
                notices::kind.eq(Some(kind)),
                notices::state.eq(state),
                notices::reason.eq(skipped),
                notices::created_at.eq(now),
                notices::settled_at.eq(settled),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    if added.is_some() {
        return Ok(true);
    }
    if kind == NoticeKind::NewVersion && unsay_more(tx, release, Some(person))? > 0 {
        return Ok(false);
    }
    if kind == NoticeKind::Advisory && skipped.is_none() && say_more(tx, (release, person))? {
        return Ok(true);
    }
    let waits_as_other = notices::state
        .eq(NoticeState::Waiting)
        .and(notices::kind.ne(kind));
    // Where nothing more is told, who heard of the new version has heard of it: no row matches then.
    let heard = if skipped.is_none() {
        NoticeKind::NewVersion
    } else {
        kind
    };
    let is_more = notices::kind.eq(heard).and(notices::kind.ne(kind));
    let changed = diesel::update(notices::table.find((release, person)))
        .filter(
            notices::state
                .eq(NoticeState::Skipped)
                .or(waits_as_other)
                .or(is_more),
        )
        .set((
            notices::kind.eq(Some(kind)),
            notices::state.eq(state),
            notices::reason.eq(skipped),
            notices::settled_at.eq(settled),
        ))
        .execute(tx.conn())?;
    Ok(changed == 1)
}

/// Who heard of a new version is to hear that it closes a hole. When they heard stays written, so that
/// it can be unsaid.
fn say_more(
    tx: &mut WriteTx<'_>,
    (release, person): (&ReleaseId, &PersonId),
) -> Result<bool, DbError> {
    let changed = diesel::update(notices::table.find((release, person)))
        .filter(notices::state.eq(NoticeState::Sent))
        .filter(notices::kind.eq(NoticeKind::NewVersion))
        .set((
            notices::kind.eq(Some(NoticeKind::Advisory)),
            notices::state.eq(NoticeState::Waiting),
        ))
        .execute(tx.conn())?;
    Ok(changed == 1)
}

/// Of those who heard of a new version, and wait to hear that it closes a hole: they have heard of it.
/// How many; of one person, or of all.
fn unsay_more(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
    person: Option<&PersonId>,
) -> Result<usize, DbError> {
    let mut waiting = diesel::update(notices::table)
        .set((
            notices::kind.eq(Some(NoticeKind::NewVersion)),
            notices::state.eq(NoticeState::Sent),
        ))
        .filter(notices::release_id.eq(release))
        .filter(notices::state.eq(NoticeState::Waiting))
        .filter(notices::settled_at.is_not_null())
        .into_boxed();
    if let Some(person) = person {
        waiting = waiting.filter(notices::person_id.eq(person));
    }
    Ok(waiting.execute(tx.conn())?)
}

/// Writes what is told where it was not written.
pub(super) fn name_kinds(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
    kind: NoticeKind,
) -> Result<(), DbError> {
    diesel::update(notices::table.filter(notices::release_id.eq(release)))
        .filter(notices::kind.is_null())
        .set(notices::kind.eq(Some(kind)))
        .execute(tx.conn())?;
    Ok(())
}

/// Forgets who was not reached, so that they can hear of a release after all.
pub fn forget_failed(tx: &mut WriteTx<'_>, release: &ReleaseId) -> Result<(), DbError> {
    let failed = notices::table
        .filter(notices::release_id.eq(release))
        .filter(notices::state.eq(NoticeState::Failed));
    diesel::delete(failed).execute(tx.conn())?;
    buyers::forget_failed_buyers(tx, release)
}

/// Puts what a person hears into a mail.
pub fn put_into(
    tx: &mut WriteTx<'_>,
    (release, person): (&ReleaseId, &PersonId),
    mail: &NoticeMailId,
) -> Result<(), DbError> {
    diesel::update(notices::table.find((release, person)))
        .set(notices::mail_id.eq(Some(mail)))
        .execute(tx.conn())?;
    Ok(())
}

/// The open mail of a person on a topic, locked: it closes before or after.
pub fn open_mail(
    tx: &mut WriteTx<'_>,
    person: &PersonId,
    topic: &str,
) -> Result<Option<NoticeMailId>, DbError> {
    let open = notice_mails::table
        .filter(notice_mails::person_id.eq(person))
        .filter(notice_mails::topic.eq(topic))
        .filter(notice_mails::closed_at.is_null());
    Ok(diesel::update(open)
        .set(notice_mails::created_at.eq(notice_mails::created_at))
        .returning(notice_mails::id)
        .get_result(tx.conn())
        .optional()?)
}

/// Opens a mail; `false` where somebody else did meanwhile.
pub fn add_mail(
    tx: &mut WriteTx<'_>,
    id: &NoticeMailId,
    (person, topic): (&PersonId, &str),
    now: Timestamp,
) -> Result<bool, DbError> {
    let added = tx.unless_taken(|tx| {
        diesel::insert_into(notice_mails::table)
            .values((
                notice_mails::id.eq(id),
                notice_mails::person_id.eq(person),
                notice_mails::topic.eq(topic),
                notice_mails::created_at.eq(now),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    Ok(added.is_some())
}

/// Closes a mail, so that nothing joins it any more; to whom it goes.
pub fn close_mail(
    tx: &mut WriteTx<'_>,
    id: &NoticeMailId,
    now: Timestamp,
) -> Result<Option<PersonId>, DbError> {
    diesel::update(notice_mails::table.find(id))
        .filter(notice_mails::closed_at.is_null())
        .set(notice_mails::closed_at.eq(Some(now)))
        .execute(tx.conn())?;
    Ok(notice_mails::table
        .find(id)
        .select(notice_mails::person_id)
        .get_result(tx.conn())
        .optional()?)
}

/// Something in a mail that has not left, and what it tells; nothing where it was written before that
/// was.
pub type Waiting = (ReleaseId, Option<NoticeKind>);

/// What a mail has to tell.
pub fn waiting_in(conn: &mut AnyConn, mail: &NoticeMailId) -> Result<Vec<Waiting>, DbError> {
    Ok(notices::table
        .filter(notices::mail_id.eq(mail))
        .filter(notices::state.eq(NoticeState::Waiting))
        .order(notices::release_id)
        .select((notices::release_id, notices::kind))
        .load(conn)?)
}

/// Skips everything about a release that has not left.
pub fn skip_waiting(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
    reason: Reason,
    now: Timestamp,
) -> Result<(), DbError> {
    unsay_more(tx, release, None)?;
    diesel::update(notices::table.filter(notices::release_id.eq(release)))
        .filter(notices::state.eq(NoticeState::Waiting))
        .set((
            notices::state.eq(NoticeState::Skipped),
            notices::reason.eq(Some(reason)),
            notices::settled_at.eq(Some(now)),
        ))
        .execute(tx.conn())?;
    buyers::skip_buyers(tx, release, reason, now)
}

/// How many people are how far.
pub type Counts = Vec<(NoticeState, i64)>;

/// How far telling people and buyers of a release is; a state may come twice.
pub fn counts(conn: &mut AnyConn, release: &ReleaseId) -> Result<Counts, DbError> {
    let mut counts: Counts = notices::table
        .filter(notices::release_id.eq(release))
        .group_by(notices::state)
        .select((notices::state, count_star()))
        .load(conn)?;
    counts.extend(buyers::count_buyers(conn, release)?);
    Ok(counts)
}

/// Takes places of a lane's pace; how many of `wanted` may leave now.
pub fn take_pace(
    tx: &mut WriteTx<'_>,
    lane: Lane,
    now: Timestamp,
    (per_minute, wanted): (u32, usize),
) -> Result<usize, DbError> {
    let locked: Option<i64> = diesel::update(notice_pace::table.find(lane))
        .set(notice_pace::next_micros.eq(notice_pace::next_micros))
        .returning(notice_pace::next_micros)
        .get_result(tx.conn())
        .optional()?;
    let (granted, next) = grant(
        locked.unwrap_or(i64::MIN / 2),
        now.unix_micros(),
        per_minute,
        wanted,
    );
    if locked.is_some() {
        diesel::update(notice_pace::table.find(lane))
            .set(notice_pace::next_micros.eq(next))
            .execute(tx.conn())?;
        return Ok(granted);
    }
    let added = tx.unless_taken(|tx| {
        diesel::insert_into(notice_pace::table)
            .values((
                notice_pace::lane.eq(lane),
                notice_pace::next_micros.eq(next),
            ))
            .execute(tx.conn())?;
        Ok(())
    })?;
    // Somebody else was first; the next look takes its places after theirs.
    Ok(if added.is_some() { granted } else { 0 })
}
