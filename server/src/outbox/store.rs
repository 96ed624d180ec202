//! Queries on `outbox`.

use diesel::prelude::*;
use serde::Serialize;

use super::model::{Lane, OutboxId, Prepared};
use crate::clock::Timestamp;
use crate::db::schema::outbox;
use crate::db::{AnyConn, DbError, WriteTx};

/// A row that is to be done, before it is reserved.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Due {
    pub(super) id: OutboxId,
    pub(super) sealed_parameters: Vec<u8>,
    pub(super) attempts: i32,
    pub(super) reservation_version: i64,
}

/// A row as operators see it.
#[derive(Debug, Queryable, Serialize)]
pub struct OutboxRow {
    /// Its id.
    pub id: OutboxId,
    /// Its lane.
    pub lane: Lane,
    /// What it is.
    pub kind: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next.
    pub due_at: Timestamp,
    /// How often it was tried.
    pub attempts: i32,
    /// When it succeeded.
    pub done_at: Option<Timestamp>,
    /// When it was given up.
    pub dead_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Adds a row to the unit of work of its cause.
pub fn insert(tx: &mut WriteTx<'_>, row: &Prepared) -> Result<(), DbError> {
    diesel::insert_into(outbox::table)
        .values((
            outbox::id.eq(&row.id),
            outbox::lane.eq(row.lane),
            outbox::kind.eq(row.kind),
            outbox::sealed_parameters.eq(&row.sealed),
            outbox::created_at.eq(row.now),
            outbox::due_at.eq(row.due),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Rows to try now, oldest first.
pub(super) fn due(
    conn: &mut AnyConn,
    lane: Lane,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Due>, DbError> {
    Ok(outbox::table
        .filter(outbox::lane.eq(lane))
        .filter(outbox::done_at.is_null())
        .filter(outbox::dead_at.is_null())
        .filter(outbox::due_at.le(now))
        .filter(
            outbox::reserved_until
                .is_null()
                .or(outbox::reserved_until.le(now)),
        )
        .order((outbox::due_at, outbox::id))
        .limit(limit)
        .select((
            outbox::id,
            outbox::sealed_parameters,
            outbox::attempts,
            outbox::reservation_version,
        ))
        .load(conn)?)
}

/// Rows of one kind that wait or are under way.
pub(super) fn waiting(conn: &mut AnyConn, lane: Lane, kind: &str) -> Result<Vec<Due>, DbError> {
    Ok(outbox::table
        .filter(outbox::lane.eq(lane))
        .filter(outbox::kind.eq(kind))
        .filter(outbox::done_at.is_null())
        .filter(outbox::dead_at.is_null())
        .select((
            outbox::id,
            outbox::sealed_parameters,
            outbox::attempts,
            outbox::reservation_version,
        ))
        .load(conn)?)
}

/// Takes a row if nobody else did since it was read. The version then fences what follows.
pub(super) fn reserve(tx: &mut WriteTx<'_>, row: &Due, until: Timestamp) -> Result<bool, DbError> {
    let taken = diesel::update(outbox::table.find(&row.id))
        .filter(outbox::reservation_version.eq(row.reservation_version))
        .filter(outbox::done_at.is_null())
        .set((
            outbox::reservation_version.eq(row.reservation_version + 1),
            outbox::reserved_until.eq(Some(until)),
            outbox::attempts.eq(outbox::attempts + 1),
        ))
        .execute(tx.conn())?;
    Ok(taken == 1)
}

/// Keeps a row whose attempt goes on, unless another worker took it over meanwhile.
pub(super) fn renew(tx: &mut WriteTx<'_>, row: &Due, until: Timestamp) -> Result<(), DbError> {
    diesel::update(outbox::table.find(&row.id))
        .filter(outbox::reservation_version.eq(row.reservation_version + 1))
        .set(outbox::reserved_until.eq(Some(until)))
        .execute(tx.conn())?;
    Ok(())
}

/// How an attempt ended.
pub(super) enum Ending {
    Done(Timestamp),
    Again { due: Timestamp, error: String },
    Dead { at: Timestamp, error: String },
}

/// Writes the end of an attempt, unless another worker took the row over meanwhile.
pub(super) fn settle(tx: &mut WriteTx<'_>, row: &Due, ending: &Ending) -> Result<(), DbError> {
    let (done, dead, due, error) = match ending {
        Ending::Done(at) => (Some(*at), None, None, None),
        Ending::Again { due, error } => (None, None, Some(*due), Some(error)),
        Ending::Dead { at, error } => (None, Some(*at), None, Some(error)),
    };
    let own = outbox::reservation_version.eq(row.reservation_version + 1);
    diesel::update(outbox::table.find(&row.id))
        .filter(own)
        .set((
            outbox::done_at.eq(done),
            outbox::dead_at.eq(dead),
            outbox::last_error.eq(error),
            outbox::reserved_until.eq(None::<Timestamp>),
        ))
        .execute(tx.conn())?;
    if let Some(due) = due {
        diesel::update(outbox::table.find(&row.id))
            .filter(own)
            .set(outbox::due_at.eq(due))
            .execute(tx.conn())?;
    }
    Ok(())
}

/// The newest rows, for operators.
pub fn list(conn: &mut AnyConn, limit: i64) -> Result<Vec<OutboxRow>, DbError> {
    Ok(outbox::table
        .order(outbox::id.desc())
        .limit(limit)
        .select((
            outbox::id,
            outbox::lane,
            outbox::kind,
            outbox::created_at,
            outbox::due_at,
            outbox::attempts,
            outbox::done_at,
            outbox::dead_at,
            outbox::last_error,
        ))
        .load(conn)?)
}
