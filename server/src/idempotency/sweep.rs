//! Forgetting what is over, also where no further request comes.

use super::claim::KEPT_SECONDS;
use super::store;
use crate::app::App;
use crate::db::{DbError, Shard};

/// Deletes every row that is over, in slices: secrets that are shown once do not outlive their day
/// by much.
pub async fn sweep(app: &App) -> Result<(), DbError> {
    let before = app.clock.now().plus_seconds(-KEPT_SECONDS);
    loop {
        let deleted = app
            .db
            .write(Shard::Wide, move |tx| store::delete_oldest(tx, before))
            .await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}
