//! Around every request: an id, a log line with the route's pattern (never the raw path), metrics,
//! and a constant answer when a handler panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};
use futures_util::FutureExt;

use super::error::ApiError;
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
) -> Result<ServiceResponse<actix_web::body::BoxBody>, Error> {
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
    let copy = request.request().clone();
    let inner = async move {
        match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(Ok(response)) => response.map_into_boxed_body(),
            Ok(Err(error)) => {
                let response = error.error_response();
                ServiceResponse::new(copy, response)
            }
            Err(_panic) => {
                let error = ApiError::internal("a handler panicked");
                ServiceResponse::new(copy, error.error_response())
            }
        }
    };
    let mut response = REQUEST_ID.scope(id.clone(), inner).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-request-id"), value);
    }
    let pattern = response
        .request()
        .match_pattern()
        .unwrap_or_else(|| "-".to_owned());
    let status = response.status().as_u16();
    record(&app, method.as_str(), &pattern, status, started.elapsed());
    tracing::info!(
        request_id = id,
        method = method.as_str(),
        route = pattern,
        status,
        duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    Ok(response)
}

fn record(app: &App, method: &str, pattern: &str, status: u16, took: Duration) {
    app.metrics.request(method, pattern, status, took);
}
