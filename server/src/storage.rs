//! Where kit files lie: content-addressed, hashed while streaming, synced before they count.
//!
//! A file is written under a temporary key and moved, once and for ever, to the place its SHA-256
//! names: `sha256/ab/cdef…`. What is dropped before that leaves nothing behind.

mod error;
mod reading;
mod writing;

use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt};

use crate::entropy::{Entropy, bytes};

pub use error::StorageError;
pub use reading::StoredFile;
pub use writing::{Stored, Upload};

/// The store of one installation.
#[derive(Debug, Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
}

impl Storage {
    /// Opens the local store in the data folder.
    pub fn open(data_dir: &Path) -> Result<Self, StorageError> {
        let folder = data_dir.join("blobs");
        std::fs::create_dir_all(&folder)?;
        let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
        })
    }

    /// Starts a file of at most `limit` bytes.
    pub async fn begin_upload(
        &self,
        entropy: &dyn Entropy,
        limit: u64,
    ) -> Result<Upload, StorageError> {
        let random: [u8; 20] = bytes(entropy);
        let name = BASE32_NOPAD.encode(&random).to_lowercase();
        let temporary = Key::from(format!("uploads/{name}"));
        let parts = self.store.put_multipart(&temporary).await?;
        Ok(Upload::new(
            Arc::clone(&self.store),
            temporary,
            parts,
            limit,
        ))
    }

    /// Opens a stored file.
    pub async fn open_for_reading(&self, sha256: &str) -> Result<StoredFile, StorageError> {
        let key = content_key(sha256).ok_or(StorageError::Missing)?;
        let found = self.store.get(&key).await?;
        let size = found.meta.size;
        match found.payload {
            GetResultPayload::File(file, _path) => Ok(StoredFile::new(file, size)),
            GetResultPayload::Stream(_) => Err(StorageError::Missing),
        }
    }

    /// Whether a file can be written and read back.
    pub async fn check(&self) -> Result<(), StorageError> {
        const PROBE: &[u8] = b"kitward";
        let key = Key::from(format!("uploads/check-{}", std::process::id()));
        self.store.put(&key, PROBE.into()).await?;
        let read = self.store.get(&key).await?.bytes().await?;
        self.store.delete(&key).await?;
        if read == PROBE {
            Ok(())
        } else {
            Err(std::io::Error::from(std::io::ErrorKind::InvalidData).into())
        }
    }
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
