//! In-kit calls: activate, validate, heartbeat, file, deactivate.

use std::borrow::Cow;

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::activate::activate;
use super::deactivate::{Deactivated, deactivate};
use super::heartbeat::heartbeat;
use super::model::{Identity, NAME_MAX};
use super::offline_file::{OfflineFileError, offline_file};
use crate::app::App;
use crate::http::error::{ApiError, Code};
use crate::http::extract::{AppData, Json};
use crate::http::routes::resource;
use crate::kits::model::{SeatKind, has_invisible, is_slug};
use crate::licenses::answer::manage_url;
use crate::licenses::facts::churn_detail;
use crate::licenses::model::VerdictCode;
use crate::licenses::validate::{Ask, AskError, validate};

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/v1/licenses/activate").on(Method::POST, post_activate))
        .service(resource("/v1/licenses/validate").on(Method::POST, post_validate))
        .service(resource("/v1/licenses/heartbeat").on(Method::POST, post_heartbeat))
        .service(resource("/v1/licenses/file").on(Method::POST, post_file))
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
    entitlements: Option<Vec<String>>,
    replace: Option<String>,
    ttl_seconds: Option<i64>,
}

/// Longest version or platform, in characters.
const WORD_MAX: usize = 64;
/// Longest nonce, in characters.
const NONCE_MAX: usize = 128;
/// Most features a kit may ask for.
const ENTITLEMENTS_MAX: usize = 100;
/// Shortest life of a file for a machine that is never online, in seconds.
const TTL_MIN: i64 = 60;

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
            kit: self.kit,
            identity,
            name: bounded("name", self.name, NAME_MAX)?,
            version: bounded("version", self.version, WORD_MAX)?,
            platform: bounded("platform", self.platform, WORD_MAX)?,
            nonce,
            entitlements: features(self.entitlements.unwrap_or_default())?,
        })
    }

    /// Whether the longest unseen seat may be freed for a new one.
    fn replaces(&self) -> Result<bool, ApiError> {
        match self.replace.as_deref() {
            None => Ok(false),
            Some("longest_unseen") => Ok(true),
            Some(_) => Err(ApiError::field("replace", "must be longest_unseen")),
        }
    }

    fn ttl_seconds(&self) -> Result<Option<i64>, ApiError> {
        let too_short = self.ttl_seconds.is_some_and(|ttl| ttl < TTL_MIN);
        if too_short {
            return Err(ApiError::field("ttl_seconds", "must be at least 60"));
        }
        Ok(self.ttl_seconds)
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

/// Names of features: few, short, visible.
fn features(names: Vec<String>) -> Result<Vec<String>, ApiError> {
    let is_name =
        |name: &String| (1..=WORD_MAX).contains(&name.chars().count()) && !has_invisible(name);
    if names.len() > ENTITLEMENTS_MAX || !names.iter().all(is_name) {
        let reason = "must be at most 100 names of 1 to 64 visible characters";
        return Err(ApiError::field("entitlements", reason));
    }
    Ok(names)
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
        }
    }
}

impl From<OfflineFileError> for ApiError {
    fn from(error: OfflineFileError) -> Self {
        match error {
            OfflineFileError::Ask(error) => error.into(),
            error @ OfflineFileError::NotIncluded => {
                let mut sentence = error.to_string();
                sentence.push('.');
                Self::new(Code::NoOfflineFiles, sentence)
            }
        }
    }
}

async fn post_activate(app: AppData, body: Json<AskBody>) -> Result<HttpResponse, ApiError> {
    let replace = body.0.replaces()?;
    let answer = activate(&app, body.0.check()?, replace).await?;
    Ok(HttpResponse::Ok().json(answer))
}

async fn post_validate(app: AppData, body: Json<AskBody>) -> Result<HttpResponse, ApiError> {
    let answer = validate(&app, body.0.check()?).await?;
    Ok(HttpResponse::Ok().json(answer))
}

async fn post_heartbeat(app: AppData, body: Json<AskBody>) -> Result<HttpResponse, ApiError> {
    let answer = heartbeat(&app, body.0.check()?).await?;
    Ok(HttpResponse::Ok().json(answer))
}

async fn post_file(app: AppData, body: Json<AskBody>) -> Result<HttpResponse, ApiError> {
    let ttl_seconds = body.0.ttl_seconds()?;
    let answer = offline_file(&app, body.0.check()?, ttl_seconds).await?;
    Ok(HttpResponse::Ok().json(answer))
}

async fn post_deactivate(app: AppData, body: Json<AskBody>) -> Result<HttpResponse, ApiError> {
    let ask = body.0.check()?;
    if ask.identity.is_none() {
        let reason = "name the identity whose seat to free";
        return Err(ApiError::field("device", reason));
    }
    let outcome = deactivate(&app, &ask).await?;
    Ok(HttpResponse::Ok().json(DeactivationView::of(&app, &outcome)))
}

/// What became of a seat that was given back.
#[derive(Debug, Serialize)]
struct DeactivationView {
    /// Whether a seat was freed.
    deactivated: bool,
    /// `FREED`, `NOT_ACTIVATED`, `NOT_FOUND`, `KIT_MISMATCH` or `CHURN_LIMIT`.
    code: &'static str,
    /// The same, for people.
    detail: Cow<'static, str>,
    /// Where the customer mends it, where it can be mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    manage_url: Option<String>,
}

impl DeactivationView {
    fn of(app: &App, outcome: &Deactivated) -> Self {
        let (code, detail): (_, Cow<'static, str>) = match outcome {
            Deactivated::Freed => ("FREED", "The seat is free.".into()),
            Deactivated::NotHeld => ("NOT_ACTIVATED", "This identity holds no seat.".into()),
            Deactivated::Unknown => ("NOT_FOUND", VerdictCode::NotFound.detail().into()),
            Deactivated::OtherKit => ("KIT_MISMATCH", VerdictCode::KitMismatch.detail().into()),
            Deactivated::ChurnLimit { next, .. } => ("CHURN_LIMIT", churn_detail(*next).into()),
        };
        let manage_url = match outcome {
            Deactivated::ChurnLimit { license, .. } => Some(manage_url(app, license)),
            Deactivated::Freed
            | Deactivated::NotHeld
            | Deactivated::Unknown
            | Deactivated::OtherKit => None,
        };
        Self {
            deactivated: *outcome == Deactivated::Freed,
            code,
            detail,
            manage_url,
        }
    }
}
