//! The mail that signs someone in: a link and a code.

use askama::Template;

use super::{Rendered, name, part, subject};
use crate::wording::{count, one_line};

/// Sent by `POST /sign-in` to an address that has an account.
#[derive(Debug, Clone)]
pub struct SignInMail {
    /// The vendor's name.
    pub vendor_name: String,
    /// The whole link, beginning with the portal's address.
    pub link: String,
    /// The code of 8 characters, for the browser that asked.
    pub code: String,
    /// Minutes for which both work.
    pub minutes: u32,
}

struct View {
    vendor: String,
    link: String,
    code: String,
    lifetime: String,
}

#[derive(Template)]
#[template(path = "mail/sign_in.txt", whitespace = "preserve")]
struct Text<'a> {
    mail: &'a View,
}

#[derive(Template)]
#[template(path = "mail/sign_in.html")]
struct Html<'a> {
    mail: &'a View,
}

impl SignInMail {
    /// Subject, text and HTML.
    pub fn render(&self) -> Rendered {
        let minutes = usize::try_from(self.minutes).unwrap_or(usize::MAX);
        let mail = &View {
            vendor: name(&self.vendor_name),
            link: one_line(&self.link),
            code: one_line(&self.code),
            lifetime: count(minutes, "minute", "minutes"),
        };
        Rendered {
            subject: subject(&format!("Sign in to {}", mail.vendor)),
            text: part(Text { mail }.render()),
            html: part(Html { mail }.render()),
        }
    }

    /// Sample values.
    pub fn sample() -> Self {
        Self {
            vendor_name: "Example Kits".to_owned(),
            link: "https://licenses.example.com/sign-in/link?token=sample-token".to_owned(),
            code: "7KQM4XTR".to_owned(),
            minutes: 10,
        }
    }
}
