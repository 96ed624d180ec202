//! Who is signed in, for handlers of pages.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use url::form_urlencoded::byte_serialize;

use super::cookies::SecretCookie;
use super::error::PageError;
use super::extract::app_of;
use crate::app::App;
use crate::db::DbError;
use crate::people::session::{Viewer, viewer};

/// The person behind a request; without one the browser is sent to sign in and comes back after.
#[derive(Debug)]
pub struct SignedIn(pub Viewer);

impl FromRequest for SignedIn {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = app_of(&request)?;
            match look_up(&app, &request).await? {
                Some(viewer) => Ok(Self(viewer)),
                None => Err(PageError::SignInFirst {
                    return_to: return_to(&request),
                }),
            }
        })
    }
}

/// Who sent a request, if anybody is signed in. Remembered for the frame of the page.
pub(super) async fn look_up(app: &App, request: &HttpRequest) -> Result<Option<Viewer>, DbError> {
    let Some(session) = SecretCookie::Session.read(app, request) else {
        return Ok(None);
    };
    let found = viewer(app, &session).await?;
    if let Some(viewer) = &found {
        request.extensions_mut().insert(viewer.clone());
    }
    Ok(found)
}

/// The page to come back to; a form cannot be sent again, so for those it is the home page.
fn return_to(request: &HttpRequest) -> String {
    if !request.method().is_safe() {
        return "/".to_owned();
    }
    let uri = request.uri().path_and_query();
    uri.map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// Address of the sign-in form that leads back to a page.
pub(super) fn sign_in_address(return_to: &str) -> String {
    if return_to == "/" {
        return "/sign-in".to_owned();
    }
    let encoded: String = byte_serialize(return_to.as_bytes()).collect();
    format!("/sign-in?return_to={encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_one_value_of_the_query() {
        assert_eq!(sign_in_address("/"), "/sign-in");
        assert_eq!(
            sign_in_address("/a?b=c&d=e#f"),
            "/sign-in?return_to=%2Fa%3Fb%3Dc%26d%3De%23f"
        );
    }
}
