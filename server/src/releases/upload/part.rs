//! Taking in a part: its bytes are durable first, then its row is, then it is acknowledged.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{DbError, Shard, WriteTx};
use crate::releases::model::UploadId;
use crate::releases::store::uploads::{self, PartRow};
use crate::storage::{PartName, StorageError};

/// Which part is coming.
#[derive(Debug, Clone)]
pub struct ExpectedPart {
    upload: UploadId,
    number: i32,
    /// How many bytes it must have.
    pub length: u64,
}

/// Why it was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ReceivePartError {
    /// The database failed.
    #[error("the database failed while a part was added")]
    Db(#[from] DbError),
    /// The bytes could not be stored.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// There is no such upload, or no longer.
    #[error("no such upload")]
    NotFound,
    /// The file has no such part.
    #[error("no such part")]
    NoSuchPart {
        /// How many it has.
        count: u64,
    },
    /// It does not have as many bytes as it must have.
    #[error("the part has another length")]
    Length {
        /// How many it must have.
        expected: u64,
    },
    /// It does not hash to what was said.
    #[error("the part has another SHA-256")]
    Mismatch {
        /// What it has.
        sha256: String,
    },
    /// Other bytes are there under this number.
    #[error("the part is there with other bytes")]
    Differs {
        /// What is there.
        sha256: String,
    },
}

/// Which part this is, before the first byte of it is read.
pub async fn expect_part(
    app: &App,
    upload: UploadId,
    number: u64,
) -> Result<ExpectedPart, ReceivePartError> {
    let id = upload.clone();
    let row = app
        .db
        .read(move |conn| uploads::find(conn, &id))
        .await?
        .ok_or(ReceivePartError::NotFound)?;
    let cut = row.cut();
    let known = cut.length(number).zip(i32::try_from(number).ok());
    let count = cut.count();
    let (length, number) = known.ok_or(ReceivePartError::NoSuchPart { count })?;
    Ok(ExpectedPart {
        upload,
        number,
        length,
    })
}

/// Stores a part. The same bytes again change nothing.
pub async fn receive_part(
    app: &App,
    part: ExpectedPart,
    bytes: Bytes,
    expected_sha256: Option<&str>,
) -> Result<PartRow, ReceivePartError> {
    let length = part.length;
    if bytes.len() as u64 != length {
        return Err(ReceivePartError::Length { expected: length });
    }
    let hashed = bytes.clone();
    let hashing = tokio::task::spawn_blocking(move || Sha256::digest(&hashed));
    let sha256 = HEXLOWER.encode(&hashing.await.map_err(StorageError::from)?);
    if expected_sha256.is_some_and(|expected| !expected.eq_ignore_ascii_case(&sha256)) {
        return Err(ReceivePartError::Mismatch { sha256 });
    }
    let row = PartRow {
        upload_id: part.upload,
        number: part.number,
        size: i64::try_from(length).unwrap_or(i64::MAX),
        sha256,
        created_at: app.clock.now(),
    };
    if let Some(present) = present(app, &row).await? {
        return Ok(present);
    }
    app.storage.put_part(name(&row), bytes).await?;
    let (added, now) = (row.clone(), row.created_at);
    let outcome = app
        .db
        .write(Shard::of(row.upload_id.as_str()), move |tx| {
            add_part_in(tx, &added, now)
        })
        .await;
    if matches!(
        outcome,
        Err(ReceivePartError::NotFound | ReceivePartError::Differs { .. })
    ) {
        // It belongs to nobody now; if this fails, a sweep finds it.
        let _ = app.storage.remove_part(name(&row)).await;
    }
    outcome
}

async fn present(app: &App, row: &PartRow) -> Result<Option<PartRow>, ReceivePartError> {
    let (id, number) = (row.upload_id.clone(), row.number);
    let found = app
        .db
        .read(move |conn| uploads::find_part(conn, &id, number))
        .await?;
    found.map(|found| same(found, row)).transpose()
}

fn same(present: PartRow, row: &PartRow) -> Result<PartRow, ReceivePartError> {
    if present.sha256 == row.sha256 {
        return Ok(present);
    }
    Err(ReceivePartError::Differs {
        sha256: present.sha256,
    })
}

/// The same inside another unit of work, for bytes that are stored already.
pub fn add_part_in(
    tx: &mut WriteTx<'_>,
    part: &PartRow,
    now: Timestamp,
) -> Result<PartRow, ReceivePartError> {
    if !uploads::touch(tx, &part.upload_id, now)? {
        return Err(ReceivePartError::NotFound);
    }
    if let Some(present) = uploads::find_part(tx.conn(), &part.upload_id, part.number)? {
        return same(present, part);
    }
    uploads::insert_part(tx, part)?;
    Ok(part.clone())
}

/// Where the storage has a part.
pub(super) fn name(row: &PartRow) -> PartName<'_> {
    PartName {
        upload: row.upload_id.as_str(),
        number: row.number,
        sha256: &row.sha256,
    }
}
