//! The audit log for whoever manages the installation.

use actix_web::{HttpResponse, web};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::store::{self, AuditRow};
use crate::clock::Timestamp;
use crate::db::AnyConn;
use crate::http::extract::{Admin, AppData};
use crate::http::paging::window;
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::staff::Scope;

/// Routes of this file, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/audit").get(list));
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Id of what was changed.
    subject: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct EntryView {
    seq: i64,
    at: Timestamp,
    actor: String,
    action: String,
    subject: String,
    /// Names of the fields that changed.
    fields: Value,
    /// SHA-256 of the entry and, through it, of all before; hexadecimal.
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

/// Newest first.
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
        let cursor = window.after.parse().ok();
        cursor.ok_or_else(|| ApiError::field("cursor", "is no cursor of this list"))?
    };
    let subject = query.subject;
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
