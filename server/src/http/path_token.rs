//! `/k/{kwd_…}/v1/kits/…`: a download token in the path, for clients that cannot send headers.
//!
//! The prefix is taken off before anything else looks at the path, so that routes, their patterns in
//! the log and their answers are those of the address behind it. Only download tokens may stand in an
//! address, and only before addresses of kits: histories and logs of others keep addresses.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::uri::{PathAndQuery, Uri};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, ResponseError};
use secrecy::{ExposeSecret, SecretString};

use super::error::{ApiError, Code};
use crate::secrets::{TokenKind, TokenText};

const PREFIX: &str = "/k/";
/// What may stand behind the prefix.
const BEHIND: &str = "/v1/kits/";

/// The download token in the path of a request.
#[derive(Debug, Clone)]
pub struct PathToken(SecretString);

impl PathToken {
    /// The token of a request that has one.
    pub fn of(request: &HttpRequest) -> Option<SecretString> {
        let extensions = request.extensions();
        extensions.get::<Self>().map(|token| token.0.clone())
    }
}

/// `address`, a whole one of ours, behind the prefix the request came with.
pub fn with_prefix(request: &HttpRequest, address: String) -> String {
    let Some(token) = PathToken::of(request) else {
        return address;
    };
    match address.split_once(BEHIND) {
        Some((origin, rest)) => {
            let token = token.expose_secret();
            format!("{origin}{PREFIX}{token}{BEHIND}{rest}")
        }
        None => address,
    }
}

/// Middleware; innermost, just before routing.
pub async fn take<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if request.path().starts_with(PREFIX) {
        match split(request.uri()) {
            Ok((token, uri)) => {
                request.match_info_mut().get_mut().update(&uri);
                request.head_mut().uri = uri;
                request.extensions_mut().insert(PathToken(token));
            }
            Err(error) => return Ok(request.into_response(error.error_response())),
        }
    }
    let answer = next.call(request).await?;
    Ok(answer.map_into_boxed_body())
}

fn split(uri: &Uri) -> Result<(SecretString, Uri), ApiError> {
    let nothing = || ApiError::new(Code::NotFound, "There is nothing at this address.");
    let whole = uri.path_and_query().map(PathAndQuery::as_str);
    let rest = whole.and_then(|text| text.strip_prefix(PREFIX));
    let (token, behind) = rest
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(nothing)?;
    let behind = format!("/{behind}");
    if !behind.starts_with(BEHIND) {
        return Err(nothing());
    }
    if TokenText::parse(TokenKind::Download, token).is_none() {
        let detail = "Only a download token (kwd_…) may stand in an address. Make one on the \
                      license's page; if this was another key or token, replace it.";
        return Err(ApiError::new(Code::KeyUnknown, detail));
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(behind.parse().map_err(|_odd| nothing())?);
    let uri = Uri::from_parts(parts).map_err(|_odd| nothing())?;
    Ok((SecretString::from(token), uri))
}
