//! Whether rows and stored files agree.

use std::pin::pin;

use futures_util::StreamExt;

use super::{Finding, finding};
use crate::app::App;
use crate::db::DbError;
use crate::releases::store::blobs;
use crate::releases::sweep::without_row;
use crate::storage::StorageError;

/// Rows and files looked at in one go.
const SLICE: usize = 200;

#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

pub(super) async fn finding_of(app: &App) -> Finding {
    let outcome = match look(app).await {
        Ok(outcome) => outcome,
        Err(error) => Err(crate::http::error::chain(&error)),
    };
    finding("kit files", outcome)
}

/// What customers would miss fails; what nobody needs is told.
async fn look(app: &App) -> Result<Result<String, String>, LookError> {
    let (count, missing) = missing_files(app).await?;
    let orphans = orphans(app).await?;
    let stray = match orphans {
        0 => String::new(),
        n => format!(", {n} without an owner, which the server removes when they are a day old"),
    };
    let Some(first) = missing.first() else {
        return Ok(Ok(format!("{count} there{stray}")));
    };
    Ok(Err(format!(
        "{} of {count} missing or cut, such as {first}: restore the storage{stray}",
        missing.len()
    )))
}

async fn missing_files(app: &App) -> Result<(usize, Vec<String>), LookError> {
    let (mut count, mut missing) = (0, Vec::new());
    let mut after = String::new();
    loop {
        let from = after.clone();
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        let read = move |conn: &mut _| blobs::referred_after(conn, &from, limit);
        let slice: Vec<(String, i64)> = app.db.read_slow(read).await?;
        let Some((last, _)) = slice.last() else {
            return Ok((count, missing));
        };
        last.clone_into(&mut after);
        count += slice.len();
        for (sha256, size) in slice {
            let found = app.storage.size_of(&sha256).await?;
            if found != u64::try_from(size).ok() {
                missing.push(sha256);
            }
        }
    }
}

async fn orphans(app: &App) -> Result<usize, LookError> {
    let mut count = 0;
    let mut slices = pin!(app.storage.content_files().chunks(SLICE));
    while let Some(slice) = slices.next().await {
        let slice = slice.into_iter().collect::<Result<Vec<_>, _>>()?;
        count += without_row(app, slice).await?.len();
    }
    Ok(count)
}
