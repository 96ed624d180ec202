//! Our cookies: their names, their attributes, and reading them.
//!
//! `__Host-` and `Secure` where browsers honor them: https and `http://localhost`. Other plain-http
//! addresses are loopback ones (the configuration refuses the rest); there the names are bare.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::app::App;
use crate::people::model::{SESSION_DAYS, is_secret};

/// A cookie that holds a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretCookie {
    /// Who is signed in.
    Session,
    /// Which browser asked for a sign-in mail.
    Browser,
}

impl SecretCookie {
    fn seconds(self) -> i64 {
        match self {
            Self::Session => SESSION_DAYS * 24 * 60 * 60,
            Self::Browser => 60 * 60,
        }
    }

    /// Its name at this address.
    pub fn name(self, public_url: &Url) -> &'static str {
        match (self, is_secure(public_url)) {
            (Self::Session, true) => "__Host-kitward_session",
            (Self::Session, false) => "kitward_session",
            (Self::Browser, true) => "__Host-kitward_browser",
            (Self::Browser, false) => "kitward_browser",
        }
    }

    /// The secret a request brings; `None` too for what we never made.
    pub fn read(self, app: &App, request: &HttpRequest) -> Option<SecretString> {
        let cookie = request.cookie(self.name(app.public_url()))?;
        let value = cookie.value();
        is_secret(value).then(|| SecretString::from(value.to_owned()))
    }

    /// The cookie to send.
    pub fn set(self, app: &App, secret: &SecretString) -> Cookie<'static> {
        let value = secret.expose_secret().to_owned();
        build(app, self.name(app.public_url()), value, self.seconds())
    }

    /// The cookie that takes it away.
    pub fn remove(self, app: &App) -> Cookie<'static> {
        build(app, self.name(app.public_url()), String::new(), 0)
    }
}

/// Name of the cookie that keeps the theme.
pub const THEME: &str = "kitward_theme";

/// The cookie that keeps a theme for a year.
pub fn theme(app: &App, value: &'static str) -> Cookie<'static> {
    build(app, THEME, value.to_owned(), 365 * 24 * 60 * 60)
}

fn build(app: &App, name: &'static str, value: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(name, value)
        .path("/")
        .http_only(true)
        .secure(is_secure(app.public_url()))
        .same_site(SameSite::Lax)
        .max_age(Duration::seconds(seconds))
        .finish()
}

/// Whether browsers take `Secure` cookies from this address.
fn is_secure(public_url: &Url) -> bool {
    match public_url.scheme() {
        "https" => true,
        _ => public_url.host_str() == Some("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_the_host_prefix_where_browsers_honor_it() {
        let name = |url: &str| SecretCookie::Session.name(&Url::parse(url).unwrap());
        for good in [
            "https://kits.example.com",
            "http://localhost:8080",
            "https://127.0.0.1",
        ] {
            assert_eq!(name(good), "__Host-kitward_session", "{good}");
        }
        for bare in [
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "http://kits.localhost",
        ] {
            assert_eq!(name(bare), "kitward_session", "{bare}");
        }
        let local = Url::parse("http://localhost:8080").unwrap();
        assert_eq!(SecretCookie::Browser.name(&local), "__Host-kitward_browser");
    }
}
