//! Under which addresses an installation is reached.

use url::Url;

use super::App;

impl App {
    /// Address under which customers reach this installation.
    pub fn public_url(&self) -> &Url {
        &self.public_url
    }

    /// Host and port as a `Host` header carries them.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Scheme, host and port as an `Origin` header carries them.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Absolute address of a path (which starts with `/`).
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }
}

pub(super) fn authority_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
