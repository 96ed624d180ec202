//! Why a file could not be stored or read.

use std::io::ErrorKind;

use crate::http::{ApiError, Code};

/// What `object_store` calls a folder.
const LOCAL: &str = "LocalFileSystem";
/// Seconds until storage that did not answer is worth another request.
const RETRY_SECONDS: u64 = 5;

/// Why a file could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The disk or the store failed.
    #[error("the kit storage failed")]
    Io(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The service is slow, down or overloaded; it may work again soon.
    #[error("the kit storage does not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
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
    /// Other bytes than were stored. Asked again it may give the right ones.
    #[error("the kit storage answered other bytes than were stored")]
    OtherBytes,
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
            // What a service says beside that: no connection, a server error, slow down.
            object_store::Error::Generic { store, .. } if store != LOCAL => {
                Self::Unavailable(Box::new(error))
            }
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
            StorageError::Unavailable(source) => {
                Self::unavailable(source).with("retry_after", RETRY_SECONDS)
            }
            error @ StorageError::OtherBytes => {
                Self::unavailable(error).with("retry_after", RETRY_SECONDS)
            }
            error @ (StorageError::Io(_) | StorageError::Missing) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_fails_is_asked_again_and_a_disk_is_not() {
        let generic = |store| {
            StorageError::from(object_store::Error::Generic {
                store,
                source: "error".into(),
            })
        };
        let code = |error| ApiError::from(error).code();
        assert_eq!(code(generic("S3")), Code::Unavailable);
        assert_eq!(code(generic(LOCAL)), Code::Internal);
        assert_eq!(code(StorageError::Missing), Code::Internal);
        assert_eq!(code(StorageError::OtherBytes), Code::Unavailable);
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let full = object_store::Error::Generic {
            store: LOCAL,
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
