//! What payment providers call.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::receive::{ReceiveError, receive};
use super::signature;
use crate::app::App;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{AppData, read_body};
use crate::http::routes::resource;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/webhooks/stripe").on(Method::POST, stripe));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(stripe))]
pub struct Paths;

/// The delivery need not be repeated.
#[derive(Debug, Serialize, ToSchema)]
struct Received {
    received: bool,
}

/// A delivery of Stripe's.
///
/// Answers 200 as soon as the event is stored, whatever it means; Stripe repeats it otherwise.
#[utoipa::path(
    post,
    path = "/webhooks/stripe",
    operation_id = "receive_stripe_event",
    tag = "webhooks",
    request_body(content = Value, content_type = "application/json", description = "The event."),
    security(("stripe_signature" = [])),
    responses(
        (status = 200, description = "Stored, now or before.", body = Received),
        (status = 400, description = "`signature_invalid`: the signature is missing, stale or does not fit."),
        (status = 404, description = "`not_found`: no webhook secret is configured."),
    ),
)]
async fn stripe(
    app: AppData,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    if app.config.stripe.webhook_secrets.is_empty() {
        let detail = "No webhook secret is configured here.";
        return Err(ApiError::new(Code::NotFound, detail));
    }
    let limit = app.config.limits.webhook_bytes;
    let body = read_body(&mut payload.into_inner(), limit).await?;
    check_signature(&app, &request, &body)?;
    receive(&app, &body).await?;
    Ok(HttpResponse::Ok().json(Received { received: true }))
}

fn check_signature(app: &App, request: &HttpRequest, body: &[u8]) -> Result<(), ApiError> {
    let refused = |reason: &str| {
        // Which of the reasons it was helps the operator and nobody else.
        tracing::warn!(reason, "a webhook delivery was refused");
        let detail = "The Stripe-Signature header is missing, stale or does not fit the body.";
        ApiError::new(Code::SignatureInvalid, detail)
    };
    let mut headers = request.headers().get_all("stripe-signature");
    let (Some(header), None) = (headers.next(), headers.next()) else {
        return Err(refused("not exactly one signature header"));
    };
    let header = header.to_str().map_err(|_bytes| refused("not a text"))?;
    let secrets = &app.config.stripe.webhook_secrets;
    signature::verify(header, body, secrets, app.clock.now())
        .map_err(|error| refused(&error.to_string()))
}

impl From<ReceiveError> for ApiError {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Envelope(fault) => {
                Self::new(Code::MalformedJson, format!("Not an event: {fault}."))
            }
            ReceiveError::Seal(error) => Self::internal(error),
            ReceiveError::Db(error) => error.into(),
        }
    }
}
