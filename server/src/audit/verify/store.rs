//! Queries that read the log from its beginning to its end.

use diesel::prelude::*;
use diesel::result::Error as DieselError;

use crate::audit::model::GENESIS;
use crate::audit::store::{AuditRow, CheckpointRow, Details, head};
use crate::db::schema::{audit_checkpoints, audit_details, audit_log};
use crate::db::{AnyConn, DbError};

/// Where the log ends at one moment.
#[derive(Debug, Clone)]
pub(super) struct End {
    pub(super) seq: i64,
    pub(super) hash: Vec<u8>,
    /// The first entry that stands beyond the head.
    pub(super) stray: Option<i64>,
    /// The first checkpoint that covers more than there is.
    pub(super) beyond: Option<CheckpointRow>,
}

/// Reads where the log ends; in a snapshot.
pub(super) fn end(conn: &mut AnyConn) -> Result<End, DbError> {
    let (seq, hash) = head(conn)?.unwrap_or((0, GENESIS.to_vec()));
    let stray: Vec<i64> = audit_log::table
        .filter(audit_log::seq.gt(seq))
        .order(audit_log::seq)
        .limit(1)
        .select(audit_log::seq)
        .load(conn)?;
    let beyond: Vec<CheckpointRow> = audit_checkpoints::table
        .filter(audit_checkpoints::seq.gt(seq))
        .order(audit_checkpoints::seq)
        .limit(1)
        .load(conn)?;
    Ok(End {
        seq,
        hash,
        stray: stray.into_iter().next(),
        beyond: beyond.into_iter().next(),
    })
}

/// Consecutive entries, and the checkpoints among them.
#[derive(Debug)]
pub(super) struct Slice {
    pub(super) rows: Vec<(AuditRow, Option<Details>)>,
    pub(super) checkpoints: Vec<CheckpointRow>,
}

/// Up to `limit` entries after one number, up to another; in a snapshot.
pub(super) fn slice(
    conn: &mut AnyConn,
    after: i64,
    end: i64,
    limit: i64,
) -> Result<Slice, DbError> {
    let rows: Vec<(AuditRow, Option<Details>)> = audit_log::table
        .left_join(audit_details::table)
        .filter(audit_log::seq.gt(after))
        .filter(audit_log::seq.le(end))
        .order(audit_log::seq)
        .limit(limit)
        .select((
            audit_log::all_columns,
            (audit_details::salt, audit_details::personal).nullable(),
        ))
        .load(conn)?;
    let last = rows.last().map_or(end, |(row, _)| row.seq);
    let checkpoints = audit_checkpoints::table
        .filter(audit_checkpoints::seq.gt(after))
        .filter(audit_checkpoints::seq.le(last))
        .order(audit_checkpoints::seq)
        .load(conn)?;
    Ok(Slice { rows, checkpoints })
}

/// Whether a row holds what its column cannot, which SQLite does not refuse.
pub(super) fn is_unreadable(error: &DbError) -> bool {
    matches!(error, DbError::Query(DieselError::DeserializationError(_)))
}

/// Number of the first entry after this one.
pub(super) fn seq_after(conn: &mut AnyConn, after: i64) -> Result<Option<i64>, DbError> {
    let found: Vec<i64> = audit_log::table
        .filter(audit_log::seq.gt(after))
        .order(audit_log::seq)
        .limit(1)
        .select(audit_log::seq)
        .load(conn)?;
    Ok(found.into_iter().next())
}
