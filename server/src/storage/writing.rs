//! A file on its way in.

use std::mem::take;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256, Sha512};

use super::{StorageError, content_key};

/// Bytes that are hashed and written at once, off the async workers.
const PART: usize = 1 << 20;

/// A file that is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// 128 hexadecimal digits.
    pub sha512: String,
    /// In bytes.
    pub size: u64,
    /// Where it lies.
    pub key: String,
}

#[derive(Debug, Clone, Default)]
struct Hashes {
    sha256: Sha256,
    sha512: Sha512,
}

/// A file that is being written; dropping it removes what is there so far.
pub struct Upload {
    store: Arc<dyn ObjectStore>,
    temporary: Key,
    parts: Box<dyn MultipartUpload>,
    limit: u64,
    size: u64,
    waiting: BytesMut,
    hashes: Hashes,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("temporary", &self.temporary)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Upload {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        temporary: Key,
        parts: Box<dyn MultipartUpload>,
        limit: u64,
    ) -> Self {
        Self {
            store,
            temporary,
            parts,
            limit,
            size: 0,
            waiting: BytesMut::new(),
            hashes: Hashes::default(),
        }
    }

    /// Adds bytes.
    pub async fn write(&mut self, chunk: &[u8]) -> Result<(), StorageError> {
        self.size = self.size.saturating_add(chunk.len() as u64);
        if self.size > self.limit {
            return Err(StorageError::TooLarge { limit: self.limit });
        }
        self.waiting.extend_from_slice(chunk);
        if self.waiting.len() >= PART {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), StorageError> {
        let part: Bytes = self.waiting.split().freeze();
        if part.is_empty() {
            return Ok(());
        }
        let written = self.parts.put_part(PutPayload::from_bytes(part.clone()));
        let mut state = take(&mut self.hashes);
        let hashing = tokio::task::spawn_blocking(move || {
            state.sha256.update(&part);
            state.sha512.update(&part);
            state
        });
        let (written, hashed) = tokio::join!(written, hashing);
        self.hashes = hashed?;
        Ok(written?)
    }

    /// Puts the file into the place its hash names, unless `expected` (a SHA-256 in hexadecimal) is
    /// another one. A file that is already there stays as it is.
    pub async fn finish(mut self, expected: Option<&str>) -> Result<Stored, StorageError> {
        self.flush().await?;
        let hashes = take(&mut self.hashes);
        let sha256 = HEXLOWER.encode(&hashes.sha256.finalize());
        let sha512 = HEXLOWER.encode(&hashes.sha512.finalize());
        if expected.is_some_and(|expected| !expected.eq_ignore_ascii_case(&sha256)) {
            self.abort().await?;
            return Err(StorageError::Mismatch { sha256 });
        }
        let key = content_key(&sha256).ok_or(StorageError::Missing)?;
        self.parts.complete().await?;
        let moved = self.store.rename_if_not_exists(&self.temporary, &key).await;
        match moved {
            Ok(()) => {}
            Err(object_store::Error::AlreadyExists { .. }) => {
                self.store.delete(&self.temporary).await?;
            }
            Err(error) => {
                // What is left over holds no name anybody knows; the first failure is what counts.
                let _ = self.store.delete(&self.temporary).await;
                return Err(error.into());
            }
        }
        Ok(Stored {
            sha256,
            sha512,
            size: self.size,
            key: key.to_string(),
        })
    }

    /// Removes what was written.
    pub async fn abort(mut self) -> Result<(), StorageError> {
        Ok(self.parts.abort().await?)
    }
}
