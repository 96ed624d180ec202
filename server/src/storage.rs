//! Where kit files lie: content-addressed, hashed while streaming, synced before they count.

use std::path::Path;

/// The store of one installation.
#[derive(Debug, Clone)]
pub struct Storage;

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {}

impl Storage {
    /// Opens the local store in the data folder.
    pub fn open(_data_dir: &Path) -> Result<Self, StorageError> {
        Ok(Self)
    }

    /// Whether a file can be written and read back.
    pub async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}
