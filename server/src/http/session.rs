//! Sessions of people and the frame of their pages.

use actix_web::{HttpResponse, ResponseError, web};

use super::error::{ApiError, Code, PageError};
use crate::app::App;

/// Routes of this file.
pub fn routes(_config: &mut web::ServiceConfig) {}

/// An error as a page.
pub fn page_error(_app: &App, error: &PageError) -> HttpResponse {
    match error {
        PageError::Failed(error) => error.error_response(),
        PageError::SignInFirst { return_to } => HttpResponse::SeeOther()
            .insert_header(("location", return_to.as_str()))
            .finish(),
    }
}

/// The page for addresses without one.
pub async fn no_such_page() -> HttpResponse {
    ApiError::new(Code::NotFound, "There is nothing at this address.").error_response()
}
