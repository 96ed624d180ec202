//! Giving an upload up.

use crate::app::App;
use crate::db::{DbError, Shard};
use crate::releases::model::UploadId;
use crate::releases::store::uploads;

/// Ends an upload; whether there was one. What the storage holds of it goes, now or with the next
/// sweep.
pub async fn abandon_upload(app: &App, id: UploadId) -> Result<bool, DbError> {
    let ended = id.clone();
    let was_there = app
        .db
        .write(Shard::of(id.as_str()), move |tx| {
            uploads::delete(tx, &ended)
        })
        .await?;
    if was_there {
        clear(app, &id).await;
    }
    Ok(was_there)
}

/// Removes the parts of an upload that is over.
pub(super) async fn clear(app: &App, id: &UploadId) {
    if let Err(error) = app.storage.remove_parts_of(id.as_str()).await {
        tracing::warn!(%error, upload = id.as_str(), "parts of an ended upload wait for the sweep");
    }
}
