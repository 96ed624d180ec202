//! What time does to seats: leases end, unseen seats are freed, and so are those beyond a lowered
//! limit. Each license is a unit of work of its own that looks again, so that any number of
//! processes may sweep, in any order.

use std::sync::Arc;
use std::time::Duration;

use super::free::{free_all, free_ended};
use super::hand::Hand;
use super::model::{ActivationId, ByWhom, FreedReason};
use super::{seen, store};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::licenses::model::LicenseId;
use crate::licenses::store as licenses;

/// Seats looked at in one go.
const SLICE: i64 = 200;
/// How often last-seen times are written and seats swept.
const EVERY: Duration = Duration::from_mins(1);

/// How many seats were freed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Their lease had ended.
    pub leases: i32,
    /// They were not seen for too long.
    pub unseen: i32,
    /// They were beyond a lowered limit.
    pub over_limit: i32,
}

/// Writes what was seen and sweeps, each minute until the app stops.
pub async fn run(app: Arc<App>) {
    while !app.is_stopping() {
        // Either is a reason to look.
        let _ = tokio::time::timeout(EVERY, app.seen.bell.notified()).await;
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "seats were not swept");
        }
    }
}

/// Writes what was seen, then frees what is due now.
pub async fn sweep(app: &App) -> Result<Swept, DbError> {
    seen::flush(app).await?;
    let mut swept = Swept::default();
    loop {
        let round = round(app).await?;
        swept.leases += round.leases;
        swept.unseen += round.unseen;
        swept.over_limit += round.over_limit;
        if round == Swept::default() || app.is_stopping() {
            return Ok(swept);
        }
    }
}

/// One slice of each kind.
async fn round(app: &App) -> Result<Swept, DbError> {
    let hand = Hand::new(app, ByWhom::System);
    let now = hand.now;
    let ended = app
        .db
        .read_slow(move |conn| store::licenses_with_ended_leases(conn, now, SLICE))
        .await?;
    let mut swept = Swept::default();
    for license in ended {
        swept.leases += of_license(app, license, &hand, end_leases).await?;
    }
    let unseen = app
        .db
        .read_slow(move |conn| store::licenses_with_unseen(conn, now, SLICE))
        .await?;
    for license in unseen {
        swept.unseen += of_license(app, license, &hand, free_unseen).await?;
    }
    let over = app
        .db
        .read_slow(move |conn| store::licenses_over_limit(conn, now, SLICE))
        .await?;
    for license in over {
        swept.over_limit += of_license(app, license, &hand, free_over_limit).await?;
    }
    Ok(swept)
}

async fn of_license(
    app: &App,
    license: LicenseId,
    hand: &Hand,
    job: fn(&mut WriteTx<'_>, &LicenseId, &Hand) -> Result<i32, DbError>,
) -> Result<i32, DbError> {
    let hand = hand.clone();
    app.db
        .write(Shard::of(license.as_str()), move |tx| {
            licenses::lock(tx, &license)?;
            job(tx, &license, &hand)
        })
        .await
}

fn end_leases(tx: &mut WriteTx<'_>, license: &LicenseId, hand: &Hand) -> Result<i32, DbError> {
    free_ended(tx, license, hand)
}

fn free_unseen(tx: &mut WriteTx<'_>, license: &LicenseId, hand: &Hand) -> Result<i32, DbError> {
    let Some(since) = unseen_since(tx, license, hand.now)? else {
        return Ok(0);
    };
    let seats = store::unseen(tx.conn(), license, since, hand.now, SLICE)?;
    free_all(tx, license, &seats, FreedReason::Unseen, hand)
}

/// By the terms the license has now.
fn unseen_since(
    tx: &mut WriteTx<'_>,
    license: &LicenseId,
    now: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let holding = licenses::find(tx.conn(), license)?;
    let days = holding.and_then(|it| it.terms.free_unseen_days);
    Ok(days.map(|days| now.plus_seconds(-i64::from(days) * 86_400)))
}

/// The longest unseen first; one for which a file still speaks counts as seen until its end.
fn free_over_limit(tx: &mut WriteTx<'_>, license: &LicenseId, hand: &Hand) -> Result<i32, DbError> {
    free_ended(tx, license, hand)?;
    let Some(row) = licenses::find(tx.conn(), license)?.map(|it| it.license) else {
        return Ok(0);
    };
    if row.over_limit_until.is_none_or(|until| until > hand.now) {
        return Ok(0);
    }
    let beyond = row.seat_cap.map_or(0, |cap| row.seats_used - cap);
    let mut seats = store::held(tx.conn(), license, hand.now)?;
    seats.sort_by(|a, b| {
        let key = |row: &store::Activation| (row.counted_on_until(), row.id.clone());
        key(a).cmp(&key(b))
    });
    let count = usize::try_from(beyond).unwrap_or(0);
    let last: Vec<ActivationId> = seats.into_iter().take(count).map(|row| row.id).collect();
    let freed = free_all(tx, license, &last, FreedReason::OverLimit, hand)?;
    licenses::end_over_limit(tx, license)?;
    Ok(freed)
}
