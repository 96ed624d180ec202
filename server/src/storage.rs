//! Where kit files lie: content-addressed, hashed while streaming, durable before they count.
//!
//! A file is written under a temporary key and moved, once and for ever, to the place its SHA-256
//! names: `sha256/ab/cdef…`. What is dropped before that leaves nothing behind. The store is a local
//! folder or a service; nothing outside of this folder knows which, but that a service's files may
//! leave by a signed address.

mod blocking;
mod checking;
mod error;
mod open;
mod parts;
mod reading;
mod signing;
mod writing;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE32_NOPAD;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::signer::Signer;
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::entropy::{Entropy, bytes};

pub use blocking::BlockingFile;
pub use error::StorageError;
pub use object_store::path::Path as Key;
pub use parts::{ContentFile, PartName, TemporaryFile};
pub use reading::StoredFile;
pub use signing::Presented;
pub use writing::{Stored, Upload};

/// The store of one installation.
#[derive(Debug, Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    signer: Option<Arc<dyn Signer>>,
    is_local: bool,
    /// Where it is, if it is a local folder.
    folder: Option<PathBuf>,
    part: usize,
    patience: Duration,
    signed_life: Duration,
}

impl Storage {
    /// Starts a file of at most `limit` bytes.
    pub async fn begin_upload(
        &self,
        entropy: &dyn Entropy,
        limit: u64,
    ) -> Result<Upload, StorageError> {
        let temporary = temporary_key(entropy);
        let parts = self.within(self.store.put_multipart(&temporary)).await?;
        Ok(Upload::new(self.clone(), temporary, parts, limit))
    }

    /// Opens a stored file.
    pub async fn open_for_reading(&self, sha256: &str) -> Result<StoredFile, StorageError> {
        let key = content_key(sha256).ok_or(StorageError::Missing)?;
        self.open_file(key, Some(sha256.to_owned())).await
    }

    /// The same for any key.
    pub async fn open_key(&self, key: Key) -> Result<StoredFile, StorageError> {
        self.open_file(key, None).await
    }

    async fn open_file(
        &self,
        key: Key,
        sha256: Option<String>,
    ) -> Result<StoredFile, StorageError> {
        if !self.is_local {
            let size = self.within(self.store.head(&key)).await?.size;
            return Ok(StoredFile::remote(self.clone(), key, sha256, size));
        }
        let found = self.within(self.store.get(&key)).await?;
        let size = found.meta.size;
        match found.payload {
            GetResultPayload::File(file, _path) => Ok(StoredFile::local(file, size, self.patience)),
            GetResultPayload::Stream(_) => Err(StorageError::Missing),
        }
    }

    /// Writes a small object, over what is there. It is durable afterwards.
    pub async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), StorageError> {
        self.within(self.store.put(key, bytes.into())).await?;
        Ok(())
    }

    /// Deletes an object; one that is not there is no error.
    pub async fn delete(&self, key: &Key) -> Result<(), StorageError> {
        match self.within(self.store.delete(key)).await {
            Ok(()) | Err(StorageError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What lies below a key, in no order.
    pub fn list(&self, below: &Key) -> BoxStream<'static, Result<ObjectMeta, StorageError>> {
        self.store
            .list(Some(below))
            .map_err(StorageError::from)
            .boxed()
    }

    /// Whether a file can be written and read back.
    pub async fn check(&self) -> Result<(), StorageError> {
        const PROBE: &[u8] = b"kitward";
        let key = Key::from(format!("uploads/check-{}", std::process::id()));
        self.put(&key, Bytes::from_static(PROBE)).await?;
        let file = self.open_key(key.clone()).await?;
        let read: Vec<Bytes> = file.stream(0..file.size()).try_collect().await?;
        self.delete(&key).await?;
        if read.concat() == PROBE {
            Ok(())
        } else {
            Err(std::io::Error::from(std::io::ErrorKind::InvalidData).into())
        }
    }

    /// Gives storage up that says nothing.
    async fn within<T>(
        &self,
        answer: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T, StorageError> {
        within(self.patience, answer).await
    }
}

async fn within<T>(
    patience: Duration,
    answer: impl Future<Output = object_store::Result<T>>,
) -> Result<T, StorageError> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => Ok(answer?),
        Err(silence) => Err(StorageError::Unavailable(silence.into())),
    }
}

/// A key nobody else uses.
pub fn temporary_key(entropy: &dyn Entropy) -> Key {
    let random: [u8; 20] = bytes(entropy);
    let name = BASE32_NOPAD.encode(&random).to_lowercase();
    Key::from(format!("uploads/{name}"))
}

/// The place of a file; `None` for what is no SHA-256.
pub fn content_key(sha256: &str) -> Option<Key> {
    let is_hash = sha256.len() == 64
        && sha256
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let (folder, rest) = sha256.split_at_checked(2)?;
    is_hash.then(|| Key::from(format!("sha256/{folder}/{rest}")))
}

#[cfg(test)]
mod tests;
