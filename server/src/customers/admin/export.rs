//! All customers of a list as one file.

use super::{Answer, CustomerQuery, reader};
use crate::customers::store::Customer;
use crate::http::export::{self, Row, or_empty};
use crate::http::extract::{Admin, AppData, Query};
use crate::staff::Scope;

impl Row<4> for Customer {
    const COLUMNS: [&'static str; 4] = ["id", "name", "claim_address", "created_at"];

    fn cursor(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self) -> [String; 4] {
        [
            self.id.to_string(),
            self.name.clone(),
            or_empty(self.claim_address.as_deref()),
            self.created_at.to_string(),
        ]
    }
}

/// All customers of a list as one file: Comma-separated values (RFC 4180); no cell is a formula.
#[utoipa::path(
    get,
    path = "/v1/admin/customers/export.csv",
    operation_id = "customer_export_csv",
    tag = "customers",
    params(CustomerQuery),
    responses((status = 200, description = "The file.", body = String, content_type = "text/csv")),
    security(("management_token" = ["read"])),
)]
pub(super) async fn csv(app: AppData, admin: Admin, Query(query): Query<CustomerQuery>) -> Answer {
    admin.may(Scope::Read)?;
    query.refuse_paging()?;
    let read = reader(query.email)?;
    Ok(export::csv(app.into_inner(), "customers", read))
}

/// All customers of a list as one file: One JSON list.
#[utoipa::path(
    get,
    path = "/v1/admin/customers/export.json",
    operation_id = "customer_export_json",
    tag = "customers",
    params(CustomerQuery),
    responses((status = 200, description = "The file.", body = Vec<Customer>, content_type = "application/json")),
    security(("management_token" = ["read"])),
)]
pub(super) async fn json(app: AppData, admin: Admin, Query(query): Query<CustomerQuery>) -> Answer {
    admin.may(Scope::Read)?;
    query.refuse_paging()?;
    let read = reader(query.email)?;
    Ok(export::json(app.into_inner(), "customers", read))
}
