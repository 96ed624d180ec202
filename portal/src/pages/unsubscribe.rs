//! Switching mails off by the link in one of them, without signing in.

use askama::Template;

use crate::frame::Frame;
use crate::links;

/// `GET /unsubscribe/{token}`: a button; and the answer to it. Neither tells what the link names.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/unsubscribe.html")]
pub struct UnsubscribePage {
    /// What stands around the page.
    pub frame: Frame,
    /// What the link holds.
    pub token: String,
    /// Whether the button was pressed.
    pub is_done: bool,
}

impl UnsubscribePage {
    pub(crate) fn path(&self) -> String {
        format!("/unsubscribe/{}", links::encode(&self.token))
    }

    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    /// Before the button.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample_signed_out(),
            token: "sample-token".to_owned(),
            is_done: false,
        }
    }

    /// After it.
    pub fn sample_done() -> Self {
        Self {
            is_done: true,
            ..Self::sample()
        }
    }
}
