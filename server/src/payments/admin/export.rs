//! All orders as one file.

use super::Answer;
use crate::customers::store::{Order, list_orders};
use crate::http::export::{self, Row, or_empty};
use crate::http::extract::{Admin, AppData, Query};
use crate::http::paging::PageQuery;
use crate::staff::Scope;

impl Row<16> for Order {
    const COLUMNS: [&'static str; 16] = [
        "id",
        "status",
        "customer_id",
        "email",
        "billing_name",
        "tax_id",
        "currency",
        "subtotal",
        "tax",
        "total",
        "provider",
        "mode",
        "business_key",
        "payment_ref",
        "purchased_at",
        "created_at",
    ];

    fn cursor(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self) -> [String; 16] {
        [
            self.id.to_string(),
            self.status.to_string(),
            self.customer_id.to_string(),
            self.email.clone(),
            or_empty(self.billing_name.as_deref()),
            or_empty(self.tax_id.as_deref()),
            self.currency.clone(),
            self.subtotal.to_string(),
            self.tax.to_string(),
            self.total.to_string(),
            self.provider.clone(),
            self.mode.clone(),
            self.business_key.clone(),
            or_empty(self.payment_ref.as_deref()),
            self.purchased_at.to_string(),
            self.created_at.to_string(),
        ]
    }
}

/// All orders as one file: Comma-separated values (RFC 4180); no cell is a formula.
#[utoipa::path(
    get,
    path = "/v1/admin/orders/export.csv",
    operation_id = "order_export_csv",
    tag = "orders",
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The file.", body = String, content_type = "text/csv"),
        (status = 422, description = "`invalid_field`: a file has no pages and no filters."),
    ),
)]
pub(super) async fn csv(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    query.refuse()?;
    Ok(export::csv(app.into_inner(), "orders", list_orders))
}

/// All orders as one file: One JSON list.
#[utoipa::path(
    get,
    path = "/v1/admin/orders/export.json",
    operation_id = "order_export_json",
    tag = "orders",
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The file.", body = Vec<Order>, content_type = "application/json"),
        (status = 422, description = "`invalid_field`: a file has no pages and no filters."),
    ),
)]
pub(super) async fn json(app: AppData, admin: Admin, Query(query): Query<PageQuery>) -> Answer {
    admin.may(Scope::Read)?;
    query.refuse()?;
    Ok(export::json(app.into_inner(), "orders", list_orders))
}
