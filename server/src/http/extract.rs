//! Extractors that answer in the one error envelope and carry authority.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};
use crate::app::App;
use crate::staff::{Scope, TokenHolder};

/// The parts of the installation, for handlers.
pub type AppData = web::Data<App>;

/// The parts of the installation behind a request.
pub fn app_of(request: &HttpRequest) -> Result<Arc<App>, ApiError> {
    let app = request.app_data::<AppData>().map(|app| Arc::clone(app));
    app.ok_or_else(|| ApiError::internal("a route was served without its App"))
}

/// How long a whole body may take: no JSON and no form of ours is large.
const BODY_PATIENCE: Duration = Duration::from_secs(15);

/// Reads a whole body of at most `limit` bytes, within 15 seconds.
pub async fn read_body(payload: &mut Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    read_body_within(payload, limit, BODY_PATIENCE).await
}

async fn read_body_within(
    payload: &mut Payload,
    limit: usize,
    patience: Duration,
) -> Result<Vec<u8>, ApiError> {
    // One limit for all of it: a byte now and then would renew a limit per chunk for ever.
    tokio::time::timeout(patience, collect(payload, limit))
        .await
        .unwrap_or_else(|_elapsed| Err(too_slow()))
}

/// The answer to whoever sends too slowly; the connection ends with it.
pub fn too_slow() -> ApiError {
    ApiError::new(Code::RequestTimeout, "The body did not arrive in time.")
}

async fn collect(payload: &mut Payload, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_broken| {
            ApiError::new(
                Code::MalformedRequest,
                "The body could not be read to its end.",
            )
        })?;
        if body.len() + chunk.len() > limit {
            let detail = format!("The body may have at most {limit} bytes.");
            return Err(ApiError::new(Code::PayloadTooLarge, detail));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// A JSON body: 415 for other content types, 413 past the limit, 400 when it is not JSON, 422 with
/// the field's path when it is not what the route takes. Members given twice are refused.
#[derive(Debug)]
pub struct Json<T>(pub T);

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, ApiError>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = ApiError;
    type Future = Boxed<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let body = read_json(&request, &mut payload).await?;
            Ok(Self(body))
        })
    }
}

async fn read_json<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<T, ApiError> {
    let app = app_of(request)?;
    check_json_type(request)?;
    let body = read_body(payload, app.config.limits.json_bytes).await?;
    parse_json(&body)
}

/// A JSON body still to be read, for handlers that look at the credential first: whoever may not
/// call a route learns nothing of its fields.
pub struct UnreadJson(HttpRequest, Payload);

impl UnreadJson {
    /// Reads it, with the answers of [`Json`].
    pub async fn read<T: DeserializeOwned>(mut self) -> Result<T, ApiError> {
        read_json(&self.0, &mut self.1).await
    }
}

impl FromRequest for UnreadJson {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone(), payload.take())))
    }
}

fn check_json_type(request: &HttpRequest) -> Result<(), ApiError> {
    let given = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = given
        .and_then(|text| text.split(';').next())
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "Send the body as application/json.";
    Err(ApiError::new(Code::UnsupportedMediaType, detail))
}

/// Reads JSON, telling broken JSON (400) from wrong fields (422).
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.is_empty() {
        return Err(ApiError::new(Code::MalformedRequest, "The body is empty."));
    }
    let malformed = |error: &dyn std::fmt::Display| {
        ApiError::new(Code::MalformedJson, format!("Not JSON: {error}."))
    };
    let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            let path = error.path().to_string();
            ApiError::field(if path == "." { "body" } else { &path }, sentence(inner))
        } else {
            malformed(inner)
        }
    })?;
    reader.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Query parameters: 422 when they are not what the route takes.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let parsed = web::Query::<T>::from_query(request.query_string());
        ready(
            parsed
                .map(|query| Self(query.into_inner()))
                .map_err(|error| ApiError::field("query", error.to_string())),
        )
    }
}

/// A license key or token as presented in `Authorization`, in any of the accepted forms.
#[derive(Debug)]
pub struct KeyCredential(pub SecretString);

impl FromRequest for KeyCredential {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(key_credential(request))
    }
}

/// The one `Authorization` header. Two of them are refused: a proxy may have looked at the other.
fn authorization(request: &HttpRequest) -> Result<Option<&str>, ApiError> {
    let mut all = request.headers().get_all(AUTHORIZATION);
    let first = all.next();
    if all.next().is_some() {
        let detail = "Send one Authorization header only.";
        return Err(ApiError::new(Code::MalformedRequest, detail));
    }
    Ok(first.and_then(|value| value.to_str().ok()))
}

fn key_credential(request: &HttpRequest) -> Result<KeyCredential, ApiError> {
    let missing = || {
        let detail = "Send your license key: \"Authorization: License KEY\".";
        ApiError::new(Code::Unauthorized, detail)
    };
    let text = authorization(request)?.ok_or_else(missing)?;
    let key = presented_key(text)
        .filter(|key| !key.is_empty())
        .ok_or_else(missing)?;
    if key.starts_with("${") || key.starts_with("$(") {
        let detail = "The credential is the name of an environment variable: it was not set where \
                      the client runs.";
        return Err(ApiError::new(Code::VariableNotSet, detail));
    }
    Ok(KeyCredential(SecretString::from(key)))
}

/// `License KEY`, `Bearer KEY`, `Basic anything:KEY` or `KEY:`, a bare `KEY` (Cargo sends no scheme).
fn presented_key(header: &str) -> Option<String> {
    let header = header.trim();
    let Some((scheme, rest)) = header.split_once(' ') else {
        return Some(header.to_owned());
    };
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "license" | "bearer" => Some(rest.to_owned()),
        "basic" => {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD
                .decode(rest)
                .ok()?;
            let text = String::from_utf8(decoded).ok()?;
            let (user, password) = text.split_once(':')?;
            Some(if password.is_empty() {
                user.to_owned()
            } else {
                password.to_owned()
            })
        }
        _ => None,
    }
}

/// Whoever holds a management token.
#[derive(Debug)]
pub struct Admin(TokenHolder);

impl Admin {
    /// The holder, if the token has the scope.
    pub fn may(self, scope: Scope) -> Result<TokenHolder, ApiError> {
        self.may_any(&[scope])
    }

    /// The holder, if the token has one of these scopes.
    pub fn may_any(self, scopes: &[Scope]) -> Result<TokenHolder, ApiError> {
        if scopes.iter().any(|scope| self.0.has(*scope)) {
            return Ok(self.0);
        }
        let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        let scopes = scopes.join(" or ");
        let detail = format!("This route needs a token with the scope {scopes}.");
        Err(ApiError::new(Code::InsufficientScope, detail))
    }
}

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Boxed<Self>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = app_of(&request)?;
            let refused = || {
                let detail = "Send a management token: \"Authorization: Bearer kwa_…\".";
                ApiError::new(Code::Unauthorized, detail)
            };
            let token = authorization(&request)?
                .and_then(|text| text.strip_prefix("Bearer "))
                .ok_or_else(refused)?;
            let token = SecretString::from(token.trim());
            let holder = crate::staff::authenticate(&app, &token).await?;
            holder.map(Admin).ok_or_else(|| {
                let detail = "This management token is unknown or has ended.";
                ApiError::new(Code::Unauthorized, detail)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_accepted_in_every_form_clients_send() {
        let key = Some("kwl_abc".to_owned());
        for form in [
            "License kwl_abc",
            "Bearer kwl_abc",
            "bearer  kwl_abc",
            "kwl_abc",
            "Basic dXNlcjprd2xfYWJj",
            "Basic a3dsX2FiYzo=",
        ] {
            assert_eq!(presented_key(form), key, "{form}");
        }
        assert_eq!(presented_key("Digest x"), None);
    }

    type BoxedPayload = Pin<
        Box<dyn futures_util::Stream<Item = Result<bytes::Bytes, actix_web::error::PayloadError>>>,
    >;

    #[actix_web::test]
    async fn a_body_that_never_ends_is_given_up() {
        let endless: BoxedPayload = Box::pin(futures_util::stream::pending());
        let mut payload = Payload::Stream { payload: endless };
        let patience = Duration::from_millis(10);
        let error = read_body_within(&mut payload, 9, patience).await;
        assert_eq!(error.unwrap_err().code(), Code::RequestTimeout);
    }

    #[test]
    fn a_member_given_twice_is_refused() {
        #[derive(Debug, serde::Deserialize)]
        struct Body {
            #[expect(dead_code, reason = "only its presence matters")]
            key: String,
        }
        let error = parse_json::<Body>(br#"{"key":"a","key":"b"}"#).unwrap_err();
        assert_eq!(error.code(), Code::InvalidField);
        assert_eq!(
            parse_json::<Body>(b"{\"key\":").unwrap_err().code(),
            Code::MalformedJson
        );
        assert_eq!(
            parse_json::<Body>(b"{\"key\":\"\xff\"}")
                .unwrap_err()
                .code(),
            Code::MalformedJson
        );
        assert_eq!(
            parse_json::<Body>(br#"{"key":1}"#).unwrap_err().code(),
            Code::InvalidField
        );
        assert_eq!(
            parse_json::<Body>(br#"{"key":"a"} x"#).unwrap_err().code(),
            Code::MalformedJson
        );
    }
}
