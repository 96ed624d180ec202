//! Signing in by the mailed link: the page that it opens.

use askama::Template;

use crate::frame::Frame;

/// What the mailed link shows: nothing has changed yet, so that mail scanners may open it.
///
/// Its button POSTs the hidden field `token` to `/sign-in/link`. With an error the way on is a new
/// mail, and there is no button to sign in.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/confirm_sign_in.html")]
pub struct ConfirmSignInPage {
    /// What stands around the page.
    pub frame: Frame,
    /// The token of the link.
    pub token: String,
    /// The address signed in with, possibly shortened, such as `b…r@example.com`.
    pub email_hint: String,
    /// Why the link cannot be used.
    pub error: Option<String>,
}

impl ConfirmSignInPage {
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
            token: "sample-token".to_owned(),
            email_hint: "b…r@example.com".to_owned(),
            error: None,
        }
    }

    /// The page for a link that was used before.
    pub fn sample_error() -> Self {
        Self {
            error: Some("This link was used already, or its ten minutes are over.".to_owned()),
            ..Self::sample()
        }
    }
}
