//! What refusals of releases look like from outside.

use super::uploads::no_such_upload;
use crate::http::conditional::changed_meanwhile;
use crate::http::{ApiError, Code};
use crate::releases::archive::{Fault, STAMP_NAME};
use crate::releases::change::ChangeError;
use crate::releases::create_release::CreateReleaseError;
use crate::releases::examine::NAME_TAKEN;
use crate::releases::look_again::LookAgainError;
use crate::releases::publish_release::PublishReleaseError;
use crate::releases::upload_artifact::{ARTIFACTS_MAX, UploadArtifactError};

pub(super) fn no_such_release() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such release.")
}

impl From<CreateReleaseError> for ApiError {
    fn from(error: CreateReleaseError) -> Self {
        match error {
            CreateReleaseError::Db(error) => error.into(),
            CreateReleaseError::UnknownKit => Self::field("kit", "There is no such kit."),
            CreateReleaseError::Version(fault) => {
                Self::field("version", format!("The version {fault}."))
            }
            CreateReleaseError::Field(fault) => fault.into(),
            CreateReleaseError::VersionTaken(id) => {
                let detail = "The kit has a release with this version.";
                Self::new(Code::Conflict, detail).with("release", id.to_string())
            }
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Db(error) => error.into(),
            ChangeError::Seal(error) => Self::internal(error),
            ChangeError::NotFound => no_such_release(),
            ChangeError::NoGrant => Self::new(Code::NotFound, "There is no such grant."),
            ChangeError::Changed { revision } => changed_meanwhile("release", revision),
            ChangeError::Field(fault) => fault.into(),
            ChangeError::Refused(sentence) => Self::new(Code::Conflict, sentence),
        }
    }
}

impl From<LookAgainError> for ApiError {
    fn from(error: LookAgainError) -> Self {
        match error {
            LookAgainError::Db(error) => error.into(),
            LookAgainError::Storage(error) => error.into(),
            error @ (LookAgainError::TooSlow | LookAgainError::Ended(_)) => {
                Self::unavailable(error)
            }
        }
    }
}

impl From<UploadArtifactError> for ApiError {
    fn from(error: UploadArtifactError) -> Self {
        match error {
            UploadArtifactError::Db(error) => error.into(),
            UploadArtifactError::Storage(error) => error.into(),
            UploadArtifactError::Archive(fault) => refused_archive(&fault),
            UploadArtifactError::Sign(error) => Self::internal(error),
            UploadArtifactError::Name(fault) => Self::field("name", format!("The name {fault}.")),
            UploadArtifactError::Kind => {
                let detail =
                    "The kind must be 1 to 64 of a-z, 0-9 and single hyphens between them.";
                Self::field("kind", detail)
            }
            UploadArtifactError::Machine(field) => {
                let detail = "It must be 1 to 32 of a-z, 0-9, _, - and ., a letter or digit first.";
                Self::field(field, detail)
            }
            UploadArtifactError::NotFound => no_such_release(),
            UploadArtifactError::NotDraft => {
                let detail = "The release is published: its files stay what they are. Make a new \
                              version.";
                Self::new(Code::Conflict, detail)
            }
            UploadArtifactError::NameTaken { sha256 } => {
                let detail = "The release has a file with this name and other bytes.";
                Self::new(Code::Conflict, detail).with("sha256", sha256)
            }
            UploadArtifactError::Differs { member, has } => said_otherwise(member, has),
            UploadArtifactError::Twin { name } => has_twin(name),
            UploadArtifactError::TooMany => {
                let detail = format!("A release has at most {ARTIFACTS_MAX} files.");
                Self::new(Code::Conflict, detail)
            }
            error @ UploadArtifactError::BeingDeleted => Self::unavailable(error),
            UploadArtifactError::UploadOver => no_such_upload(),
        }
    }
}

fn said_otherwise(member: &'static str, has: Option<String>) -> ApiError {
    let detail = format!(
        "The release has this file with another {member}. Say the same, or take it out of the \
         draft first."
    );
    let problem = ApiError::new(Code::Conflict, detail).with("field", member);
    problem.with(member, has)
}

fn has_twin(name: String) -> ApiError {
    let detail =
        format!("The release has \"{name}\": on some systems both would be the same file.");
    ApiError::new(Code::Conflict, detail).with("name", name)
}

fn refused_archive(fault: &Fault) -> ApiError {
    let whole = if fault.entry.is_some() { "" } else { "it " };
    let detail = format!("The archive is refused: {whole}{fault}.");
    let problem = ApiError::field("file", detail).with("reason", fault.reason.code());
    match &fault.entry {
        Some(entry) => problem.with("entry", entry.as_str()),
        None => problem,
    }
}

impl From<PublishReleaseError> for ApiError {
    fn from(error: PublishReleaseError) -> Self {
        match error {
            PublishReleaseError::Db(error) => error.into(),
            PublishReleaseError::Seal(error) => Self::internal(error),
            PublishReleaseError::Change(error) => error.into(),
            PublishReleaseError::Look(error) => error.into(),
            PublishReleaseError::Unstampable { name, why } if why == NAME_TAKEN => {
                let detail = format!(
                    "The kit stamps its archives, and \"{name}\" has an entry of the name \
                     {STAMP_NAME} already."
                );
                Self::new(Code::Conflict, detail).with("name", name)
            }
            PublishReleaseError::Unstampable { name, why } => {
                let detail = format!(
                    "The kit stamps its archives, and \"{name}\" cannot be looked into. Take it \
                     out and upload it again to read why."
                );
                Self::new(Code::Conflict, detail)
                    .with("name", name)
                    .with("reason", why)
            }
            PublishReleaseError::Empty => {
                let detail = "The release has no files. Upload at least one first.";
                Self::new(Code::Conflict, detail)
            }
        }
    }
}
