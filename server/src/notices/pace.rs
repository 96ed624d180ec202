//! How many mails of a lane leave, on all processes together.

use super::model::NoticeKind;
use super::store;
use crate::app::App;
use crate::db::{DbError, Shard};
use crate::outbox::Lane;

/// How many of `wanted` rows of a lane may be tried now. Only the lanes of notices have a pace; the
/// database keeps it, so that neither a restart nor another process speeds them up.
pub async fn places(app: &App, lane: Lane, wanted: usize) -> Result<usize, DbError> {
    let rate = app.config.mail.notices_per_minute;
    let has_pace = NoticeKind::ALL.iter().any(|kind| kind.lane() == lane);
    if !has_pace || rate == 0 || wanted == 0 {
        return Ok(wanted);
    }
    let now = app.clock.now();
    app.db
        .write(Shard::of(lane.as_str()), move |tx| {
            store::take_pace(tx, lane, now, (rate, wanted))
        })
        .await
}
