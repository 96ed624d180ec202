//! Extractors that carry authority: whose key or token a request presents.

use std::future::{Ready, ready};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};
use secrecy::SecretString;

use super::error::{ApiError, Code};
use super::extract::app_of;
use super::path_token::PathToken;
use super::rate_limit::count_request;
use crate::downloads::model::CredentialForm;
use crate::staff::{Scope, TokenHolder};

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

/// The same where it may be missing: what is open asks for none. One that is sent is read as strictly.
#[derive(Debug)]
pub struct OptionalKey(pub Option<SecretString>);

impl FromRequest for OptionalKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let sends_none =
            PathToken::of(request).is_none() && !request.headers().contains_key(AUTHORIZATION);
        ready(if sends_none {
            Ok(Self(None))
        } else {
            key_credential(request).map(|KeyCredential(key)| Self(Some(key)))
        })
    }
}

/// The refusal of a request without a credential.
pub fn key_missing() -> ApiError {
    let detail = "Send your license key: \"Authorization: License KEY\".";
    ApiError::new(Code::Unauthorized, detail)
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
    let text = authorization(request)?;
    if let Some(token) = PathToken::of(request) {
        if text.is_some() {
            let detail = "Send one credential: in the address or in the Authorization header.";
            return Err(ApiError::new(Code::MalformedRequest, detail));
        }
        return Ok(KeyCredential(token));
    }
    let key = presented_key(text.ok_or_else(key_missing)?)
        .filter(|key| !key.is_empty())
        .ok_or_else(key_missing)?;
    if key.starts_with("${") || key.starts_with("$(") {
        let detail = "The credential is the name of an environment variable: it was not set where \
                      the client runs.";
        return Err(ApiError::new(Code::VariableNotSet, detail));
    }
    Ok(KeyCredential(SecretString::from(key)))
}

/// The form in which a request presents its key or token.
pub fn credential_form(request: &HttpRequest) -> CredentialForm {
    if PathToken::of(request).is_some() {
        return CredentialForm::Path;
    }
    let header = request.headers().get(AUTHORIZATION);
    let Some(header) = header.and_then(|value| value.to_str().ok()) else {
        return CredentialForm::None;
    };
    let scheme = header.trim().split_once(' ').map(|(scheme, _)| scheme);
    match scheme.map(str::to_ascii_lowercase).as_deref() {
        None => CredentialForm::Bare,
        Some("license") => CredentialForm::License,
        Some("bearer") => CredentialForm::Bearer,
        Some("basic") => CredentialForm::Basic,
        Some(_) => CredentialForm::Unknown,
    }
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

/// `Bearer TOKEN`; the case of the scheme does not count (RFC 9110 section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Whoever holds a management token.
#[derive(Debug)]
pub struct Admin(TokenHolder);

impl Admin {
    /// The holder, if the token has the scope.
    pub fn may(self, scope: Scope) -> Result<TokenHolder, ApiError> {
        self.may_any(&[scope])
    }

    /// Whether the token has a scope that a part of a route needs.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.has(scope)
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
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = app_of(&request)?;
            let refused = || {
                let detail = "Send a management token: \"Authorization: Bearer kwa_…\".";
                ApiError::new(Code::Unauthorized, detail)
            };
            let token = authorization(&request)?
                .and_then(bearer)
                .ok_or_else(refused)?;
            let token = SecretString::from(token);
            let holder = crate::staff::authenticate(&app, &token).await?;
            let holder = holder.ok_or_else(|| {
                let detail = "This management token is unknown or has ended.";
                ApiError::new(Code::Unauthorized, detail).for_wrong_key()
            })?;
            count_request(&app, &request, &holder.id)?;
            Ok(Self(holder))
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

    #[test]
    fn a_scheme_is_one_word_in_any_case() {
        for form in ["Bearer kwa_a", "bearer kwa_a", "BEARER  kwa_a"] {
            assert_eq!(bearer(form), Some("kwa_a"), "{form}");
        }
        for form in ["kwa_a", "Bearer", "Bearerkwa_a", "License kwa_a"] {
            assert_eq!(bearer(form), None, "{form}");
        }
    }
}
