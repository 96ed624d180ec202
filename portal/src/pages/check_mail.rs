//! Signing in, second step: the code from the mail.

use askama::Template;

use crate::frame::Frame;

/// The answer to `POST /sign-in`: check your mail; its form POSTs `code` to `/sign-in/code`.
///
/// It says the same for every address, known or not.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/check_mail.html")]
pub struct CheckMailPage {
    /// What stands around the page.
    pub frame: Frame,
    /// Where the mail went.
    pub email: String,
    /// Why the code was not taken.
    pub error: Option<String>,
}

impl CheckMailPage {
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
            email: "buyer@example.com".to_owned(),
            error: None,
        }
    }

    /// The page after a wrong code.
    pub fn sample_error() -> Self {
        Self {
            error: Some(
                "That code is not the one from the newest mail. Check it, or ask for a new mail."
                    .to_owned(),
            ),
            ..Self::sample()
        }
    }
}
