//! Deliveries, for whoever manages licenses.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::model::{CredentialForm, DownloadId, is_stamp_nonce};
use super::store::{self, Delivered};
use crate::clock::Timestamp;
use crate::db::{AnyConn, Page};
use crate::http::extract::{Admin, AppData};
use crate::http::paging::{PageQuery, window};
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::licenses::admin::known_license;
use crate::licenses::model::LicenseId;
use crate::licenses::tokens::model::LicenseTokenId;
use crate::releases::model::{ArtifactId, ReleaseId};
use crate::staff::Scope;

/// Routes of this file, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/licenses/{license}/downloads").get(of_license))
        .service(resource("/downloads").get(of_stamp));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(of_license, of_stamp))]
pub struct Paths;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StampQuery {
    /// Nonce of the stamp in a copy, as `kitward artifact verify` prints it.
    #[param(pattern = "^[A-Za-z0-9_-]{22}$")]
    nonce: String,
    /// How many rows.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(max_length = 100, pattern = "^[!-~]*$")]
    cursor: Option<String>,
}

/// One delivery of a file. What goes on to the same network on the same day in the same form is one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
struct DeliveryBody {
    id: DownloadId,
    /// To whom; null where the kit is open.
    license_id: Option<LicenseId>,
    /// When its first part began.
    started_at: Timestamp,
    /// Slug of the kit.
    kit: String,
    release_id: ReleaseId,
    /// The release's version.
    version: String,
    artifact_id: ArtifactId,
    /// Name of the file.
    name: String,
    /// The form in which the key or token came.
    credential: CredentialForm,
    /// The token, where it was one.
    token_id: Option<LicenseTokenId>,
    /// The network it went to (IPv4 /24, IPv6 /56), until that is forgotten.
    network: Option<String>,
    /// How many bytes were asked for, in all its parts.
    bytes_asked: Option<i64>,
    /// Whether this network was given the file before on that day, in another form.
    continues: bool,
    /// Whether its last part was sent to the end; null while that is not known, and behind a redirect.
    completed: Option<bool>,
    /// Nonce of the stamp in it.
    stamp_nonce: Option<String>,
}

impl DeliveryBody {
    fn id(&self) -> String {
        self.id.to_string()
    }
}

impl From<Delivered> for DeliveryBody {
    fn from(delivered: Delivered) -> Self {
        let row = delivered.download;
        Self {
            id: row.id,
            license_id: row.license_id,
            started_at: row.started_at,
            kit: delivered.kit,
            release_id: delivered.release_id,
            version: delivered.version,
            artifact_id: row.artifact_id,
            name: delivered.name,
            credential: row.credential,
            token_id: row.token_id,
            network: row.network,
            bytes_asked: row.bytes_asked,
            continues: row.continues,
            completed: row.completed,
            stamp_nonce: row.stamp_nonce,
        }
    }
}

/// What was delivered under a license, newest first.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}/downloads",
    operation_id = "license_downloads",
    tag = "licenses",
    params(("license" = LicenseId, Path), PageQuery),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<DeliveryBody>),
        (status = 404, description = "`not_found`: there is no such license."),
    ),
)]
async fn of_license(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let window = query.window()?;
    let license = known_license(&app, &path).await?;
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let found = store::of_license(conn, &license, after, rows)?;
        Ok(found.into_iter().map(DeliveryBody::from).collect())
    };
    window.page(&app, read, DeliveryBody::id).await
}

/// Whom a stamped copy was given to, by the nonce of its stamp, newest first.
#[utoipa::path(
    get,
    path = "/v1/admin/downloads",
    operation_id = "stamp_downloads",
    tag = "licenses",
    params(StampQuery),
    security(("management_token" = ["read"])),
    responses((status = 200, description = "A page of them.", body = Page<DeliveryBody>)),
)]
async fn of_stamp(
    app: AppData,
    admin: Admin,
    Query(query): Query<StampQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let window = window(query.limit, query.cursor)?;
    let nonce = query.nonce;
    if !is_stamp_nonce(&nonce) {
        let reason = "must be the nonce of a stamp, as `kitward artifact verify` prints it";
        return Err(ApiError::field("nonce", reason));
    }
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let found = store::of_stamp(conn, &nonce, after, rows)?;
        Ok(found.into_iter().map(DeliveryBody::from).collect())
    };
    window.page(&app, read, DeliveryBody::id).await
}
