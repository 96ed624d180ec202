//! How far telling people of a release is.

use diesel::prelude::*;

use super::mails;
use crate::clock::Timestamp;
use crate::db::schema::release_notices;
use crate::db::{AnyConn, DbError, WriteTx};
use crate::notices::model::{NoticeKind, WalkState};
use crate::releases::model::ReleaseId;

/// A walk as stored.
#[derive(Debug, Clone, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = release_notices)]
pub struct Walk {
    /// The release people are told of.
    pub release_id: ReleaseId,
    /// What they are told.
    pub kind: NoticeKind,
    /// How far it is.
    pub state: WalkState,
    /// Number of this walk, drawn by chance; each goes through everybody.
    pub walk: i64,
    /// Everybody up to this id was looked at.
    pub reached: String,
    /// When it was first begun.
    pub created_at: Timestamp,
}

/// The walk of a release.
pub fn find_walk(conn: &mut AnyConn, release: &ReleaseId) -> Result<Option<Walk>, DbError> {
    Ok(release_notices::table
        .find(release)
        .get_result(conn)
        .optional()?)
}

/// Adds the first walk of a release.
pub fn begin(tx: &mut WriteTx<'_>, walk: &Walk) -> Result<(), DbError> {
    diesel::insert_into(release_notices::table)
        .values(walk)
        .execute(tx.conn())?;
    Ok(())
}

/// Makes one more walk, with this number, that tells this; `false` where there was none, or where it
/// was called off and `also_skipped` is not said. What programs of before wrote without saying what it
/// tells is what the walk told so far.
pub fn again(
    tx: &mut WriteTx<'_>,
    release: &ReleaseId,
    (kind, number): (NoticeKind, i64),
    also_skipped: bool,
) -> Result<bool, DbError> {
    let states: &[WalkState] = if also_skipped {
        WalkState::ALL
    } else {
        &[WalkState::Walking, WalkState::Walked]
    };
    // The walk is locked before what people hear, as by a walk that moves on.
    let so_far: Option<NoticeKind> = diesel::update(release_notices::table.find(release))
        .set(release_notices::kind.eq(release_notices::kind))
        .returning(release_notices::kind)
        .get_result(tx.conn())
        .optional()?;
    let Some(so_far) = so_far else {
        return Ok(false);
    };
    mails::name_kinds(tx, release, so_far)?;
    let walked = diesel::update(release_notices::table.find(release))
        .filter(release_notices::state.eq_any(states.to_vec()))
        .set((
            release_notices::kind.eq(kind),
            release_notices::state.eq(WalkState::Walking),
            release_notices::walk.eq(number),
            release_notices::reached.eq(""),
        ))
        .execute(tx.conn())?;
    Ok(walked == 1)
}

/// Moves a walk on, if it still is where it was when the slice was read.
pub fn advance(
    tx: &mut WriteTx<'_>,
    from: &Walk,
    reached: &str,
    state: WalkState,
) -> Result<bool, DbError> {
    let moved = diesel::update(release_notices::table.find(&from.release_id))
        .filter(release_notices::state.eq(WalkState::Walking))
        .filter(release_notices::walk.eq(from.walk))
        .filter(release_notices::reached.eq(&from.reached))
        .set((
            release_notices::reached.eq(reached),
            release_notices::state.eq(state),
        ))
        .execute(tx.conn())?;
    Ok(moved == 1)
}

/// Calls it off; `false` where nothing was begun.
pub fn call_off(tx: &mut WriteTx<'_>, release: &ReleaseId) -> Result<bool, DbError> {
    let called = diesel::update(release_notices::table.find(release))
        .set(release_notices::state.eq(WalkState::Skipped))
        .execute(tx.conn())?;
    Ok(called == 1)
}
