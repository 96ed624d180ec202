//! What refusals about policies look like from outside.

use crate::http::conditional::changed_meanwhile;
use crate::http::{ApiError, Code};
use crate::kits::add_license_text::AddLicenseTextError;
use crate::kits::create_policy::CreatePolicyError;
use crate::kits::edit_policy::EditPolicyError;
use crate::kits::overlay::Misfit;

impl From<Misfit> for ApiError {
    fn from(misfit: Misfit) -> Self {
        Self::field(
            &misfit.field,
            format!("{} {}.", misfit.field, misfit.reason),
        )
    }
}

impl From<CreatePolicyError> for ApiError {
    fn from(error: CreatePolicyError) -> Self {
        match error {
            CreatePolicyError::Db(error) => error.into(),
            CreatePolicyError::Field(fault) => fault.into(),
            CreatePolicyError::UnknownKit(kit) => {
                Self::field("kits", format!("There is no kit \"{kit}\"."))
            }
            CreatePolicyError::UnknownText(id) => {
                Self::field("license_text_id", format!("There is no license text {id}."))
            }
            CreatePolicyError::NameTaken => {
                Self::new(Code::Conflict, "Another policy has this name.").with("field", "name")
            }
        }
    }
}

impl From<EditPolicyError> for ApiError {
    fn from(error: EditPolicyError) -> Self {
        match error {
            EditPolicyError::Policy(error) => error.into(),
            EditPolicyError::Terms(misfit) => misfit.into(),
            EditPolicyError::NotFound => Self::new(Code::NotFound, "There is no such policy."),
            EditPolicyError::Changed { version } => changed_meanwhile("policy", version),
        }
    }
}

impl From<AddLicenseTextError> for ApiError {
    fn from(error: AddLicenseTextError) -> Self {
        match error {
            AddLicenseTextError::Db(error) => error.into(),
            AddLicenseTextError::Field(fault) => fault.into(),
        }
    }
}
