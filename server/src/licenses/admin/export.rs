//! All licenses of a list as one file.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use futures_util::TryStreamExt;

use super::Answer;
use super::answers::LicenseBody;
use super::queries::LicenseQuery;
use crate::clock::Timestamp;
use crate::http::error::ApiError;
use crate::http::extract::{Admin, AppData, Query};
use crate::licenses::export::{Csv, Form, export};
use crate::licenses::overview::Overview;
use crate::staff::Scope;

/// One JSON list.
struct Json;

impl Form for Json {
    fn head(&self) -> String {
        "[".to_owned()
    }

    fn row(&self, row: &Overview, now: Timestamp, first: bool) -> String {
        let comma = if first { "" } else { "," };
        // A tree of texts and numbers, which always is JSON.
        let text = serde_json::to_string(&LicenseBody::new(row, now)).unwrap_or_default();
        format!("{comma}\n{text}")
    }

    fn foot(&self) -> String {
        "\n]\n".to_owned()
    }
}

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
    file(
        app,
        admin,
        query,
        Csv,
        "text/csv; charset=utf-8",
        "licenses.csv",
    )
    .await
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
    file(app, admin, query, Json, "application/json", "licenses.json").await
}

async fn file(
    app: AppData,
    admin: Admin,
    query: LicenseQuery,
    form: impl Form,
    media_type: &'static str,
    name: &'static str,
) -> Answer {
    admin.may(Scope::Read)?;
    query.refuse_paging()?;
    let filter = query.filter(&app).await?;
    let rows = export(app.into_inner(), filter, form);
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(rows.map_err(ApiError::from)))
}
