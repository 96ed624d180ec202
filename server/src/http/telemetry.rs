//! Around every request: an id, a log line with the route's pattern (never the raw path), metrics,
//! and a constant answer when a handler panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};
use futures_util::FutureExt;

use super::error::ApiError;
use super::headers::security_headers;
use crate::app::App;
use crate::db::types::new_type_id;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Id of the request being served; empty outside of one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Middleware; outermost, so that whatever fails inside gets its id and its line.
pub async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(app) = request
        .app_data::<web::Data<App>>()
        .map(|app| Arc::clone(app))
    else {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    };
    let id = new_type_id("req", app.clock.now(), app.entropy.as_ref());
    let started = Instant::now();
    let method = request.method().clone();
    // The request itself cannot be kept: routing needs it undivided.
    let inner = async move {
        match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(Ok(response)) => Ok(response.map_into_boxed_body()),
            Ok(Err(error)) => Err(error.error_response()),
            Err(_panic) => Err(ApiError::internal("a handler panicked").error_response()),
        }
    };
    let outcome = REQUEST_ID.scope(id.clone(), inner).await;
    let (pattern, status) = match &outcome {
        Ok(response) => (
            response.request().match_pattern(),
            response.status().as_u16(),
        ),
        Err(response) => (None, response.status().as_u16()),
    };
    note(
        &app,
        &id,
        method.as_str(),
        pattern.as_deref(),
        status,
        started,
    );
    let is_https = app.public_url().scheme() == "https";
    match outcome {
        Ok(mut response) => {
            finish(response.headers_mut(), &id, is_https);
            Ok(response)
        }
        Err(mut response) => {
            finish(response.headers_mut(), &id, is_https);
            Err(InternalError::from_response("answered below", response).into())
        }
    }
}

/// One log line and one count.
fn note(app: &App, id: &str, method: &str, pattern: Option<&str>, status: u16, started: Instant) {
    let route = pattern.unwrap_or("-");
    let took = started.elapsed();
    app.metrics.request(method, route, status, took);
    tracing::info!(
        request_id = id,
        method,
        route,
        status,
        duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
}

fn finish(headers: &mut HeaderMap, id: &str, is_https: bool) {
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    security_headers(headers, is_https);
}
