//! Kinds of derived tokens, where they may be used, and from where.

use url::{Host, Url};

use crate::clock::Timestamp;
use crate::db::types::{text_enum, typed_id};
use crate::secrets::TokenKind;

typed_id!(
    /// A token derived from a license key.
    LicenseTokenId, "ltk"
);

text_enum! {
    /// What a derived token is for.
    pub enum DerivedKind {
        /// Builds: works wherever the key does, takes no seat.
        Ci = "ci",
        /// Downloads and update checks.
        Download = "download",
        /// Browser kits: validation from registered origins. No secret.
        Publishable = "publishable",
    }
}

impl DerivedKind {
    /// The kind of its text.
    pub fn token_kind(self) -> TokenKind {
        match self {
            Self::Ci => TokenKind::Ci,
            Self::Download => TokenKind::Download,
            Self::Publishable => TokenKind::Publishable,
        }
    }

    /// The derived kind of a text's kind.
    pub fn of(kind: TokenKind) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|derived| derived.token_kind() == kind)
    }

    /// Whether it opens a door.
    pub fn opens(self, door: Door<'_>) -> bool {
        match (self, door) {
            (Self::Ci, _)
            | (Self::Download, Door::Downloads)
            | (Self::Publishable, Door::Validate { .. }) => true,
            (Self::Download, Door::Validate { .. } | Door::Seats)
            | (Self::Publishable, Door::Seats | Door::Downloads) => false,
        }
    }
}

/// What a credential is presented for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door<'a> {
    /// Looking at the license, from this web page.
    Validate {
        /// `Origin` of the request.
        origin: Option<&'a str>,
    },
    /// Taking and giving back seats, and license files.
    Seats,
    /// Files, listings, update checks.
    Downloads,
}

/// The token by which a license was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// Its id.
    pub token: LicenseTokenId,
    /// What it is for.
    pub kind: DerivedKind,
}

/// Whether a token works at a moment, its key and license apart.
pub fn is_live(
    now: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
) -> bool {
    revoked_at.is_none() && expires_at.is_none_or(|end| now < end)
}

/// Longest origin, in bytes.
const ORIGIN_MAX: usize = 300;

/// An origin as browsers send it; `None` for anything that is none, or that a network could forge:
/// plain http is for this machine.
pub fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= ORIGIN_MAX)?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let anonymous = url.username().is_empty() && url.password().is_none();
    let safe = match (url.scheme(), url.host()?) {
        ("https", _) => true,
        ("http", Host::Domain(name)) => name == "localhost",
        ("http", Host::Ipv4(address)) => address.is_loopback(),
        ("http", Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    (bare && anonymous && safe).then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_opens_its_own_doors() {
        let look = Door::Validate { origin: None };
        let doors =
            |kind: DerivedKind| [look, Door::Seats, Door::Downloads].map(|it| kind.opens(it));
        assert_eq!(doors(DerivedKind::Ci), [true, true, true]);
        assert_eq!(doors(DerivedKind::Download), [false, false, true]);
        assert_eq!(doors(DerivedKind::Publishable), [true, false, false]);
        for kind in DerivedKind::ALL {
            assert_eq!(DerivedKind::of(kind.token_kind()), Some(*kind));
        }
        assert_eq!(DerivedKind::of(TokenKind::Management), None);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, wanted) in [
            ("https://Example.com", "https://example.com"),
            ("https://example.com:443/", "https://example.com"),
            ("https://example.com:8443", "https://example.com:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(origin(text).as_deref(), Some(wanted), "{text}");
        }
        let long = format!("https://{}.example", "a.".repeat(200));
        for bad in [
            "null",
            "*",
            "",
            "example.com",
            "https://example.com/x",
            "https://example.com/?x",
            "https://example.com/#x",
            "https://me@example.com",
            "http://example.com",
            "http://localhost.example.com",
            "file:///x",
            "data:,x",
            &long,
        ] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
