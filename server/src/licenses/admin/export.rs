//! All licenses of a list as one file.

use super::Answer;
use super::answers::LicenseBody;
use super::lists::reader;
use super::queries::LicenseQuery;
use crate::app::App;
use crate::http::error::ApiError;
use crate::http::export;
use crate::http::extract::{Admin, AppData, Query};
use crate::licenses::store::Filter;
use crate::staff::Scope;

/// All licenses of a list as one file: Comma-separated values (RFC 4180); no cell is a formula.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/export.csv",
    operation_id = "license_export_csv",
    tag = "licenses",
    params(LicenseQuery),
    responses((status = 200, description = "The file.", body = String, content_type = "text/csv")),
    security(("management_token" = ["read"])),
)]
pub(super) async fn csv(app: AppData, admin: Admin, Query(query): Query<LicenseQuery>) -> Answer {
    let filter = asked(&app, admin, &query).await?;
    let read = reader(filter, app.clock.now());
    Ok(export::csv(app.into_inner(), "licenses", read))
}

/// All licenses of a list as one file: One JSON list.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/export.json",
    operation_id = "license_export_json",
    tag = "licenses",
    params(LicenseQuery),
    responses((status = 200, description = "The file.", body = Vec<LicenseBody>, content_type = "application/json")),
    security(("management_token" = ["read"])),
)]
pub(super) async fn json(app: AppData, admin: Admin, Query(query): Query<LicenseQuery>) -> Answer {
    let filter = asked(&app, admin, &query).await?;
    let read = reader(filter, app.clock.now());
    Ok(export::json(app.into_inner(), "licenses", read))
}

async fn asked(app: &App, admin: Admin, query: &LicenseQuery) -> Result<Filter, ApiError> {
    admin.may(Scope::Read)?;
    query.refuse_paging()?;
    query.filter(app).await
}
