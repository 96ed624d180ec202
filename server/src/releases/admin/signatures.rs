//! Signatures of files: supplied by the vendor, or made anew by the server.

use actix_web::{HttpResponse, web};

use super::errors::no_such_release;
use super::lists::{ReleaseView, view};
use super::release_id;
use crate::http::extract::{Admin, AppData, read_body};
use crate::http::{ApiError, Code};
use crate::releases::model::ReleaseId;
use crate::releases::sign::{SignReleaseError, sign_release};
use crate::releases::store::Artifact;
use crate::releases::supply_signature::{SupplySignature, SupplySignatureError, supply_signature};
use crate::staff::Scope;

/// Puts the vendor's own signature in the place of the server's.
///
/// The body is the `.minisig` file. Its key must stand in `vendor.minisign_keys`, and its trusted
/// comment must name the file and the version.
#[utoipa::path(
    put,
    path = "/v1/admin/releases/{release}/artifacts/{name}/signature",
    operation_id = "supply_signature",
    tag = "releases",
    params(
        ("release" = ReleaseId, Path),
        ("name" = String, Path, max_length = 200, description = "Name of the file; in bytes."),
    ),
    request_body(content = String, content_type = "text/plain", description = "The signature file."),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "It counts.", body = Artifact),
        (status = 404, description = "`not_found`: there is no such release, or no such file in it."),
        (status = 413, description = "`payload_too_large`: it has more than 4096 bytes."),
        (status = 422, description = "`invalid_field`: it is no signature, of another file, or by an unknown key; `reason` says which."),
    ),
)]
pub(super) async fn supply(
    app: AppData,
    admin: Admin,
    path: web::Path<(String, String)>,
    body: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let (release, name) = path.into_inner();
    let release = release_id(&release)?;
    let limit = kitward_keys::minisign::MAX_SIGNATURE_BYTES;
    let bytes = read_body(&mut body.into_inner(), limit).await?;
    let signature = String::from_utf8(bytes)
        .map_err(|_binary| ApiError::field("signature", "The signature is no text."))?;
    let input = SupplySignature {
        release,
        name,
        signature,
        actor: holder.actor(),
    };
    Ok(HttpResponse::Ok().json(supply_signature(&app, input).await?))
}

/// Signs the files anew whose signature is not by the server's key in use.
///
/// Signatures of the vendor's own key stay. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/releases/{release}/sign",
    operation_id = "sign_release",
    tag = "releases",
    params(("release" = ReleaseId, Path)),
    security(("management_token" = ["publish"])),
    responses(
        (status = 200, description = "They are signed.", body = ReleaseView),
        (status = 404, description = "`not_found`: there is no such release."),
    ),
)]
pub(super) async fn sign(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Publish)?;
    let id = release_id(&path)?;
    sign_release(&app, id.clone(), holder.actor()).await?;
    Ok(HttpResponse::Ok().json(view(&app, id).await?))
}

impl From<SignReleaseError> for ApiError {
    fn from(error: SignReleaseError) -> Self {
        match error {
            SignReleaseError::Db(error) => error.into(),
            SignReleaseError::Storage(error) => error.into(),
            SignReleaseError::NotFound => no_such_release(),
            SignReleaseError::Sign(error) => Self::internal(error),
        }
    }
}

impl From<SupplySignatureError> for ApiError {
    fn from(error: SupplySignatureError) -> Self {
        match error {
            SupplySignatureError::Db(error) => error.into(),
            SupplySignatureError::Storage(error) => error.into(),
            SupplySignatureError::NoRelease => no_such_release(),
            SupplySignatureError::NoFile => {
                Self::new(Code::NotFound, "The release has no such file.")
            }
            SupplySignatureError::NoKeys => {
                let detail = "No public key of the vendor is known: set vendor.minisign_keys.";
                Self::field("signature", detail).with("reason", "unknown_key")
            }
            SupplySignatureError::Signature(error) => {
                let detail = format!("The signature is refused: {error}.");
                Self::field("signature", detail).with("reason", error.code())
            }
        }
    }
}
