//! Digests under which the secrets of sign-ins and sessions are stored.

use secrecy::{ExposeSecret, SecretString};

use super::model::SignInId;
use crate::app::App;

/// Of the secret in a link.
pub(super) fn link_digest(app: &App, link: &SecretString) -> Vec<u8> {
    app.vault
        .digest("sign-in link", link.expose_secret().as_bytes())
}

/// Of a code, for one sign-in only: codes are short, so equal ones must not look alike.
pub(super) fn code_digest(app: &App, id: &SignInId, code: &SecretString) -> Vec<u8> {
    let purpose = format!("sign-in code {id}");
    app.vault.digest(&purpose, code.expose_secret().as_bytes())
}

/// Of the cookie of a browser that asked for a mail.
pub(super) fn browser_digest(app: &App, browser: &SecretString) -> Vec<u8> {
    app.vault
        .digest("sign-in browser", browser.expose_secret().as_bytes())
}

/// Of the cookie of a session.
pub(super) fn session_digest(app: &App, session: &SecretString) -> Vec<u8> {
    app.vault
        .digest("session", session.expose_secret().as_bytes())
}
