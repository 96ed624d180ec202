//! In-kit calls: activate, validate, heartbeat, file, deactivate.

mod asked;

use std::borrow::Cow;

mod cors;

use actix_web::http::Method;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use self::asked::{AskBody, Replace};
use super::activate::activate;
use super::deactivate::{Deactivated, deactivate};
use super::heartbeat::heartbeat;
use super::offline_file::{OfflineFileError, offline_file};
use crate::app::App;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{AppData, Json, OptionalKey};
use crate::http::rate_limit::mark_miss;
use crate::http::routes::resource;
use crate::licenses::answer::{Answer, manage_url};
use crate::licenses::facts::{churn_detail, offline_file_detail};
use crate::licenses::model::VerdictCode;
use crate::licenses::validate::{Ask, AskError, validate};

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    let validate = resource("/v1/licenses/validate").on(Method::POST, post_validate);
    config
        .service(resource("/v1/licenses/activate").on(Method::POST, post_activate))
        .service(validate.on(Method::OPTIONS, cors::preflight))
        .service(resource("/v1/licenses/heartbeat").on(Method::POST, post_heartbeat))
        .service(resource("/v1/licenses/file").on(Method::POST, post_file))
        .service(resource("/v1/licenses/deactivate").on(Method::POST, post_deactivate));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(
    post_activate,
    post_validate,
    cors::preflight,
    post_heartbeat,
    post_file,
    post_deactivate
))]
pub struct Paths;

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Db(error) => error.into(),
            AskError::Sign(error) => Self::internal(error),
            AskError::TooOften(error) => error.into(),
        }
    }
}

fn no_file(app: &App, error: OfflineFileError) -> ApiError {
    match error {
        OfflineFileError::Ask(error) => error.into(),
        OfflineFileError::NotIncluded(license) => {
            let detail = "This license has no files for machines that are never online.";
            let url = manage_url(app, &license);
            ApiError::new(Code::NoOfflineFiles, detail).with("manage_url", url)
        }
    }
}

/// Takes a seat, or finds the one that this identity has. Kits call it at every start.
#[utoipa::path(
    post,
    path = "/v1/licenses/activate",
    operation_id = "activate",
    tag = "licensing",
    request_body = AskBody,
    security((), ("license_key" = [])),
    responses((status = 200, description = "The verdict, signed; with a license file where it is valid.", body = Answer)),
)]
async fn post_activate(
    app: AppData,
    key: Result<OptionalKey, ApiError>,
    body: Json<AskBody>,
) -> Result<HttpResponse, ApiError> {
    let replace = body.0.replace == Some(Replace::LongestUnseen);
    told(&activate(&app, body.0.check(key)?, replace).await?)
}

/// Looks without taking a seat. A publishable id is accepted from the web pages it was made for.
#[utoipa::path(
    post,
    path = "/v1/licenses/validate",
    operation_id = "validate",
    tag = "licensing",
    request_body = AskBody,
    security((), ("license_key" = [])),
    responses((status = 200, description = "The verdict, signed.", body = Answer)),
)]
async fn post_validate(
    app: AppData,
    http: HttpRequest,
    key: Result<OptionalKey, ApiError>,
    body: Result<Json<AskBody>, ApiError>,
) -> HttpResponse {
    let origin = cors::sent_origin(&http);
    match look(&app, origin.clone(), key, body).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = error.error_response();
            if let Some(origin) = origin {
                cors::open_if_registered(&app, response.headers_mut(), &origin).await;
            }
            response
        }
    }
}

async fn look(
    app: &AppData,
    origin: Option<String>,
    key: Result<OptionalKey, ApiError>,
    body: Result<Json<AskBody>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let ask = Ask {
        origin,
        ..body?.0.check(key)?
    };
    let from = cors::publishable_from(&ask);
    let answer = validate(app, ask).await?;
    let mut response = told(&answer)?;
    let headers = response.headers_mut();
    match from {
        Some(origin) if answer.license.is_some() => cors::open_to(headers, &origin),
        // The page of an id that has ended is told so.
        Some(origin) => cors::open_if_registered(app, headers, &origin).await,
        None => {}
    }
    Ok(response)
}

/// Says that a seat is still in use: extends the lease of a floating one.
#[utoipa::path(
    post,
    path = "/v1/licenses/heartbeat",
    operation_id = "heartbeat",
    tag = "licensing",
    request_body = AskBody,
    security((), ("license_key" = [])),
    responses((status = 200, description = "The verdict, signed.", body = Answer)),
)]
async fn post_heartbeat(
    app: AppData,
    key: Result<OptionalKey, ApiError>,
    body: Json<AskBody>,
) -> Result<HttpResponse, ApiError> {
    told(&heartbeat(&app, body.0.check(key)?).await?)
}

/// Makes a license file for a machine that is never online; its seat must be held.
#[utoipa::path(
    post,
    path = "/v1/licenses/file",
    operation_id = "license_file",
    tag = "licensing",
    request_body = AskBody,
    security((), ("license_key" = [])),
    responses(
        (status = 200, description = "The verdict, signed; with a license file where it is valid.", body = Answer),
        (status = 422, description = "`no_offline_files`: the license does not include such files, `manage_url` leads to it; or a field is not accepted."),
    ),
)]
async fn post_file(
    app: AppData,
    key: Result<OptionalKey, ApiError>,
    body: Json<AskBody>,
) -> Result<HttpResponse, ApiError> {
    let ttl_seconds = body.0.ttl_seconds()?;
    let answer = offline_file(&app, body.0.check(key)?, ttl_seconds).await;
    told(&answer.map_err(|error| no_file(&app, error))?)
}

/// Room for an answer with a license file.
const ANSWER_BYTES: usize = 4096;

/// An answer; one to an unknown key counts as a guess.
fn told(answer: &Answer) -> Result<HttpResponse, ApiError> {
    let mut body = Vec::with_capacity(ANSWER_BYTES);
    serde_json::to_writer(&mut body, answer).map_err(ApiError::internal)?;
    let mut response = HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(body);
    if answer.code == VerdictCode::NotFound {
        mark_miss(&mut response);
    }
    Ok(response)
}

/// Gives the seat of an identity back. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/licenses/deactivate",
    operation_id = "deactivate",
    tag = "licensing",
    request_body = AskBody,
    security((), ("license_key" = [])),
    responses((status = 200, description = "Freed, or why not.", body = DeactivationView)),
)]
async fn post_deactivate(
    app: AppData,
    key: Result<OptionalKey, ApiError>,
    body: Json<AskBody>,
) -> Result<HttpResponse, ApiError> {
    let ask = body.0.check(key)?;
    if ask.identity.is_none() {
        let reason = "name the identity whose seat to free";
        return Err(ApiError::field("device", reason));
    }
    let outcome = deactivate(&app, &ask).await?;
    let mut response = HttpResponse::Ok().json(DeactivationView::of(&app, &outcome));
    if outcome == Deactivated::Unknown {
        mark_miss(&mut response);
    }
    Ok(response)
}

/// What became of a seat that was given back.
#[derive(Debug, Serialize, ToSchema)]
struct DeactivationView {
    /// Whether a seat was freed.
    deactivated: bool,
    /// `FREED`, `NOT_ACTIVATED`, `NOT_FOUND`, `KIT_MISMATCH`, `KEY_REPLACED`, `CHURN_LIMIT` or
    /// `OFFLINE_FILE`.
    #[schema(example = "FREED")]
    code: &'static str,
    /// The same, for people.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// Where the customer mends it, where it can be mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    manage_url: Option<String>,
}

impl DeactivationView {
    fn of(app: &App, outcome: &Deactivated) -> Self {
        let (code, detail): (_, Cow<'static, str>) = match outcome {
            Deactivated::Freed => ("FREED", "The seat is free.".into()),
            Deactivated::NotHeld { .. } => ("NOT_ACTIVATED", "This identity holds no seat.".into()),
            Deactivated::Unknown => ("NOT_FOUND", VerdictCode::NotFound.detail().into()),
            Deactivated::OtherKit => ("KIT_MISMATCH", VerdictCode::KitMismatch.detail().into()),
            Deactivated::KeyReplaced => ("KEY_REPLACED", VerdictCode::KeyReplaced.detail().into()),
            Deactivated::ChurnLimit { next, .. } => ("CHURN_LIMIT", churn_detail(*next).into()),
            Deactivated::OfflineFile { until, .. } => {
                ("OFFLINE_FILE", offline_file_detail(*until).into())
            }
        };
        let manage_url = match outcome {
            Deactivated::NotHeld { license }
            | Deactivated::ChurnLimit { license, .. }
            | Deactivated::OfflineFile { license, .. } => Some(manage_url(app, license)),
            // The key may be that of a former owner, who learns nothing of the license.
            Deactivated::KeyReplaced | Deactivated::OtherKit => Some(app.link("/")),
            Deactivated::Freed | Deactivated::Unknown => None,
        };
        Self {
            deactivated: *outcome == Deactivated::Freed,
            code,
            detail,
            manage_url,
        }
    }
}
