//! What a seat is identified by.

use crate::db::types::{text_enum, typed_id};
use crate::kits::model::{SeatKind, has_control};

typed_id!(
    /// One occupied seat.
    ActivationId, "act"
);

text_enum! {
    /// Why a seat was freed.
    pub enum FreedReason {
        /// Somebody freed it.
        Freed = "freed",
        /// Its lease ended.
        LeaseEnded = "lease_ended",
        /// It was not seen for as long as the policy says.
        Unseen = "unseen",
        /// It was beyond a lowered limit when the time for choosing was over.
        OverLimit = "over_limit",
    }
}

/// Longest identity, in bytes.
pub const IDENTITY_MAX: usize = 256;
/// Longest name of a seat, in characters.
pub const NAME_MAX: usize = 100;

/// What occupies a seat, normalized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Kind.
    pub kind: SeatKind,
    /// Its text.
    pub text: String,
}

/// Why an identity is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// Nothing left after trimming.
    #[error("must not be empty")]
    Empty,
    /// Over [`IDENTITY_MAX`].
    #[error("must have at most 256 bytes")]
    TooLong,
    /// Control characters.
    #[error("must not hold control characters")]
    Control,
    /// A site that is no host name.
    #[error("must be a host name")]
    NotAHost,
}

impl Identity {
    /// Normalizes an identity: trimmed; a site loses scheme, `www.`, port and path, and is IDNA.
    pub fn new(kind: SeatKind, text: &str) -> Result<Self, IdentityFault> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IdentityFault::Empty);
        }
        if text.len() > IDENTITY_MAX {
            return Err(IdentityFault::TooLong);
        }
        if has_control(text) {
            return Err(IdentityFault::Control);
        }
        let text = match kind {
            SeatKind::Site => host(text).ok_or(IdentityFault::NotAHost)?,
            SeatKind::User => text.to_lowercase(),
            SeatKind::None | SeatKind::Device | SeatKind::Project => text.to_owned(),
        };
        Ok(Self { kind, text })
    }
}

fn host(text: &str) -> Option<String> {
    let with_scheme = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = url::Url::parse(&with_scheme).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    let bare = host.strip_prefix("www.").unwrap_or(host);
    (!bare.is_empty()).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_site_has_one_identity_however_it_is_written() {
        for form in [
            "Example.com",
            "https://www.example.com:8443/path",
            "example.com.",
            "WWW.EXAMPLE.COM",
        ] {
            assert_eq!(
                Identity::new(SeatKind::Site, form).unwrap().text,
                "example.com",
                "{form}"
            );
        }
        let idn = Identity::new(SeatKind::Site, "bücher.example").unwrap();
        assert_eq!(idn.text, "xn--bcher-kva.example");
    }

    #[test]
    fn identities_are_bounded() {
        let fault = |text: &str| Identity::new(SeatKind::Device, text).unwrap_err();
        assert_eq!(fault("  "), IdentityFault::Empty);
        assert_eq!(fault(&"x".repeat(257)), IdentityFault::TooLong);
        assert_eq!(fault("a\u{0}b"), IdentityFault::Control);
    }
}
