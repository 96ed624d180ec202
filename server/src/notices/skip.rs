//! Calling it off: nobody else is told of a release.

use super::model::Reason;
use super::store;
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::db::{DbError, Shard};
use crate::releases;
use crate::releases::model::ReleaseId;

/// Why it was not called off.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    /// The database failed.
    #[error("the database failed while notices were called off")]
    Db(#[from] DbError),
    /// No release has this id.
    #[error("no such release")]
    NotFound,
}

/// Calls off what has not left; a mail that is leaving right now still arrives. Repeating it, or where
/// nobody is told anyway, changes nothing.
pub async fn skip(app: &App, id: ReleaseId, actor: Actor) -> Result<(), SkipError> {
    let now = app.clock.now();
    app.db
        .write(Shard::of(id.as_str()), move |tx| {
            releases::store::lock(tx, &id)?.ok_or(SkipError::NotFound)?;
            if store::call_off(tx, &id)? {
                store::skip_waiting(tx, &id, Reason::CalledOff, now)?;
                let action = "release.notices_called_off";
                tx.audit(Entry::new(now, actor.clone(), action, &id, &["notices"]));
            }
            Ok(())
        })
        .await
}
