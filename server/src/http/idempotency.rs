//! `Idempotency-Key` of requests that create something, and their answer.
//!
//! A handler that creates takes [`Idempotency`] beside its body, hands the claim to the operation,
//! and renders the answer from the id, so that the same request gets the same answer:
//!
//! ```ignore
//! async fn create(app: AppData, admin: Admin, once: Idempotency, body: UnreadJson) -> Answer {
//!     let holder = admin.may(Scope::Admin)?;
//!     let (request, claim) = once.read::<CreateRequest>(&app, &holder, body).await?;
//!     let id = made(create_kit(&app, input(request), claim).await?)?;
//!     Ok(created(&app, "/v1/admin/kits", &id).json(find(&app, id).await?))
//! }
//! ```
//!
//! The operation returns `Once<KitId>` and runs its effect through the claim, all of it:
//!
//! ```ignore
//! app.db.write(shard, move |tx| {
//!     claim.once(tx, &kit.id, |tx| {
//!         create_kit_in(tx, &kit, actor.clone())?;
//!         Ok(kit.id.clone())
//!     })
//! })
//! ```
//!
//! What depends on the time or on other rows is checked inside of the effect: an equal request gets
//! its answer whatever happened since. Refusals are not remembered.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderName, LOCATION};
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder};
use secrecy::SecretString;
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code};
use super::extract::{UnreadJson, parse_json};
use crate::app::App;
use crate::idempotency::{Claim, Once};
use crate::staff::TokenHolder;

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key, in characters.
const KEY_MAX: usize = 255;

/// The header of a request, still to be joined with its body.
#[derive(Debug)]
pub struct Idempotency(HttpRequest);

impl FromRequest for Idempotency {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}

impl Idempotency {
    /// Reads the body, and claims the one effect of this request where a key was sent.
    pub async fn read<T: DeserializeOwned>(
        self,
        app: &App,
        holder: &TokenHolder,
        body: UnreadJson,
    ) -> Result<(T, Claim), ApiError> {
        let key = key_of(&self.0)?;
        let body = body.bytes().await?;
        let value = parse_json(&body)?;
        let claim = key.map_or_else(Claim::default, |key| {
            let line = format!("{} {}\n", self.0.method(), self.0.path());
            Claim::new(app, holder, &key, &[line.as_bytes(), &body].concat())
        });
        Ok((value, claim))
    }
}

/// The key as sent, with or without quotes around it.
fn key_of(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let mut all = request.headers().get_all(HEADER);
    let Some(first) = all.next() else {
        return Ok(None);
    };
    let text = first.to_str().unwrap_or_default().trim();
    let inner = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let key = inner.unwrap_or(text);
    let is_key = (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if !is_key || all.next().is_some() {
        let detail = format!("Send one key of 1 to {KEY_MAX} printable ASCII characters.");
        return Err(ApiError::field("Idempotency-Key", detail));
    }
    Ok(Some(key.to_owned()))
}

/// The id of what was made, now or by the same request before.
pub fn made<T: std::fmt::Display>(once: Once<T>) -> Result<String, ApiError> {
    match once {
        Once::New(id) => Ok(id.to_string()),
        Once::Before(earlier) => Ok(earlier.resource),
        Once::Mismatch => Err(mismatch()),
    }
}

/// The same for what comes with a secret that is shown once; `parts` takes apart what was made now.
pub fn made_with_secret<T>(
    app: &App,
    once: Once<T>,
    parts: impl FnOnce(T) -> (String, SecretString),
) -> Result<(String, Option<SecretString>), ApiError> {
    match once {
        Once::New(value) => {
            let (id, secret) = parts(value);
            Ok((id, Some(secret)))
        }
        Once::Before(earlier) => {
            let secret = earlier.secret(app).map_err(ApiError::internal)?;
            Ok((earlier.resource, secret))
        }
        Once::Mismatch => Err(mismatch()),
    }
}

pub fn mismatch() -> ApiError {
    let detail = "This Idempotency-Key was used for another request. Use a new one.";
    ApiError::new(Code::IdempotencyMismatch, detail)
}

/// 201 with the address of the new resource; `path` is that of its list.
pub fn created(app: &App, path: &str, id: &str) -> HttpResponseBuilder {
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, app.link(&format!("{path}/{id}"))));
    response
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn key(values: &[&str]) -> Result<Option<String>, ApiError> {
        let mut request = TestRequest::default();
        for value in values {
            request = request.append_header((HEADER, *value));
        }
        key_of(&request.to_http_request())
    }

    #[test]
    fn a_key_is_one_word_with_or_without_quotes() {
        assert_eq!(key(&[]).unwrap(), None);
        for spelling in ["a-1", "\"a-1\"", " a-1 "] {
            assert_eq!(key(&[spelling]).unwrap().as_deref(), Some("a-1"));
        }
        let long = "x".repeat(256);
        for bad in [&["", ""][..1], &["\"\""], &["a b"], &[&long], &["a", "a"]] {
            assert_eq!(key(bad).unwrap_err().code(), Code::InvalidField, "{bad:?}");
        }
    }
}
