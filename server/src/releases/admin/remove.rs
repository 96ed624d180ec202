//! Taking a file out of a draft.

use actix_web::{HttpResponse, web};

use super::errors::no_such_release;
use super::release_id;
use crate::http::extract::{Admin, AppData};
use crate::http::{ApiError, Code};
use crate::releases::model::ReleaseId;
use crate::releases::remove_artifact::{RemoveArtifactError, remove_artifact};
use crate::staff::Scope;

/// Takes a file out of a draft. Its bytes are removed a day later, unless another file has the same.
#[utoipa::path(
    delete,
    path = "/v1/admin/releases/{release}/artifacts/{name}",
    operation_id = "remove_artifact",
    tag = "releases",
    params(
        ("release" = ReleaseId, Path),
        ("name" = String, Path, max_length = 200, description = "Name of the file; in bytes."),
    ),
    security(("management_token" = ["publish"])),
    responses(
        (status = 204, description = "It is out of the draft."),
        (status = 404, description = "`not_found`: there is no such release or file."),
        (status = 409, description = "`conflict`: the release is out."),
    ),
)]
pub(super) async fn remove(
    app: AppData,
    admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let (release, name) = path.into_inner();
    remove_artifact(&app, release_id(&release)?, name, holder.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl From<RemoveArtifactError> for ApiError {
    fn from(error: RemoveArtifactError) -> Self {
        match error {
            RemoveArtifactError::Db(error) => error.into(),
            RemoveArtifactError::NotFound => no_such_release(),
            RemoveArtifactError::NoSuchFile => {
                Self::new(Code::NotFound, "The release has no file with this name.")
            }
            RemoveArtifactError::NotDraft => {
                let detail = "The release is published: its files stay what they are. Make a new \
                              version.";
                Self::new(Code::Conflict, detail)
            }
        }
    }
}
