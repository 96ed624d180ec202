//! Extractors that answer in the one error envelope. Those that carry authority stand in
//! `credentials`.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use utoipa::ToSchema;

pub use super::credentials::{Admin, KeyCredential, OptionalKey, key_missing};
use super::error::{ApiError, Code};
use crate::app::App;

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
    parse_json(&read_json_bytes(request, payload).await?)
}

async fn read_json_bytes(
    request: &HttpRequest,
    payload: &mut Payload,
) -> Result<Vec<u8>, ApiError> {
    let app = app_of(request)?;
    check_json_type(request)?;
    read_body(payload, app.config.limits.json_bytes).await
}

/// A JSON body still to be read, for handlers that look at the credential first: whoever may not
/// call a route learns nothing of its fields.
pub struct UnreadJson(HttpRequest, Payload);

impl UnreadJson {
    /// Reads it, with the answers of [`Json`].
    pub async fn read<T: DeserializeOwned>(mut self) -> Result<T, ApiError> {
        read_json(&self.0, &mut self.1).await
    }

    /// Its bytes, where more than their meaning counts.
    pub async fn bytes(mut self) -> Result<Vec<u8>, ApiError> {
        read_json_bytes(&self.0, &mut self.1).await
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
    let is_json = || serde_json::from_str::<IgnoredAny>(text).is_ok();
    // Lists would be read as members in the order of our structs.
    if !text.trim_start().starts_with('{') && is_json() {
        return Err(ApiError::field("body", "The body must be a JSON object."));
    }
    // What is right needs no path to what is wrong.
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        let path = error.path().to_string();
        let path = if path == "." { "body" } else { &path };
        if inner.is_data() {
            ApiError::field(path, sentence(inner))
        } else if is_json() {
            // The reader calls some values of a wrong type broken JSON: a number for a word.
            ApiError::field(path, format!("wrong type or text: {}", sentence(inner)))
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

/// Nothing but the call itself.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyRequest {}

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

#[cfg(test)]
mod tests {
    use super::*;

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
        for wrong in [&br#"{"key":1}"#[..], br#"["a"]"#, br#" "a""#, b"{}"] {
            let error = parse_json::<Body>(wrong).unwrap_err();
            assert_eq!(error.code(), Code::InvalidField);
        }
        assert_eq!(
            parse_json::<Body>(br#"{"key":"a"} x"#).unwrap_err().code(),
            Code::MalformedJson
        );
    }
}
