//! The closed list of error codes and the one envelope they leave in (RFC 9457).

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Map, Value};

use super::telemetry::request_id;
use crate::db::DbError;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// Every code an error body may carry. Codes may be added, never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])* $variant),+ }

        impl Code {
            /// The whole list, for `docs/errors.md`.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word in `code` and at the end of `type`.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $code),+ } }

            /// HTTP status.
            pub fn status(self) -> u16 { match self { $(Self::$variant => $status),+ } }

            /// `title`: the same for every occurrence.
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title),+ } }

            /// What it means and what to do.
            pub fn meaning(self) -> &'static str { match self { $(Self::$variant => concat!($($doc),*)),+ } }
        }
    };
}

codes! {
    /// The request is not well-formed HTTP for this route, or its body is empty.
    MalformedRequest = "malformed_request", 400, "Malformed request";
    /// The body is not valid JSON in UTF-8.
    MalformedJson = "malformed_json", 400, "Malformed JSON";
    /// The webhook's signature is missing, stale or wrong. Nothing was stored.
    SignatureInvalid = "signature_invalid", 400, "Invalid signature";
    /// No credential, or one this route does not know.
    Unauthorized = "unauthorized", 401, "Credential required";
    /// No license has this key.
    KeyUnknown = "key_unknown", 401, "Unknown license key";
    /// The credential is an environment variable that was never filled in, such as `${KIT_TOKEN}`.
    VariableNotSet = "variable_not_set", 401, "Environment variable not set";
    /// The credential is fine but may not do this.
    Forbidden = "forbidden", 403, "Not allowed";
    /// The management token lacks the scope this route needs.
    InsufficientScope = "insufficient_scope", 403, "Insufficient scope";
    /// A browser sent this form from another site.
    CrossSiteRequest = "cross_site_request", 403, "Cross-site request refused";
    /// The license does not cover this kit.
    KitNotCovered = "kit_not_covered", 403, "Kit not covered";
    /// The license does not cover this version; `last_entitled_version` names one it does.
    VersionNotCovered = "version_not_covered", 403, "Version not covered";
    /// The license is suspended.
    LicenseSuspended = "license_suspended", 403, "License suspended";
    /// The license was revoked.
    LicenseRevoked = "license_revoked", 403, "License revoked";
    /// The license has ended or has not started.
    LicenseExpired = "license_expired", 403, "License not in force";
    /// There is nothing here, or not for this credential.
    NotFound = "not_found", 404, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "method_not_allowed", 405, "Method not allowed";
    /// Something with this name exists, or changed meanwhile.
    Conflict = "conflict", 409, "Conflict";
    /// It was here and has been withdrawn.
    Gone = "gone", 410, "Withdrawn";
    /// The body is larger than this route takes.
    PayloadTooLarge = "payload_too_large", 413, "Body too large";
    /// The body's content type is not one this route takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "Unsupported content type";
    /// The range lies outside of the file.
    RangeNotSatisfiable = "range_not_satisfiable", 416, "Range not satisfiable";
    /// The request was sent to another host name than the configured public address.
    WrongHost = "wrong_host", 421, "Wrong host";
    /// A field has a value that is not accepted; `field` names it.
    InvalidField = "invalid_field", 422, "Invalid field";
    /// Too often; `Retry-After` tells when to try again.
    TooManyRequests = "too_many_requests", 429, "Too many requests";
    /// The server failed; the request id leads to the cause in its log.
    Internal = "internal", 500, "Internal error";
    /// The server cannot do this right now; trying again is safe.
    Unavailable = "unavailable", 503, "Temporarily unavailable";
    /// The disk is full; nothing was stored.
    InsufficientStorage = "insufficient_storage", 507, "Insufficient storage";
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A refusal or failure on its way out.
#[derive(Debug)]
pub struct ApiError {
    code: Code,
    detail: String,
    members: Map<String, Value>,
    source: Option<Source>,
}

impl ApiError {
    /// `detail` is one sentence for the caller: what happened, what to do.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            members: Map::new(),
            source: None,
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
            Code::Unavailable | Code::TooManyRequests => {
                let seconds = self.members.get("retry_after").and_then(Value::as_u64);
                response.insert_header((RETRY_AFTER, seconds.unwrap_or(1).to_string()));
            }
            _ => {}
        }
        response.body(Value::Object(body).to_string())
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

/// The page of all codes, `docs/errors.md`.
pub fn markdown() -> String {
    let mut page = String::from(
        "# Error codes\n\nGenerated from the program; `UPDATE_DOCS=1 cargo test` writes it anew.\n\n\
         Every error body is `application/problem+json` (RFC 9457) with `type`, `title`, `status`,\n\
         `detail`, `code` and `request_id`. Branch on `code`; show `detail`. Codes may be added.\n\n\
         | Code | Status | Meaning |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        page.push_str(&format!(
            "| `{}` | {} | {} |\n",
            code.as_str(),
            code.status(),
            code.meaning().trim()
        ));
    }
    page
}
