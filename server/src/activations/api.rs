//! In-kit calls: activate, validate, deactivate.

mod cors;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::activate::activate;
use super::deactivate::{Deactivated, deactivate};
use super::model::{Identity, NAME_MAX};
use crate::http::error::ApiError;
use crate::http::extract::{AppData, Json};
use crate::http::routes::resource;
use crate::kits::model::{SeatKind, has_invisible, is_slug};
use crate::licenses::validate::{Ask, AskError, validate};

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    let validate = resource("/v1/licenses/validate").on(Method::POST, post_validate);
    config
        .service(resource("/v1/licenses/activate").on(Method::POST, post_activate))
        .service(validate.on(Method::OPTIONS, cors::preflight))
        .service(resource("/v1/licenses/deactivate").on(Method::POST, post_deactivate));
}

/// What a kit sends. Unknown members are ignored: a newer kit may talk to an older server.
#[derive(Debug, Deserialize)]
struct AskBody {
    key: SecretString,
    kit: String,
    device: Option<String>,
    site: Option<String>,
    user: Option<String>,
    project: Option<String>,
    name: Option<String>,
    version: Option<String>,
    platform: Option<String>,
    nonce: Option<String>,
}

/// Longest version or platform, in characters.
const WORD_MAX: usize = 64;
/// Longest nonce, in characters.
const NONCE_MAX: usize = 128;

impl AskBody {
    fn check(self) -> Result<Ask, ApiError> {
        if !is_slug(&self.kit) {
            return Err(ApiError::field("kit", "must be a kit's slug"));
        }
        let identity = self.identity()?;
        let nonce = bounded("nonce", self.nonce, NONCE_MAX)?;
        if nonce
            .as_deref()
            .is_some_and(|nonce| !nonce.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(ApiError::field(
                "nonce",
                "must be printable ASCII without spaces",
            ));
        }
        Ok(Ask {
            key: self.key,
            origin: None,
            kit: self.kit,
            identity,
            name: bounded("name", self.name, NAME_MAX)?,
            version: bounded("version", self.version, WORD_MAX)?,
            platform: bounded("platform", self.platform, WORD_MAX)?,
            nonce,
        })
    }

    fn identity(&self) -> Result<Option<Identity>, ApiError> {
        let given = [
            (SeatKind::Device, &self.device),
            (SeatKind::Site, &self.site),
            (SeatKind::User, &self.user),
            (SeatKind::Project, &self.project),
        ];
        let mut found = None;
        for (kind, text) in given {
            let Some(text) = text else { continue };
            if found.is_some() {
                let reason = "send one of device, site, user, project, not several";
                return Err(ApiError::field(kind.as_str(), reason));
            }
            let identity = Identity::new(kind, text)
                .map_err(|fault| ApiError::field(kind.as_str(), fault.to_string()))?;
            found = Some(identity);
        }
        Ok(found)
    }
}

/// A short text for people: trimmed, bounded, printable; blank counts as absent.
fn bounded(field: &str, text: Option<String>, max: usize) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > max {
        return Err(ApiError::field(
            field,
            format!("must have at most {max} characters"),
        ));
    }
    if has_invisible(text) {
        let detail = "must not hold control or invisible characters";
        return Err(ApiError::field(field, detail));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Db(error) => error.into(),
            AskError::Sign(error) => Self::internal(error),
            AskError::TooOften(error) => error.into(),
        }
    }
}

async fn post_activate(app: AppData, body: Json<AskBody>) -> Result<HttpResponse, ApiError> {
    let answer = activate(&app, body.0.check()?).await?;
    Ok(HttpResponse::Ok().json(answer))
}

async fn post_validate(
    app: AppData,
    http: HttpRequest,
    body: Json<AskBody>,
) -> Result<HttpResponse, ApiError> {
    let ask = Ask {
        origin: cors::sent_origin(&http),
        ..body.0.check()?
    };
    let from = cors::publishable_from(&ask);
    let answer = validate(&app, ask).await?;
    let mut response = HttpResponse::Ok();
    if answer.license.is_some() {
        cors::open_to(&mut response, from.as_deref());
    }
    Ok(response.json(answer))
}

async fn post_deactivate(app: AppData, body: Json<AskBody>) -> Result<HttpResponse, ApiError> {
    let ask = body.0.check()?;
    if ask.identity.is_none() {
        return Err(ApiError::field(
            "device",
            "name the identity whose seat to free",
        ));
    }
    let outcome = deactivate(&app, &ask).await?;
    let (deactivated, code, detail) = match outcome {
        Deactivated::Freed => (true, "FREED", "The seat is free."),
        Deactivated::NotHeld => (false, "NOT_ACTIVATED", "This identity holds no seat."),
        Deactivated::Unknown => (false, "NOT_FOUND", "No license has this key."),
        Deactivated::OtherKit => (
            false,
            "KIT_MISMATCH",
            "This license does not cover this kit.",
        ),
    };
    let body = json!({ "deactivated": deactivated, "code": code, "detail": detail });
    Ok(HttpResponse::Ok().json(body))
}
