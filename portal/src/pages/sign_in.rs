//! Signing in, first step: the mail address.

use askama::Template;

use crate::frame::Frame;

/// `GET /sign-in`: one mail field; its form POSTs `email` (and `return_to`) to `/sign-in`.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/sign_in.html")]
pub struct SignInPage {
    /// What stands around the page.
    pub frame: Frame,
    /// What was typed before, if the form is shown again.
    pub email: String,
    /// Why the address was not taken.
    pub error: Option<String>,
    /// Path to go to afterwards, as a hidden field.
    pub return_to: Option<String>,
}

impl SignInPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    /// The page as first seen.
    pub fn sample() -> Self {
        Self {
            frame: Frame {
                path: "/sign-in".to_owned(),
                ..Frame::sample_signed_out()
            },
            email: String::new(),
            error: None,
            return_to: Some("/downloads".to_owned()),
        }
    }

    /// The page after an address that cannot be one.
    pub fn sample_error() -> Self {
        Self {
            email: "buyer@example".to_owned(),
            error: Some(
                "That is not a complete mail address. Check the part after the @.".to_owned(),
            ),
            ..Self::sample()
        }
    }
}
