//! The one envelope in which errors leave (RFC 9457), and the same for people.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value};

pub use super::code::{Code, markdown};
use super::rate_limit::{mark_miss, mark_standing, too_many};
use super::telemetry::request_id;
use crate::db::DbError;
use crate::licenses::tokens::usage::TooOften;
use crate::limits::Standing;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A refusal or failure on its way out.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    detail: String,
    members: Map<String, Value>,
    source: Option<Source>,
    is_wrong_key: bool,
    standing: Option<Standing>,
}

impl ApiError {
    /// `detail` is one sentence for the caller: what happened, what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            members: Map::new(),
            source: None,
            is_wrong_key: false,
            standing: None,
        }
    }

    /// A field with a value that is not accepted.
    pub fn field(field: &str, reason: impl Into<String>) -> Self {
        Self::new(Code::InvalidField, reason).with("field", field)
    }

    /// Adds an extension member to the body.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Counts as a guess of a key or token.
    #[must_use]
    pub fn for_wrong_key(mut self) -> Self {
        self.is_wrong_key = true;
        self
    }

    /// Tells how whoever is over a limit stands.
    #[must_use]
    pub(super) fn with_standing(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }

    /// A failure of ours: constant text outside, the chain in the log.
    pub fn internal(source: impl Into<Source>) -> Self {
        let mut error = Self::new(Code::Internal, "Something went wrong on our side.");
        error.source = Some(source.into());
        error
    }

    /// A failure that may pass by itself.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        let mut error = Self::new(Code::Unavailable, "The server is busy. Please try again.");
        error.source = Some(source.into());
        error
    }

    /// No space left for what was sent.
    pub fn insufficient_storage(source: impl Into<Source>) -> Self {
        let mut error = Self::new(Code::InsufficientStorage, Code::InsufficientStorage.title());
        error.source = Some(source.into());
        error
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence for the caller; constant for failures of ours.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Logs once, with the whole chain: failures of ours as errors, refusals as debug.
    pub(super) fn log(&self) {
        let code = self.code.as_str();
        if self.code.status() >= 500 {
            let cause = self
                .source
                .as_deref()
                .map(|source| chain(source))
                .unwrap_or_default();
            tracing::error!(code, cause, "request failed");
        } else {
            tracing::debug!(code, "request refused");
        }
    }
}

/// An error and its causes in one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for ApiError {}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        if error.is_transient() {
            Self::unavailable(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<TooOften> for ApiError {
    fn from(TooOften(standing): TooOften) -> Self {
        let detail = "This token was used too often. Wait a moment, or make one for each pipeline.";
        too_many(detail, standing)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let mut body = Map::new();
        body.insert(
            "type".into(),
            format!("/docs/errors#{}", self.code.as_str()).into(),
        );
        body.insert("title".into(), self.code.title().into());
        body.insert("status".into(), self.code.status().into());
        body.insert("detail".into(), self.detail.clone().into());
        body.insert("code".into(), self.code.as_str().into());
        body.insert("request_id".into(), request_id().into());
        for (member, value) in &self.members {
            body.insert(member.clone(), value.clone());
        }
        let mut response = HttpResponse::build(self.status());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        match self.code {
            Code::Unauthorized | Code::KeyUnknown | Code::VariableNotSet => {
                response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"kitward\""));
            }
            Code::Unavailable | Code::TooManyRequests | Code::DownloadLimit => {
                let seconds = self.members.get("retry_after").and_then(Value::as_u64);
                response.insert_header((RETRY_AFTER, seconds.unwrap_or(1).to_string()));
            }
            Code::RequestTimeout => {
                // What is still to come of the body would be read as the next request.
                response.force_close();
            }
            _ => {}
        }
        let mut response = response.body(Value::Object(body).to_string());
        if self.is_wrong_key {
            mark_miss(&mut response);
        }
        if let Some(standing) = self.standing {
            mark_standing(&mut response, standing);
        }
        response
    }
}

/// The same, for people: rendered as a page, or a way to the sign-in form.
#[derive(Debug)]
pub enum PageError {
    /// Shown as a page with the code and the request id.
    Failed(ApiError),
    /// Nobody is signed in; afterwards the browser comes back here.
    SignInFirst {
        /// Path and query of the page that was asked for.
        return_to: String,
    },
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<DbError> for PageError {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

impl std::fmt::Display for PageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::SignInFirst { .. } => f.write_str("sign in first"),
        }
    }
}

impl std::error::Error for PageError {}

/// Made into a page by the middleware of the pages' scope, which finds the error in the response.
impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Failed(error) => error.status(),
            Self::SignInFirst { .. } => StatusCode::SEE_OTHER,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Failed(error) => error.error_response(),
            Self::SignInFirst { return_to } => HttpResponse::SeeOther()
                .insert_header((LOCATION, super::session::sign_in_address(return_to)))
                .finish(),
        }
    }
}
