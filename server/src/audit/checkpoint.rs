//! Signs what the log is now and then, so that a rewritten or shortened one is found out.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use kitward_keys::{CheckpointClaims, DocumentType, SignError, jws};

use super::model::checkpoint_is_due;
use super::store::{self, CheckpointRow, Outlook};
use crate::app::App;
use crate::db::{DbError, Shard};

/// How often it is looked whether a checkpoint is due.
const POLL: Duration = Duration::from_mins(1);
/// How often it is looked whether the process is about to end.
const TICK: Duration = Duration::from_millis(500);

/// Why no checkpoint was made.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The database failed.
    #[error("the database failed while a checkpoint was made")]
    Db(#[from] DbError),
    /// The claims were not signed.
    #[error("a checkpoint was not signed")]
    Sign(#[from] SignError),
    /// The entry that the newest checkpoint covers is gone or another one.
    #[error("the audit log is not what the checkpoint of entry {0} says: run kitward audit verify")]
    Contradiction(i64),
}

/// Makes checkpoints while the app runs; any number of processes may.
pub async fn run(app: Arc<App>) {
    while !app.is_stopping() {
        match checkpoint(&app).await {
            Ok(_) => {}
            Err(error @ (CheckpointError::Db(_) | CheckpointError::Sign(_))) => {
                let error = crate::http::error::chain(&error);
                tracing::warn!(error, "no checkpoint of the audit log was made");
            }
            Err(error @ CheckpointError::Contradiction(_)) => {
                tracing::error!(%error, "the audit log was tampered with");
            }
        }
        let end = tokio::time::Instant::now() + POLL;
        while !app.is_stopping() && tokio::time::Instant::now() < end {
            tokio::time::sleep(TICK).await;
        }
    }
}

/// Makes a checkpoint if one is due; returns the number of the entry it covers.
///
/// A log that contradicts its newest checkpoint gets no further one, which would hide that.
pub async fn checkpoint(app: &App) -> Result<Option<i64>, CheckpointError> {
    let Outlook {
        head,
        newest,
        agrees,
    } = app.db.read_slow(store::outlook).await?;
    let last = newest.as_ref().map(|row| (row.seq, row.at));
    if let (false, Some((seq, _))) = (agrees, last) {
        return Err(CheckpointError::Contradiction(seq));
    }
    let now = app.clock.now();
    let Some((seq, hash)) = head.filter(|(seq, _)| checkpoint_is_due(*seq, last, now)) else {
        return Ok(None);
    };
    let claims = CheckpointClaims {
        iss: app.installation_id.clone(),
        iat: now.unix(),
        seq,
        hash: HEXLOWER.encode(&hash),
    };
    let token = jws::sign(DocumentType::Checkpoint, &app.keys.load().document, &claims)?;
    let row = CheckpointRow {
        seq,
        hash,
        at: now,
        token: token.clone(),
    };
    let shard = Shard::of("audit_checkpoints");
    let added = app
        .db
        .write(shard, move |tx| store::add_checkpoint(tx, &row))
        .await?;
    if added {
        // Logs are kept elsewhere: there it outlives whoever removes it here.
        tracing::info!(
            audit.seq = seq,
            audit.checkpoint = token,
            "audit checkpoint"
        );
    }
    Ok(added.then_some(seq))
}
