//! What refusals of uploads look like from outside.

use crate::http::{ApiError, Code};
use crate::releases::model::OPEN_UPLOADS_MAX;
use crate::releases::upload::begin::BeginUploadError;
use crate::releases::upload::complete::CompleteUploadError;
use crate::releases::upload::part::ReceivePartError;

pub(in crate::releases::admin) fn no_such_upload() -> ApiError {
    let detail = "There is no such upload: it is complete, given up or over. Begin it again.";
    ApiError::new(Code::NotFound, detail)
}

pub(super) fn no_such_part(count: Option<u64>) -> ApiError {
    let detail = count.map_or_else(
        || "Parts have numbers, from 1.".to_owned(),
        |count| format!("The file has {count} parts, numbered from 1."),
    );
    ApiError::field("number", detail)
}

pub(super) fn no_room() -> ApiError {
    ApiError::unavailable("too many parts came at once")
}

impl From<BeginUploadError> for ApiError {
    fn from(error: BeginUploadError) -> Self {
        match error {
            BeginUploadError::Artifact(error) => error.into(),
            BeginUploadError::NotSha256 => {
                Self::field("sha256", "The SHA-256 must be 64 hexadecimal digits.")
            }
            BeginUploadError::Differs(id) => {
                let detail = "The same bytes are coming under this name with another size, kind or \
                              system. Give that upload up, or say the same.";
                Self::new(Code::Conflict, detail).with("upload", id.to_string())
            }
            BeginUploadError::TooManyOpen => {
                let detail = format!(
                    "The release has {OPEN_UPLOADS_MAX} uploads under way. Complete them or give \
                     them up."
                );
                Self::new(Code::Conflict, detail).with("open_uploads", OPEN_UPLOADS_MAX)
            }
            BeginUploadError::KeyMismatch => crate::http::idempotency::mismatch(),
        }
    }
}

impl From<ReceivePartError> for ApiError {
    fn from(error: ReceivePartError) -> Self {
        match error {
            ReceivePartError::Db(error) => error.into(),
            ReceivePartError::Storage(error) => error.into(),
            ReceivePartError::NotFound => no_such_upload(),
            ReceivePartError::NoSuchPart { count } => no_such_part(Some(count)),
            ReceivePartError::Length { expected } => {
                Self::field("body", format!("This part must have {expected} bytes."))
            }
            ReceivePartError::Mismatch { sha256 } => {
                let detail = "The part that arrived has another SHA-256. Send it again.";
                Self::field("X-Content-SHA256", detail).with("received_sha256", sha256)
            }
            ReceivePartError::Differs { sha256 } => {
                let detail = "The server holds other bytes under this number. Give the upload up \
                              to begin anew.";
                Self::new(Code::Conflict, detail).with("sha256", sha256)
            }
        }
    }
}

impl From<CompleteUploadError> for ApiError {
    fn from(error: CompleteUploadError) -> Self {
        match error {
            CompleteUploadError::Artifact(error) => error.into(),
            CompleteUploadError::NotFound => no_such_upload(),
            CompleteUploadError::Missing(missing) => {
                let detail = "Parts are missing. Send them first.";
                Self::new(Code::Conflict, detail).with("missing", missing)
            }
            CompleteUploadError::Damaged(missing) => {
                let detail = "The storage damaged parts. Send them again.";
                Self::new(Code::Conflict, detail).with("missing", missing)
            }
            CompleteUploadError::Mismatch { sha256 } => {
                let detail = "The file that arrived has another SHA-256. Upload it again.";
                Self::field("sha256", detail).with("received_sha256", sha256)
            }
            CompleteUploadError::Ended(error) => Self::unavailable(error),
        }
    }
}
