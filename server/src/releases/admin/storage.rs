//! How much is stored.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::DbError;
use crate::http::ApiError;
use crate::http::extract::{Admin, AppData};
use crate::releases::store::{blobs, uploads};
use crate::staff::Scope;

/// How much is stored, by the rows that name it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StorageFigures)]
pub(super) struct Figures {
    /// Stored files; equal ones count once.
    files: i64,
    /// Their bytes.
    bytes: i64,
    /// Those of them that nothing refers to: removed a day after nothing did.
    unused_files: i64,
    /// Their bytes.
    unused_bytes: i64,
    /// Uploads under way.
    uploads: i64,
    /// Bytes of their parts.
    upload_bytes: i64,
}

/// How much is stored.
#[utoipa::path(
    get,
    path = "/v1/admin/storage",
    operation_id = "get_storage",
    tag = "releases",
    security(("management_token" = ["read"]), ("management_token" = ["publish"])),
    responses((status = 200, description = "The figures.", body = Figures)),
)]
pub(super) async fn show(app: AppData, admin: Admin) -> Result<HttpResponse, ApiError> {
    admin.may_any(&[Scope::Read, Scope::Publish])?;
    let (files, uploads) = app
        .db
        .read_slow(|conn| -> Result<_, DbError> {
            Ok((blobs::figures(conn)?, uploads::figures(conn)?))
        })
        .await?;
    Ok(HttpResponse::Ok().json(Figures {
        files: files.all.0,
        bytes: files.all.1,
        unused_files: files.unused.0,
        unused_bytes: files.unused.1,
        uploads: uploads.0,
        upload_bytes: uploads.1,
    }))
}
