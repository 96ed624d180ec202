//! The audit log for whoever manages the installation.

use actix_web::{HttpResponse, web};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::store::{self, AuditRow};
use crate::clock::Timestamp;
use crate::db::{AnyConn, Page};
use crate::http::extract::{Admin, AppData};
use crate::http::openapi::words::Sha256;
use crate::http::paging::window;
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::staff::Scope;

/// Routes of this file, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/audit").get(list));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(list))]
pub struct Paths;

/// Digits of the last position there can be.
const CURSOR_MAX: usize = 19;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Id of what was changed.
    #[param(max_length = 100, pattern = "^[!-~]*$")]
    subject: Option<String>,
    /// How many rows.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(max_length = 19, pattern = "^[0-9]*$")]
    cursor: Option<String>,
}

/// One entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct EntryView {
    /// Position in the log, from 1, without gaps.
    seq: i64,
    /// When.
    at: Timestamp,
    /// Who: an id, `system`, `operator` or `provider:…`.
    actor: String,
    /// What, as `noun.verb`.
    #[schema(example = "license.issued")]
    action: String,
    /// Id of what was changed.
    subject: String,
    /// Names of the fields that changed, never their values.
    #[schema(value_type = Vec<String>)]
    fields: Value,
    /// SHA-256 of the entry and, through it, of all before.
    #[schema(value_type = Sha256)]
    hash: String,
    /// For the scope `admin` only: values that belong to a person, null where there are none or
    /// they were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<Value>,
}

impl EntryView {
    fn new(row: AuditRow, personal: Option<Value>) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            actor: row.actor,
            action: row.action,
            subject: row.subject,
            fields: json_or_text(row.fields),
            hash: HEXLOWER.encode(&row.hash),
            personal,
        }
    }
}

fn json_or_text(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Who changed what, newest first.
#[utoipa::path(
    get,
    path = "/v1/admin/audit",
    operation_id = "list_audit_entries",
    tag = "audit",
    params(ListQuery),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<EntryView>),
    ),
)]
async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<ListQuery>,
) -> Result<HttpResponse, ApiError> {
    let sees_persons = admin.may(Scope::Read)?.has(Scope::Admin);
    let window = window(query.limit, query.cursor)?;
    let before = if window.after.is_empty() {
        i64::MAX
    } else {
        let is_number = window.after.bytes().all(|byte| byte.is_ascii_digit());
        let is_position = is_number && window.after.len() <= CURSOR_MAX;
        let cursor = window.after.parse().ok().filter(|_| is_position);
        cursor.ok_or_else(|| ApiError::field("cursor", "is no cursor of this list"))?
    };
    let subject = query.subject;
    let is_id =
        |text: &String| text.len() <= 100 && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !subject.as_ref().is_none_or(is_id) {
        return Err(ApiError::field("subject", "is no id"));
    }
    let read = move |conn: &mut AnyConn, _after: &str, rows| {
        let found = store::list(conn, subject.as_deref(), before, rows)?;
        let views = found.into_iter().map(|(row, personal)| {
            let personal = personal.map_or(Value::Null, json_or_text);
            EntryView::new(row, sees_persons.then_some(personal))
        });
        Ok(views.collect())
    };
    let id = |view: &EntryView| view.seq.to_string();
    window.page(&app, read, id).await
}
