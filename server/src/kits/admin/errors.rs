//! What refusals of kits look like from outside.

use crate::http::conditional::changed_meanwhile;
use crate::http::{ApiError, Code};
use crate::kits::create_kit::CreateKitError;
use crate::kits::edit_kit::EditKitError;
use crate::kits::texts::Fault;

pub(super) fn no_such_kit() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such kit.")
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self::field(fault.field, format!("{} {}.", fault.field, fault.reason))
    }
}

fn slug_taken() -> ApiError {
    let detail = "Another kit has this slug, or had it before.";
    ApiError::new(Code::Conflict, detail).with("field", "slug")
}

impl From<CreateKitError> for ApiError {
    fn from(error: CreateKitError) -> Self {
        match error {
            CreateKitError::Db(error) => error.into(),
            CreateKitError::Field(fault) => fault.into(),
            CreateKitError::SlugTaken => slug_taken(),
        }
    }
}

impl From<EditKitError> for ApiError {
    fn from(error: EditKitError) -> Self {
        match error {
            EditKitError::Db(error) => error.into(),
            EditKitError::Field(fault) => fault.into(),
            EditKitError::NotFound => no_such_kit(),
            EditKitError::SlugTaken => slug_taken(),
            EditKitError::Changed { version } => changed_meanwhile("kit", version),
        }
    }
}
