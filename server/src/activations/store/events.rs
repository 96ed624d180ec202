//! Queries on `activation_events`: written beside each change of a seat, never edited.

use diesel::prelude::*;

use crate::activations::hand::Hand;
use crate::activations::model::{ActivationId, ByWhom, EventKind};
use crate::clock::Timestamp;
use crate::db::schema::activation_events as events;
use crate::db::{AnyConn, DbError, WriteTx, on_backend};
use crate::licenses::model::LicenseId;

/// Writes what happened to a seat.
pub fn record(
    tx: &mut WriteTx<'_>,
    hand: &Hand,
    license: &LicenseId,
    seat: &ActivationId,
    kind: EventKind,
) -> Result<(), DbError> {
    let event = (
        events::id.eq(hand.event_id()),
        events::license_id.eq(license),
        events::activation_id.eq(seat),
        events::kind.eq(kind),
        events::by_whom.eq(hand.by),
        events::at.eq(hand.now),
    );
    let insert = diesel::insert_into(events::table).values(event);
    on_backend!(tx.conn(), conn => insert.execute(conn))?;
    Ok(())
}

/// When the customer freed seats after a moment: the newest first, at most `limit`.
pub fn freed_by_customer(
    conn: &mut AnyConn,
    license: &LicenseId,
    after: Timestamp,
    limit: i64,
) -> Result<Vec<Timestamp>, DbError> {
    Ok(events::table
        .filter(events::license_id.eq(license))
        .filter(events::at.gt(after))
        .filter(events::kind.eq(EventKind::Freed))
        .filter(events::by_whom.eq_any(vec![ByWhom::Kit, ByWhom::Customer]))
        .order(events::at.desc())
        .limit(limit)
        .select(events::at)
        .load(conn)?)
}

/// When the last thing happened to a seat of a license.
pub fn newest_event(conn: &mut AnyConn, license: &LicenseId) -> Result<Option<Timestamp>, DbError> {
    Ok(events::table
        .filter(events::license_id.eq(license))
        .select(diesel::dsl::max(events::at))
        .get_result(conn)?)
}

/// Seats freed since a moment that nobody has taken again.
pub fn moves_since(
    conn: &mut AnyConn,
    license: &LicenseId,
    since: Timestamp,
) -> Result<i64, DbError> {
    let since = events::table
        .filter(events::license_id.eq(license))
        .filter(events::at.ge(since));
    let all: i64 = since.count().get_result(conn)?;
    let taken: i64 = since
        .filter(events::kind.eq(EventKind::Activated))
        .count()
        .get_result(conn)?;
    Ok(all - taken - taken)
}
