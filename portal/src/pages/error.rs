//! The page for anything that went wrong.

use askama::Template;

use crate::frame::{Frame, NavItem};

/// What happened, what to do, and a code for support.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/error.html")]
pub struct ErrorPage {
    /// What stands around the page.
    pub frame: Frame,
    /// HTTP status.
    pub status: u16,
    /// Heading.
    pub title: String,
    /// One or two sentences on what happened.
    pub what_happened: String,
    /// One or two sentences on what to do now.
    pub what_to_do: String,
    /// Code of the error, such as `NOT_FOUND`.
    pub code: String,
    /// Id of the request.
    pub request_id: String,
}

impl ErrorPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }

    /// A page that is not there.
    pub fn sample() -> Self {
        Self {
            frame: Frame {
                current: NavItem::None,
                ..Frame::sample()
            },
            status: 404,
            title: "This page is not here".to_owned(),
            what_happened: "The address may have a typing error, or what it showed was removed."
                .to_owned(),
            what_to_do: "Your licenses and downloads are all reachable from the home page."
                .to_owned(),
            code: "NOT_FOUND".to_owned(),
            request_id: "req_01jd3k7v9zexample".to_owned(),
        }
    }

    /// A server error, seen by someone who is not signed in.
    pub fn sample_signed_out() -> Self {
        Self {
            frame: Frame::sample_signed_out(),
            status: 503,
            title: "We cannot answer right now".to_owned(),
            what_happened: "The license server is too busy to answer. Nothing was changed."
                .to_owned(),
            what_to_do: "Try again in a minute.".to_owned(),
            code: "UNAVAILABLE".to_owned(),
            ..Self::sample()
        }
    }
}
