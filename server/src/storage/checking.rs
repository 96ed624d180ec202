//! Reading a stored file through, to know that it is the one it should be.

use data_encoding::HEXLOWER;
use futures_util::TryStreamExt;
use kitward_keys::Prehash;
use sha2::{Digest, Sha256};

use super::{Storage, StorageError};

impl Storage {
    /// The hash that signatures are made over, of the stored file with this SHA-256 and so many bytes; an
    /// error where other bytes lie in its place. A disk checks nothing by itself.
    pub async fn prehash_of(&self, sha256: &str, size: u64) -> Result<[u8; 64], StorageError> {
        let file = self.open_for_reading(sha256).await?;
        if file.size() != size {
            return Err(StorageError::OtherBytes);
        }
        let mut chunks = file.stream(0..size);
        let (mut hash, mut prehash) = (Sha256::new(), Prehash::default());
        while let Some(chunk) = chunks.try_next().await? {
            let hashing = tokio::task::spawn_blocking(move || {
                hash.update(&chunk);
                prehash.update(&chunk);
                (hash, prehash)
            });
            (hash, prehash) = hashing.await?;
        }
        if HEXLOWER.encode(&hash.finalize()) == sha256 {
            Ok(prehash.finish())
        } else {
            Err(StorageError::OtherBytes)
        }
    }
}
