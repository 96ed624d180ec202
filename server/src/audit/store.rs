//! Queries on `audit_head`, `audit_log`, `audit_details` and `audit_checkpoints`.

use diesel::prelude::*;

use super::model::{Entry, Found, GENESIS, Link, commit};
use crate::clock::Timestamp;
use crate::db::schema::{audit_checkpoints, audit_details, audit_head, audit_log};
use crate::db::{AnyConn, DbError, WriteTx, is_unique_violation};

/// A chained row as stored.
#[derive(Debug, Queryable, Insertable, PartialEq, Eq)]
#[diesel(table_name = audit_log)]
pub struct AuditRow {
    /// Position in the chain.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// Id of what was changed.
    pub subject: String,
    /// JSON list of field names.
    pub fields: String,
    /// Hash of salt and personal values.
    pub commitment: Option<Vec<u8>>,
    /// Hash of the row before.
    pub previous_hash: Vec<u8>,
    /// Hash of this row.
    pub hash: Vec<u8>,
}

/// A stored checkpoint.
#[derive(Debug, Clone, Queryable, Insertable)]
#[diesel(table_name = audit_checkpoints)]
pub(super) struct CheckpointRow {
    pub(super) seq: i64,
    pub(super) hash: Vec<u8>,
    pub(super) at: Timestamp,
    pub(super) token: String,
}

/// Salt and personal values of an entry.
pub(super) type Details = (Vec<u8>, String);

impl AuditRow {
    /// The row as the rules of the chain look at it.
    pub(super) fn found<'a>(&'a self, details: Option<&'a Details>) -> Found<'a> {
        Found {
            link: Link {
                seq: self.seq,
                at: self.at,
                actor: &self.actor,
                action: &self.action,
                subject: &self.subject,
                fields: &self.fields,
                commitment: self.commitment.as_deref(),
            },
            previous_hash: &self.previous_hash,
            hash: &self.hash,
            details: details.map(|(salt, personal)| (personal.as_str(), salt.as_slice())),
        }
    }
}

/// Appends entries. Runs inside the writer's transaction, last before COMMIT: nothing is locked
/// after the head, so chains of two processes wait for each other and never deadlock.
pub(crate) fn append(conn: &mut AnyConn, entries: &[Entry]) -> QueryResult<()> {
    let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
    let (last, mut previous) = lock_head(conn, count)?;
    let mut seq = last - count;
    for entry in entries {
        seq += 1;
        let row = chain(entry, seq, previous);
        diesel::insert_into(audit_log::table)
            .values(&row)
            .execute(conn)?;
        if let Some((values, salt)) = &entry.personal {
            diesel::insert_into(audit_details::table)
                .values((
                    audit_details::seq.eq(seq),
                    audit_details::salt.eq(salt.to_vec()),
                    audit_details::personal.eq(values),
                ))
                .execute(conn)?;
        }
        previous = row.hash;
    }
    diesel::update(audit_head::table.find(1))
        .set(audit_head::hash.eq(previous))
        .execute(conn)?;
    Ok(())
}

fn chain(entry: &Entry, seq: i64, previous: Vec<u8>) -> AuditRow {
    let actor = entry.actor.to_string();
    let fields = serde_json::Value::from(entry.fields).to_string();
    let commitment = entry
        .personal
        .as_ref()
        .map(|(values, salt)| commit(values, salt));
    let link = Link {
        seq,
        at: entry.at,
        actor: &actor,
        action: entry.action,
        subject: &entry.subject,
        fields: &fields,
        commitment: commitment.as_deref(),
    };
    let hash = link.hash(&previous).to_vec();
    AuditRow {
        seq,
        at: entry.at,
        action: entry.action.to_owned(),
        subject: entry.subject.clone(),
        actor,
        fields,
        commitment,
        previous_hash: previous,
        hash,
    }
}

/// Takes `count` numbers; the update is also the lock.
fn lock_head(conn: &mut AnyConn, count: i64) -> QueryResult<(i64, Vec<u8>)> {
    let advance = |conn: &mut AnyConn| {
        diesel::update(audit_head::table.find(1))
            .set(audit_head::seq.eq(audit_head::seq + count))
            .returning((audit_head::seq, audit_head::hash))
            .get_result::<(i64, Vec<u8>)>(conn)
            .optional()
    };
    if let Some(head) = advance(conn)? {
        return Ok(head);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "runs in the writer, with no WriteTx of its own"
    )]
    let first = diesel::Connection::transaction(conn, |conn| {
        diesel::insert_into(audit_head::table)
            .values((
                audit_head::id.eq(1),
                audit_head::seq.eq(0_i64),
                audit_head::hash.eq(GENESIS.to_vec()),
            ))
            .execute(conn)
    });
    match first {
        Err(error) if !is_unique_violation(&error) => return Err(error),
        _ => {}
    }
    advance(conn)?.ok_or(diesel::result::Error::NotFound)
}

/// Number and hash of the last entry.
pub fn head(conn: &mut AnyConn) -> QueryResult<Option<(i64, Vec<u8>)>> {
    audit_head::table
        .find(1)
        .select((audit_head::seq, audit_head::hash))
        .get_result(conn)
        .optional()
}

/// The whole chain, oldest first.
pub fn all(conn: &mut AnyConn) -> QueryResult<Vec<AuditRow>> {
    audit_log::table.order(audit_log::seq).load(conn)
}

/// What the next checkpoint is judged by; in a snapshot.
#[derive(Debug)]
pub(super) struct Outlook {
    pub(super) head: Option<(i64, Vec<u8>)>,
    pub(super) newest: Option<CheckpointRow>,
    /// Whether the newest checkpoint still covers the entry it was made for.
    pub(super) agrees: bool,
}

pub(super) fn outlook(conn: &mut AnyConn) -> Result<Outlook, DbError> {
    let newest: Vec<CheckpointRow> = audit_checkpoints::table
        .order(audit_checkpoints::seq.desc())
        .limit(1)
        .load(conn)?;
    let newest = newest.into_iter().next();
    let agrees = match &newest {
        None => true,
        Some(checkpoint) => {
            let hash: Option<Vec<u8>> = audit_log::table
                .find(checkpoint.seq)
                .select(audit_log::hash)
                .get_result(conn)
                .optional()?;
            hash.as_ref() == Some(&checkpoint.hash)
        }
    };
    Ok(Outlook {
        head: head(conn)?,
        newest,
        agrees,
    })
}

/// Adds a checkpoint, unless another process has covered as much meanwhile.
pub(super) fn add_checkpoint(tx: &mut WriteTx<'_>, row: &CheckpointRow) -> Result<bool, DbError> {
    let covered: Vec<i64> = audit_checkpoints::table
        .filter(audit_checkpoints::seq.ge(row.seq))
        .limit(1)
        .select(audit_checkpoints::seq)
        .load(tx.conn())?;
    if !covered.is_empty() {
        return Ok(false);
    }
    let added = tx.unless_taken(|tx| {
        let insert = diesel::insert_into(audit_checkpoints::table).values(row);
        Ok(insert.execute(tx.conn())?)
    })?;
    Ok(added.is_some())
}

/// Entries before a number, newest first, with their personal values.
pub(super) fn list(
    conn: &mut AnyConn,
    subject: Option<&str>,
    before: i64,
    limit: i64,
) -> Result<Vec<(AuditRow, Option<String>)>, DbError> {
    let mut query = audit_log::table
        .left_join(audit_details::table)
        .filter(audit_log::seq.lt(before))
        .order(audit_log::seq.desc())
        .limit(limit)
        .select((audit_log::all_columns, audit_details::personal.nullable()))
        .into_boxed();
    if let Some(subject) = subject {
        query = query.filter(audit_log::subject.eq(subject.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// The entries about one thing after a number, oldest first.
pub fn of_subject(
    conn: &mut AnyConn,
    subject: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<AuditRow>, DbError> {
    Ok(audit_log::table
        .filter(audit_log::subject.eq(subject))
        .filter(audit_log::seq.gt(after))
        .order(audit_log::seq)
        .limit(limit)
        .load(conn)?)
}

/// When the newest entry was written.
pub fn newest_time(conn: &mut AnyConn) -> Result<Option<Timestamp>, DbError> {
    let newest = audit_log::table
        .order(audit_log::seq.desc())
        .limit(1)
        .select(audit_log::at);
    Ok(newest.load(conn)?.into_iter().next())
}
