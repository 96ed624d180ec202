//! Forms of our pages.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use super::error::{ApiError, Code, PageError};
use super::extract::read_body;

/// No form of ours has more to say.
const LARGEST: usize = 8 * 1024;

/// An `application/x-www-form-urlencoded` body of at most 8 KiB.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = PageError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = is_form(request);
        let mut payload = payload.take();
        Box::pin(async move {
            if !is_form {
                let detail = "This address takes forms only.";
                return Err(ApiError::new(Code::UnsupportedMediaType, detail).into());
            }
            let body = read_body(&mut payload, LARGEST).await?;
            parse(&body).map(Form)
        })
    }
}

fn is_form(request: &HttpRequest) -> bool {
    let given = request.headers().get(CONTENT_TYPE);
    let given = given
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// What was sent is not repeated in the answer: it may be a code or a link's secret.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, PageError> {
    let refused = || ApiError::field("form", "The form was not filled in completely.");
    let text = std::str::from_utf8(body).map_err(|_not_text| refused())?;
    let parsed = web::Query::<T>::from_query(text).map_err(|_incomplete| refused())?;
    Ok(parsed.into_inner())
}
