//! What two archives come to: kept, or computed now.

use std::io::{Error, Read as _};
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use flate2::read::ZlibDecoder;
use sha2::{Digest, Sha256};

use super::archive::Source;
use super::compute::{ComputeError, Computed, compute};
use super::model::Summary;
use super::store::{self, Comparison, NewComparison, Outcome};
use super::turns::Busy;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard};
use crate::releases::store::Artifact;
use crate::storage::StorageError;

/// Grows with every change of what a comparison says; what earlier editions kept is computed anew.
const EDITION: i32 = 2;
/// Bytes that all kept comparisons may weigh together.
const WEIGHT_MAX: i64 = 512 << 20;
/// Seconds after which what took too long is tried again: the machine may have been busy.
const RETRY_SECONDS: i64 = 60 * 60;

/// Two archives of the same kit.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The archive a customer has.
    pub old: Artifact,
    /// The archive a customer wants.
    pub new: Artifact,
}

/// What two archives come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Files and figures.
    pub summary: Summary,
    /// Bytes of the patch.
    pub patch_size: u64,
    /// Of the patch; 64 hexadecimal digits.
    pub patch_sha256: String,
}

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The database failed.
    #[error("the database failed while archives were compared")]
    Db(#[from] DbError),
    /// The storage failed.
    #[error("the storage failed while archives were compared")]
    Storage(#[from] StorageError),
    /// Others are not done yet.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// Between the look at a comparison and at its patch it made room, or was computed anew.
    #[error("a comparison was replaced while it was read")]
    Replaced,
    /// What is kept cannot be read, or the computation was broken off.
    #[error("a comparison is broken")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// They cannot be compared.
    #[error("{detail}")]
    Refused {
        /// Why, as a word.
        outcome: Outcome,
        /// Why, as a sentence.
        detail: String,
    },
}

/// What changed from one archive to the other. `caller` is who has to wait where it asks for much:
/// a license, or a network.
pub async fn compare(app: &Arc<App>, pair: &Pair, caller: &str) -> Result<Compared, CompareError> {
    if pair.old.sha256 == pair.new.sha256 {
        return Ok(nothing());
    }
    if let Some(kept) = kept(app, pair).await? {
        return told(kept);
    }
    let (old, new) = (&pair.old.sha256, &pair.new.sha256);
    let turn = app.turns.take(caller, old, new).await?;
    // Whoever had the turn before may have answered.
    if let Some(kept) = kept(app, pair).await? {
        return told(kept);
    }
    let room = turn.room().await?;
    let (app, pair) = (Arc::clone(app), pair.clone());
    // It goes on when whoever asked has gone, and until it is done that caller gets no other: the
    // next one finds it.
    let task = tokio::spawn(async move {
        let _held = (turn, room);
        compute_and_keep(&app, &pair).await
    });
    let computed = task
        .await
        .map_err(|error| CompareError::Broken(error.into()))?;
    told(computed?)
}

/// The patch of a comparison that [`compare`] has told, and no other. Its bytes are held at the
/// expense of `caller` until they are dropped.
pub async fn patch(
    app: &App,
    pair: &Pair,
    compared: &Compared,
    caller: &str,
) -> Result<Bytes, CompareError> {
    let (old, new) = (pair.old.sha256.clone(), pair.new.sha256.clone());
    if old == new {
        return Ok(Bytes::new());
    }
    let size = compared.patch_size;
    let hold = app.turns.hold(caller, size).await?;
    let sha256 = compared.patch_sha256.clone();
    let find = move |conn: &mut _| store::find_patch(conn, (&old, &new), &sha256);
    let packed = app.db.read_slow(find).await?;
    let packed = packed.ok_or(CompareError::Replaced)?;
    let unpacking = tokio::task::spawn_blocking(move || unpack(&packed, size));
    let unpacked = unpacking
        .await
        .map_err(|error| CompareError::Broken(error.into()))?;
    let patch = unpacked.map_err(|error| CompareError::Broken(error.into()))?;
    Ok(hold.around(patch))
}

/// The patch takes the memory that it was said to take, and no more.
fn unpack(packed: &[u8], size: u64) -> Result<Vec<u8>, Error> {
    let length = usize::try_from(size).map_err(Error::other)?;
    let mut patch = Vec::new();
    patch.try_reserve_exact(length)?;
    let unpacked = ZlibDecoder::new(packed);
    unpacked
        .take(size.saturating_add(1))
        .read_to_end(&mut patch)?;
    if patch.len() == length {
        Ok(patch)
    } else {
        Err(Error::other("the patch has another size than was kept"))
    }
}

fn nothing() -> Compared {
    Compared {
        summary: Summary::nothing(),
        patch_size: 0,
        patch_sha256: HEXLOWER.encode(&Sha256::digest([])),
    }
}

async fn kept(app: &App, pair: &Pair) -> Result<Option<Comparison>, DbError> {
    let (old, new) = (pair.old.sha256.clone(), pair.new.sha256.clone());
    let find = move |conn: &mut _| store::find(conn, &old, &new);
    let found = app.db.read_slow(find).await?;
    let now = app.clock.now();
    Ok(found.filter(|row| is_good(row, now)))
}

fn is_good(row: &Comparison, now: Timestamp) -> bool {
    let again_at = row.created_at.plus_seconds(RETRY_SECONDS);
    row.edition == EDITION && (row.outcome != Outcome::TooSlow || now < again_at)
}

fn told(row: Comparison) -> Result<Compared, CompareError> {
    if row.outcome != Outcome::Ready {
        return Err(CompareError::Refused {
            outcome: row.outcome,
            detail: row.summary,
        });
    }
    let summary = serde_json::from_str(&row.summary);
    Ok(Compared {
        summary: summary.map_err(|error| CompareError::Broken(error.into()))?,
        patch_size: u64::try_from(row.patch_size).unwrap_or_default(),
        patch_sha256: row.patch_sha256,
    })
}

async fn compute_and_keep(app: &App, pair: &Pair) -> Result<Comparison, CompareError> {
    let source = |file: &Artifact| {
        let size = u64::try_from(file.size).unwrap_or_default();
        Source::new(&app.storage, &file.sha256, size)
    };
    let (old, new) = (source(&pair.old), source(&pair.new));
    let computing = tokio::task::spawn_blocking(move || compute(&old, &new));
    let computed = computing
        .await
        .map_err(|error| CompareError::Broken(error.into()))?;
    let now = app.clock.now();
    let row = match computed {
        Ok(computed) => ready(computed, now)?,
        Err(ComputeError::Refused { outcome, detail }) => row(outcome, detail, now),
        Err(ComputeError::Storage(error)) => return Err(error.into()),
    };
    let row = NewComparison {
        old_sha256: pair.old.sha256.clone(),
        new_sha256: pair.new.sha256.clone(),
        ..row
    };
    let comparison = Comparison {
        outcome: row.outcome,
        summary: row.summary.clone(),
        patch_size: row.patch_size,
        patch_sha256: row.patch_sha256.clone(),
        edition: row.edition,
        created_at: row.created_at,
    };
    let shard = Shard::of(&row.old_sha256);
    app.db
        .write(shard, move |tx| store::put(tx, &row, WEIGHT_MAX))
        .await?;
    Ok(comparison)
}

fn ready(computed: Computed, now: Timestamp) -> Result<NewComparison, CompareError> {
    let summary = serde_json::to_string(&computed.summary);
    let summary = summary.map_err(|error| CompareError::Broken(error.into()))?;
    let weight = computed.packed.len() + summary.len();
    Ok(NewComparison {
        patch: computed.packed,
        patch_size: i64::try_from(computed.patch_size).unwrap_or(i64::MAX),
        patch_sha256: computed.patch_sha256,
        weight: i64::try_from(weight).unwrap_or(i64::MAX),
        ..row(Outcome::Ready, summary, now)
    })
}

fn row(outcome: Outcome, detail: String, created_at: Timestamp) -> NewComparison {
    NewComparison {
        old_sha256: String::new(),
        new_sha256: String::new(),
        edition: EDITION,
        outcome,
        weight: i64::try_from(detail.len()).unwrap_or(i64::MAX),
        summary: detail,
        patch: Vec::new(),
        patch_size: 0,
        patch_sha256: String::new(),
        created_at,
    }
}

/// Which files of two releases are compared: of those of the kind `source` the pair whose names are
/// equal but for the version, else the first of each by name.
pub fn choose(old: (&str, &[Artifact]), new: (&str, &[Artifact])) -> Option<Pair> {
    let sources = |files: &[Artifact]| -> Vec<Artifact> {
        files
            .iter()
            .filter(|file| file.is_source())
            .cloned()
            .collect()
    };
    let (before, after) = (sources(old.1), sources(new.1));
    let bare = |file: &Artifact, version: &str| file.name.replace(version, "");
    let fitting = before.iter().find_map(|file| {
        let name = bare(file, old.0);
        let partner = after.iter().find(|other| bare(other, new.0) == name)?;
        Some((file.clone(), partner.clone()))
    });
    let first = || Some((before.first()?.clone(), after.first()?.clone()));
    let (old, new) = fitting.or_else(first)?;
    Some(Pair { old, new })
}
