//! What is over a limit gets 429, and whatever is counted says how much is left.
//!
//! Wrong keys: a handler marks its answer by [`mark_miss`], or its refusal by
//! [`ApiError::for_wrong_key`]; the middleware counts it for the caller's network and, over the
//! limit, answers 429 in its place. Right keys are never counted and never turned away.
//! Requests with a management token: counted by `Admin` through `count_request`. Calls with a token
//! derived from a key are counted where the token is looked up: there a refusal alone knows how the
//! token stands, and brings it along.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, HeaderName, HeaderValue, VARY,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError, web};

use super::client_address::client_address;
use super::error::{ApiError, Code};
use crate::app::App;
use crate::limits::{Network, Standing};
use crate::staff::TokenId;

/// In the extensions of an answer: the key or token it was asked with is nobody's.
struct KeyMiss;

/// Marks the answer to a key nobody has.
pub fn mark_miss(response: &mut HttpResponse) {
    response.extensions_mut().insert(KeyMiss);
}

/// Marks a refusal with how whoever was refused stands.
pub(super) fn mark_standing(response: &mut HttpResponse, standing: Standing) {
    response.extensions_mut().insert(standing);
}

/// Middleware.
pub async fn around<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let mut response = settle_miss(response);
    let counted = response.request().extensions().get::<Standing>().copied();
    let refused = response.response().extensions().get::<Standing>().copied();
    if let Some(standing) = counted.or(refused) {
        tell(response.headers_mut(), standing);
    }
    Ok(response)
}

/// Counts the answer to a wrong key, and replaces it where there were too many.
fn settle_miss(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let is_miss = response.response().extensions().contains::<KeyMiss>();
    let app = response.request().app_data::<web::Data<App>>().cloned();
    let Some(app) = app.filter(|_| is_miss) else {
        return response;
    };
    let network = Network::of(client_address(&app, response.request()));
    let standing = app.limits.misses.take(&network, app.clock.now());
    let over = standing.filter(|standing| !standing.allowed);
    app.metrics.key_miss(over.is_some());
    if let Some(standing) = standing {
        response.request().extensions_mut().insert(standing);
    }
    let Some(over) = over else { return response };
    let detail =
        "Too many unknown keys came from your network. Check the key, and try again later.";
    let (request, wrong_key) = response.into_parts();
    let mut refusal = too_many(detail, over).error_response();
    // A web page that might have read the answer may read why it got none.
    for name in [ACCESS_CONTROL_ALLOW_ORIGIN, VARY] {
        if let Some(value) = wrong_key.headers().get(&name) {
            refusal.headers_mut().insert(name, value.clone());
        }
    }
    ServiceResponse::new(request, refusal)
}

/// Counts a request of a token's holder.
pub(super) fn count_request(
    app: &App,
    request: &HttpRequest,
    token: &TokenId,
) -> Result<(), ApiError> {
    let Some(standing) = app.limits.requests.take(token, app.clock.now()) else {
        return Ok(());
    };
    request.extensions_mut().insert(standing);
    if standing.allowed {
        return Ok(());
    }
    let detail = "This token was used too often. Try again later.";
    Err(too_many(detail, standing))
}

/// The refusal of what is over its limit.
pub(super) fn too_many(detail: &str, standing: Standing) -> ApiError {
    let seconds = standing.retry_seconds.max(1);
    ApiError::new(Code::TooManyRequests, detail)
        .with("retry_after", seconds)
        .with_standing(standing)
}

fn tell(headers: &mut HeaderMap, standing: Standing) {
    for (name, number) in [
        ("ratelimit-limit", standing.limit),
        ("ratelimit-remaining", standing.remaining),
        ("ratelimit-reset", standing.reset_seconds),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
    }
}
