//! How a key is named: its RFC 7638 thumbprint.

use sha2::{Digest as _, Sha256};

use crate::base64url;
use crate::error::KeyError;

/// A key's name: the SHA-256 thumbprint of its JWK (RFC 7638, RFC 8037), 43 base64url characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kid(String);

impl Kid {
    /// Reads a thumbprint.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidKid`] unless the text is the canonical base64url of 32 bytes.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        match base64url::decode_exactly::<32>(text) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(KeyError::InvalidKid),
        }
    }

    /// The text, as in a document's header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The thumbprint of a public key, and its first 4 bytes.
    pub(super) fn of(public: &[u8; 32]) -> (Self, [u8; 4]) {
        // RFC 7638 section 3: the required members only, in this order, without white space.
        let point = base64url::encode(public);
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{point}"}}"#);
        let thumbprint: [u8; 32] = Sha256::digest(jwk).into();
        let [a, b, c, d, ..] = thumbprint;
        (Self(base64url::encode(&thumbprint)), [a, b, c, d])
    }
}

impl AsRef<str> for Kid {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Kid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Kid {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let kid = base64url::decode_exactly(x).map(|bytes| Kid::of(&bytes));
        let expected = Kid("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".to_owned());
        assert_eq!(kid, Some((expected, [0x90, 0xfa, 0xca, 0xfe])));
    }

    #[test]
    fn a_thumbprint_has_one_text_only() {
        let text = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        assert!(Kid::parse(text).is_ok_and(|kid| kid.to_string() == text));
        let trailing_bits = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4l";
        for wrong in [
            "",
            "kPrK",
            trailing_bits,
            "kPrK/qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ] {
            assert_eq!(Kid::parse(wrong), Err(KeyError::InvalidKid), "{wrong}");
        }
    }
}
