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
use crate::db::{AnyConn, DbError, Shard, WriteTx};
use crate::licenses::model::LicenseId;
use crate::licenses::store as licenses;

/// Seats looked at in one go.
const SLICE: i64 = 200;
/// How often last-seen times are written and seats swept.
const EVERY: Duration = Duration::from_mins(1);
/// Unseen seats are counted in days and looked for in whole policies: each so many rounds.
const UNSEEN_EVERY: u32 = 60;

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
    for number in (0..UNSEEN_EVERY).cycle() {
        // Either is a reason to look.
        let _ = tokio::time::timeout(EVERY, app.seen.bell.notified()).await;
        if app.is_stopping() {
            return;
        }
        if let Err(error) = rounds(&app, number == 0).await {
            tracing::warn!(%error, "seats were not swept");
        }
    }
}

/// Writes what was seen, then frees what is due now.
pub async fn sweep(app: &App) -> Result<Swept, DbError> {
    rounds(app, true).await
}

async fn rounds(app: &App, unseen: bool) -> Result<Swept, DbError> {
    seen::flush(app).await?;
    let mut swept = Swept::default();
    loop {
        let round = round(app, unseen).await?;
        swept.leases += round.leases;
        swept.unseen += round.unseen;
        swept.over_limit += round.over_limit;
        if round == Swept::default() || app.is_stopping() {
            return Ok(swept);
        }
    }
}

/// One slice of each kind.
async fn round(app: &App, unseen: bool) -> Result<Swept, DbError> {
    let hand = Hand::new(app, ByWhom::System);
    let mut swept = Swept::default();
    for license in due(app, &hand, store::licenses_with_ended_leases).await? {
        swept.leases += of_license(app, license, &hand, free_ended).await?;
    }
    if unseen {
        for license in due(app, &hand, store::licenses_with_unseen).await? {
            swept.unseen += of_license(app, license, &hand, free_unseen).await?;
        }
    }
    for license in due(app, &hand, store::licenses_over_limit).await? {
        swept.over_limit += of_license(app, license, &hand, free_over_limit).await?;
    }
    Ok(swept)
}

async fn due(
    app: &App,
    hand: &Hand,
    list: fn(&mut AnyConn, Timestamp, i64) -> Result<Vec<LicenseId>, DbError>,
) -> Result<Vec<LicenseId>, DbError> {
    let now = hand.now;
    app.db.read_slow(move |conn| list(conn, now, SLICE)).await
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

/// The longest unseen first; one for which a file still speaks counts as seen until its end. It goes
/// all the same where all the others do not make up for the lowered limit: that is the vendor's to
/// lower, and only the customer may not free such a seat.
fn free_over_limit(tx: &mut WriteTx<'_>, license: &LicenseId, hand: &Hand) -> Result<i32, DbError> {
    free_ended(tx, license, hand)?;
    let Some(row) = licenses::find(tx.conn(), license)?.map(|it| it.license) else {
        return Ok(0);
    };
    if row.over_limit_until.is_none_or(|until| until > hand.now) {
        return Ok(0);
    }
    let beyond = row
        .seat_cap
        .map_or(0, |cap| row.seats_used.saturating_sub(cap));
    let mut seats = store::held(tx.conn(), license, hand.now)?;
    seats.sort_by(|a, b| {
        let key = |row: &store::Activation| (row.counted_on_until(), row.id.clone());
        key(a).cmp(&key(b))
    });
    let slice = i64::from(beyond).clamp(0, SLICE);
    let count = usize::try_from(slice).unwrap_or(0);
    let last: Vec<ActivationId> = seats.into_iter().take(count).map(|row| row.id).collect();
    let freed = free_all(tx, license, &last, FreedReason::OverLimit, hand)?;
    if i64::from(beyond) <= SLICE {
        licenses::end_over_limit(tx, license)?;
    }
    Ok(freed)
}
