//! Refusals of changes as they leave.

use super::no_such_license;
use crate::http::conditional::changed_meanwhile;
use crate::http::error::{ApiError, Code};
use crate::licenses::change::ChangeError;
use crate::licenses::import_key::ImportKeyError;
use crate::licenses::issue::PrepareError;
use crate::licenses::issue_by_staff::IssueByStaffError;
use crate::licenses::rotate::RotateKeyError;
use crate::licenses::transfer::TransferError;

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Db(error) => error.into(),
            ChangeError::NotFound => no_such_license(),
            ChangeError::Changed { revision } => changed_meanwhile("license", revision),
            ChangeError::Merged { into } => {
                let into = into.map(|id| id.to_string());
                let detail = "A license that was merged into another one is not changed any more.";
                Self::new(Code::Conflict, detail).with("merged_into", into)
            }
            ChangeError::Field(fault) => fault.into(),
            ChangeError::Refused(sentence) => Self::new(Code::Conflict, sentence),
            ChangeError::Forbidden(sentence) => Self::new(Code::InsufficientScope, sentence),
        }
    }
}

impl From<PrepareError> for ApiError {
    fn from(error: PrepareError) -> Self {
        match error {
            error @ (PrepareError::NoMacKey | PrepareError::Sign(_) | PrepareError::Seal(_)) => {
                Self::internal(error)
            }
        }
    }
}

impl From<RotateKeyError> for ApiError {
    fn from(error: RotateKeyError) -> Self {
        match error {
            RotateKeyError::Change(error) => error.into(),
            RotateKeyError::Prepare(error) => error.into(),
        }
    }
}

impl From<TransferError> for ApiError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Change(error) => error.into(),
            TransferError::Prepare(error) => error.into(),
        }
    }
}

impl From<IssueByStaffError> for ApiError {
    fn from(error: IssueByStaffError) -> Self {
        match error {
            IssueByStaffError::Change(error) => error.into(),
            IssueByStaffError::Prepare(error) => error.into(),
            IssueByStaffError::Seal(error) => Self::internal(error),
        }
    }
}

impl From<ImportKeyError> for ApiError {
    fn from(error: ImportKeyError) -> Self {
        match error {
            ImportKeyError::Change(error) => error.into(),
            ImportKeyError::Taken => {
                let detail = "A license has this key already.";
                Self::new(Code::Conflict, detail).with("field", "key")
            }
            ImportKeyError::Seal(error) => Self::internal(error),
        }
    }
}
