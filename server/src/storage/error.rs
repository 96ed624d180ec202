//! Why a file could not be stored or read.

use std::io::ErrorKind;

use crate::http::{ApiError, Code};

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The disk or the store failed.
    #[error("the kit storage failed")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Larger than allowed.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// How many it may have.
        limit: u64,
    },
    /// No space left.
    #[error("the kit storage is full")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no such file.
    #[error("the file is not in the kit storage")]
    Missing,
    /// The bytes are not those that were announced.
    #[error("the file has another SHA-256")]
    Mismatch {
        /// What it has.
        sha256: String,
    },
}

impl StorageError {
    fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        if is_full(&error) {
            Self::Full(Box::new(error))
        } else {
            Self::Io(Box::new(error))
        }
    }
}

/// Whether the system said somewhere in the chain that there is no space left.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut current = Some(error);
    while let Some(error) = current {
        let kind = error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        if matches!(
            kind,
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
        ) {
            return true;
        }
        current = error.source();
    }
    false
}

impl From<std::io::Error> for StorageError {
    fn from(error: std::io::Error) -> Self {
        Self::of(error)
    }
}

impl From<tokio::task::JoinError> for StorageError {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Io(Box::new(error))
    }
}

impl From<object_store::Error> for StorageError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::of(other),
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::TooLarge { limit } => {
                let detail = format!("The file may have at most {limit} bytes.");
                Self::new(Code::PayloadTooLarge, detail)
            }
            StorageError::Mismatch { sha256 } => {
                let detail = "The file that arrived has another SHA-256. Upload it again.";
                Self::field("X-Content-SHA256", detail).with("received_sha256", sha256)
            }
            StorageError::Full(source) => Self::insufficient_storage(source),
            error @ (StorageError::Io(_) | StorageError::Missing) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let full = object_store::Error::Generic {
            store: "local",
            source: Box::new(std::io::Error::from(ErrorKind::StorageFull)),
        };
        assert!(matches!(StorageError::from(full), StorageError::Full(_)));
        let broken = std::io::Error::from(ErrorKind::PermissionDenied);
        assert!(matches!(StorageError::from(broken), StorageError::Io(_)));
        let error = ApiError::from(StorageError::from(std::io::Error::from(
            ErrorKind::StorageFull,
        )));
        assert_eq!(error.code(), Code::InsufficientStorage);
    }
}
