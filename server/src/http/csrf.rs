//! Forms of other sites are refused by fetch metadata, on every request a cookie authenticates.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::ORIGIN;
use actix_web::middleware::Next;
use actix_web::{Error, web};

use super::error::{ApiError, Code, PageError};
use crate::app::App;

/// Middleware of the portal's pages.
pub async fn guard<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    let app = request
        .app_data::<web::Data<App>>()
        .map(|app| Arc::clone(app));
    if app.is_some_and(|app| !safe && !is_same_origin(&request, &app)) {
        let detail = "This form was sent from another site. Open the page here and try again.";
        let error = ApiError::new(Code::CrossSiteRequest, detail);
        return Ok(request.error_response(PageError::from(error)));
    }
    next.call(request)
        .await
        .map(ServiceResponse::map_into_boxed_body)
}

/// `Sec-Fetch-Site` where the browser sends it; `Origin` from older ones; neither is no browser
/// form of ours.
fn is_same_origin(request: &ServiceRequest, app: &App) -> bool {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    match header("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => header(ORIGIN.as_str()).is_some_and(|origin| origin == app.origin()),
    }
}
