//! What waits already, for whoever would add the same once more.

use super::model::Job;
use super::store;
use super::worker::job_of;
use crate::app::App;
use crate::db::{DbError, WriteTx};

/// Whether an equal job waits or is under way. Exact where whoever adds such jobs holds a lock for them.
pub fn waits(tx: &mut WriteTx<'_>, app: &App, job: &Job) -> Result<bool, DbError> {
    let rows = store::waiting(tx.conn(), job.lane(), job.kind())?;
    // What a row is about is sealed: all of this kind that wait are opened.
    let is_equal = |row| job_of(app, row).is_ok_and(|other| other == *job);
    Ok(rows.iter().any(is_equal))
}
