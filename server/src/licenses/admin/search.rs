//! One box that finds whatever support has in hand.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Answer;
use super::answers::{LicenseBody, SeatBody};
use super::requests::FindRequest;
use crate::app::App;
use crate::customers::store::{Customer, Order};
use crate::http::error::ApiError;
use crate::http::extract::{Admin, AppData, Query, UnreadJson};
use crate::licenses::find::find;
use crate::licenses::keys::begins_like_ours;
use crate::staff::Scope;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FindQuery {
    /// What to look for. Nothing is found by an empty text, and by one of more than 2048 bytes.
    #[param(value_type = String)]
    q: SecretString,
}

/// What was found, by group; at most 20 of each.
#[derive(Debug, Serialize, ToSchema)]
struct FoundBody {
    licenses: Vec<LicenseBody>,
    customers: Vec<Customer>,
    orders: Vec<Order>,
    seats: Vec<SeatBody>,
}

/// Find by a mail address, a device or site, an id of ours or of a payment provider. A license key or
/// token is refused here: what stands in an address may be kept by proxies. Use POST.
#[utoipa::path(
    get,
    path = "/v1/admin/find",
    operation_id = "find",
    tag = "licenses",
    params(FindQuery),
    responses(
        (status = 200, description = "What was found.", body = FoundBody),
        (status = 422, description = "`invalid_field`: a key or token belongs into the body of a POST."),
    ),
    security(("management_token" = ["read"])),
)]
pub(super) async fn get(app: AppData, admin: Admin, Query(query): Query<FindQuery>) -> Answer {
    admin.may(Scope::Read)?;
    let text = query.q.expose_secret();
    // No key has an @ in it, and a mail address may begin like one.
    if !text.contains('@') && begins_like_ours(&app, text) {
        let detail = "Send a key or token in the body of a POST: addresses are kept by proxies.";
        return Err(ApiError::field("q", detail));
    }
    found(&app, &query.q).await
}

/// The same with the text in the body, where also a license key is safe. Keys are looked for by their
/// digest and logged nowhere.
#[utoipa::path(
    post,
    path = "/v1/admin/find",
    operation_id = "find_secretly",
    tag = "licenses",
    request_body = FindRequest,
    responses((status = 200, description = "What was found.", body = FoundBody)),
    security(("management_token" = ["read"])),
)]
pub(super) async fn post(app: AppData, admin: Admin, body: UnreadJson) -> Answer {
    admin.may(Scope::Read)?;
    let request: FindRequest = body.read().await?;
    found(&app, &request.q).await
}

async fn found(app: &App, text: &SecretString) -> Answer {
    let found = find(app, text).await?;
    let now = app.clock.now();
    let licenses = found.licenses.iter();
    let body = FoundBody {
        licenses: licenses.map(|it| LicenseBody::new(it, now)).collect(),
        customers: found.customers,
        orders: found.orders,
        seats: found.seats.into_iter().map(SeatBody::from).collect(),
    };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(body))
}
