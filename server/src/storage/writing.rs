//! A file on its way in.

use std::mem::take;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use data_encoding::HEXLOWER;
use futures_util::TryStreamExt;
use kitward_keys::Prehash;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256, Sha512};

use super::{Key, Storage, StorageError, content_key, within};

/// How much longer than for an answer to wait until a whole file is put together, synced or copied.
const WHOLE_FILE: u32 = 15;

/// A file that is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// 128 hexadecimal digits.
    pub sha512: String,
    /// BLAKE2b-512, which signatures are made over; none where it was not made.
    pub blake2b: Option<[u8; 64]>,
    /// In bytes.
    pub size: u64,
    /// Where it lies.
    pub key: String,
}

#[derive(Debug, Clone, Default)]
struct Hashes {
    sha256: Sha256,
    sha512: Sha512,
    blake2b: Prehash,
}

/// A file that is being written; dropping it removes what is there so far.
pub struct Upload {
    storage: Storage,
    temporary: Key,
    /// Nothing once it is complete or given up.
    parts: Option<Box<dyn MultipartUpload>>,
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

/// A local file goes with its handle; of a service's parts somebody has to tell the service.
impl Drop for Upload {
    fn drop(&mut self) {
        let parts = self.parts.take().filter(|_| !self.storage.is_local);
        let Some((mut parts, runtime)) = parts.zip(tokio::runtime::Handle::try_current().ok())
        else {
            return;
        };
        runtime.spawn(async move {
            if let Err(error) = parts.abort().await {
                tracing::warn!(%error, "parts of a dropped upload may be left in the kit storage");
            }
        });
    }
}

impl Upload {
    pub(super) fn new(
        storage: Storage,
        temporary: Key,
        parts: Box<dyn MultipartUpload>,
        limit: u64,
    ) -> Self {
        Self {
            storage,
            temporary,
            parts: Some(parts),
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
        // Some services want all parts but the last to be of one size.
        while self.waiting.len() >= self.storage.part {
            let part = self.waiting.split_to(self.storage.part).freeze();
            self.send(part).await?;
        }
        Ok(())
    }

    async fn send(&mut self, part: Bytes) -> Result<(), StorageError> {
        let parts = self.parts.as_mut().ok_or(StorageError::Missing)?;
        let written = parts.put_part(PutPayload::from_bytes(part.clone()));
        let written = within(self.storage.patience, written);
        let mut state = take(&mut self.hashes);
        let hashing = tokio::task::spawn_blocking(move || {
            state.sha256.update(&part);
            state.sha512.update(&part);
            state.blake2b.update(&part);
            state
        });
        let (written, hashed) = tokio::join!(written, hashing);
        self.hashes = hashed?;
        written
    }

    /// Puts the file into the place its hash names, unless `expected` (a SHA-256 in hexadecimal) is
    /// another one. A file of this size that is already there stays as it is.
    pub async fn finish(mut self, expected: Option<&str>) -> Result<Stored, StorageError> {
        let rest = self.waiting.split().freeze();
        if !rest.is_empty() {
            self.send(rest).await?;
        }
        let hashes = take(&mut self.hashes);
        let sha256 = HEXLOWER.encode(&hashes.sha256.finalize());
        let sha512 = HEXLOWER.encode(&hashes.sha512.finalize());
        if expected.is_some_and(|expected| !expected.eq_ignore_ascii_case(&sha256)) {
            self.abort().await?;
            return Err(StorageError::Mismatch { sha256 });
        }
        let key = content_key(&sha256).ok_or(StorageError::Missing)?;
        let mut parts = self.parts.take().ok_or(StorageError::Missing)?;
        within(self.whole_file(), parts.complete()).await?;
        if let Err(error) = self.settle(&sha256, &key).await {
            // What is left over holds no name anybody knows; the first failure is what counts.
            let _ = self.storage.delete(&self.temporary).await;
            return Err(error);
        }
        Ok(Stored {
            sha256,
            sha512,
            blake2b: Some(hashes.blake2b.finish()),
            size: self.size,
            key: key.to_string(),
        })
    }

    fn whole_file(&self) -> Duration {
        self.storage.patience.saturating_mul(WHOLE_FILE)
    }

    /// From the temporary key to the place.
    async fn settle(&mut self, sha256: &str, key: &Key) -> Result<(), StorageError> {
        let store = Arc::clone(&self.storage.store);
        if self.storage.is_local {
            let moved = store.rename_if_not_exists(&self.temporary, key);
            let moved = tokio::time::timeout(self.whole_file(), moved).await;
            return match moved.map_err(|late| StorageError::Unavailable(late.into()))? {
                Ok(()) => Ok(()),
                Err(object_store::Error::AlreadyExists { .. }) => self.settle_again(key).await,
                Err(error) => Err(error.into()),
            };
        }
        self.read_back(sha256).await?;
        if !self.is_in_place(key).await? {
            // Not every service copies on a condition. Whoever else copies to this place at the same
            // time has checked the same hash, so that no order makes a difference.
            within(self.whole_file(), store.copy(&self.temporary, key)).await?;
        }
        self.storage.delete(&self.temporary).await
    }

    /// The same where a local file lies in the place. It stays, unless it was cut or grew since it
    /// was put there: then this one takes its place. Whoever reads the other goes on reading it.
    async fn settle_again(&mut self, key: &Key) -> Result<(), StorageError> {
        if self.is_in_place(key).await? {
            return self.storage.delete(&self.temporary).await;
        }
        tracing::warn!(%key, "a stored file had another size and was put back by an upload");
        let store = Arc::clone(&self.storage.store);
        within(self.whole_file(), store.rename(&self.temporary, key)).await
    }

    /// Whether a file of this size lies in the place.
    async fn is_in_place(&mut self, key: &Key) -> Result<bool, StorageError> {
        let store = Arc::clone(&self.storage.store);
        match self.storage.within(store.head(key)).await {
            Ok(found) => Ok(found.size == self.size),
            Err(StorageError::Missing) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a service keeps went through a network: only what it gives back counts.
    async fn read_back(&mut self, sha256: &str) -> Result<(), StorageError> {
        let file = self.storage.open_key(self.temporary.clone()).await?;
        let mut kept = file.stream(0..file.size());
        let mut hash = Sha256::new();
        while let Some(chunk) = kept.try_next().await? {
            hash.update(&chunk);
        }
        if file.size() == self.size && HEXLOWER.encode(&hash.finalize()) == sha256 {
            Ok(())
        } else {
            Err(StorageError::OtherBytes)
        }
    }

    /// Removes what was written.
    pub async fn abort(mut self) -> Result<(), StorageError> {
        match self.parts.take() {
            Some(mut parts) => within(self.storage.patience, parts.abort()).await,
            None => Ok(()),
        }
    }
}
