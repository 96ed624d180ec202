//! License keys: the text a buyer pastes into a kit.
//!
//! `kwl_` and 149 characters of base32 (RFC 4648 section 6, lower case, no padding) for 93 bytes:
//!
//! | Bytes | Holds |
//! |---|---|
//! | 0 | version, `0x01` |
//! | 1..5 | key id: the first 4 bytes of the signing key's thumbprint |
//! | 5..21 | random |
//! | 21..29 | MAC: HMAC-SHA256 cut to 8 bytes, for the server |
//! | 29..93 | Ed25519 signature, for readers without the MAC key |
//!
//! The signature covers `"kitward license key v1" ‖ prefix ‖ body`, where the body is bytes 0..21;
//! the MAC covers the same and then the signature, so that a server notices any changed character
//! before it looks the key up. A reader without a server verifies the signature.

mod cleaning;

pub use cleaning::clean;

use data_encoding::{BASE32_NOPAD, DecodeKind};
use subtle::Choice;
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{ParseKeyError, SignError, VerifyError};
use crate::mac::{MacKey, SHORT_MAC_LEN};
use crate::signing::{KeyPurpose, PublicKeys, SigningKey};

/// The most bytes of text that [`LicenseKey::parse`] looks at; a key with a hyphen and a
/// zero-width character after each of its own is still shorter.
pub const MAX_TEXT_BYTES: usize = 1024;

const CONTEXT: &[u8] = b"kitward license key v1";
const VERSION: u8 = 1;
const BODY_LEN: usize = 21;
const SIGNATURE_LEN: usize = 64;
const KEY_LEN: usize = BODY_LEN + SHORT_MAC_LEN + SIGNATURE_LEN;
const ENCODED_LEN: usize = (KEY_LEN * 8).div_ceil(5);
const HINT_LEN: usize = 6;

/// The word before the underscore: `kwl`, or the vendor's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// Reads a prefix.
    ///
    /// # Errors
    ///
    /// [`ParseKeyError::InvalidPrefix`] unless it is 2 to 12 characters of `a-z` and `0-9`.
    pub fn parse(text: &str) -> Result<Self, ParseKeyError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if (2..=12).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseKeyError::InvalidPrefix)
        }
    }

    /// The word, without the underscore.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for KeyPrefix {
    fn default() -> Self {
        Self("kwl".to_owned())
    }
}

impl std::fmt::Display for KeyPrefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for KeyPrefix {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        Self::parse(text)
    }
}

/// A license key that is well formed; whether it is genuine, MAC or signature must say.
#[derive(Clone)]
pub struct LicenseKey {
    prefix: KeyPrefix,
    body: Zeroizing<[u8; BODY_LEN]>,
    mac: [u8; SHORT_MAC_LEN],
    signature: [u8; SIGNATURE_LEN],
}

impl LicenseKey {
    /// Makes a key from 16 random bytes.
    ///
    /// # Errors
    ///
    /// [`SignError::WrongPurpose`] where `signing` is no key for license keys.
    pub fn issue(
        prefix: &KeyPrefix,
        signing: &SigningKey,
        mac: &MacKey,
        random: [u8; 16],
    ) -> Result<Self, SignError> {
        if signing.purpose() != KeyPurpose::LicenseKey {
            return Err(SignError::WrongPurpose);
        }
        let mut body = Zeroizing::new([0; BODY_LEN]);
        let fields = [VERSION].into_iter().chain(signing.key_id()).chain(random);
        body.iter_mut()
            .zip(fields)
            .for_each(|(to, from)| *to = from);
        let covered = covered_parts(prefix, &body);
        let signature = signing.sign(&Zeroizing::new(covered.concat()));
        let mac = mac.short_mac(&[&covered.concat(), &signature]);
        Ok(Self {
            prefix: prefix.clone(),
            body,
            mac,
            signature,
        })
    }

    /// Reads a key as people paste it: case, white space, hyphens, quotes and zero-width
    /// characters do not matter. Everything else must be exactly the text that was issued.
    ///
    /// # Errors
    ///
    /// [`ParseKeyError`], which says what to look for in the pasted text.
    pub fn parse(text: &str, prefix: &KeyPrefix) -> Result<Self, ParseKeyError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(ParseKeyError::TooLong);
        }
        let cleaned = Zeroizing::new(cleaning::clean(text));
        let encoded = cleaned
            .strip_prefix(prefix.as_str())
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(ParseKeyError::WrongPrefix)?;
        Self::from_encoded(encoded, prefix)
    }

    fn from_encoded(encoded: &str, prefix: &KeyPrefix) -> Result<Self, ParseKeyError> {
        if encoded.chars().count() != ENCODED_LEN {
            return Err(ParseKeyError::BadLength);
        }
        if !encoded.is_ascii() {
            return Err(ParseKeyError::BadCharacter);
        }
        let upper = Zeroizing::new(encoded.to_ascii_uppercase());
        let decoded = BASE32_NOPAD
            .decode(upper.as_bytes())
            .map_err(|error| match error.kind {
                DecodeKind::Trailing => ParseKeyError::TrailingBits,
                DecodeKind::Length => ParseKeyError::BadLength,
                DecodeKind::Symbol | DecodeKind::Padding => ParseKeyError::BadCharacter,
            });
        let decoded = Zeroizing::new(decoded?);
        let key = Self::split(&decoded, prefix).ok_or(ParseKeyError::BadLength)?;
        if key.body.first() == Some(&VERSION) {
            Ok(key)
        } else {
            Err(ParseKeyError::UnknownVersion)
        }
    }

    fn split(decoded: &[u8], prefix: &KeyPrefix) -> Option<Self> {
        let (body, rest) = decoded.split_first_chunk::<BODY_LEN>()?;
        let (mac, signature) = rest.split_first_chunk::<SHORT_MAC_LEN>()?;
        Some(Self {
            prefix: prefix.clone(),
            body: Zeroizing::new(*body),
            mac: *mac,
            signature: signature.try_into().ok()?,
        })
    }

    /// Whether one of the live MAC keys made this key; takes the same time whichever it is.
    ///
    /// The MAC covers the signature too, so that any changed character is noticed without a look-up.
    pub fn has_valid_mac(&self, macs: &[MacKey]) -> bool {
        let covered = Zeroizing::new(covered_parts(&self.prefix, &self.body).concat());
        let parts = [&covered[..], &self.signature];
        let none = Choice::from(0);
        macs.iter()
            .fold(none, |any, mac| any | mac.matches(&parts, self.mac))
            .into()
    }

    /// Verifies the signature, without a server.
    ///
    /// # Errors
    ///
    /// [`VerifyError::UnknownKey`] where no key for license keys has this key id,
    /// [`VerifyError::KeyCompromised`] where only compromised ones have it,
    /// [`VerifyError::BadSignature`] otherwise.
    pub fn verify(&self, keys: &PublicKeys) -> Result<(), VerifyError> {
        let message = Zeroizing::new(covered_parts(&self.prefix, &self.body).concat());
        let mut refusal = VerifyError::UnknownKey;
        // Four bytes may name more than one key.
        let named = keys
            .iter()
            .filter(|key| key.purpose() == KeyPurpose::LicenseKey && key.key_id() == self.key_id());
        for key in named {
            if key.is_compromised() {
                if refusal == VerifyError::UnknownKey {
                    refusal = VerifyError::KeyCompromised;
                }
            } else if key.accepts(&message, &self.signature) {
                return Ok(());
            } else {
                refusal = VerifyError::BadSignature;
            }
        }
        Err(refusal)
    }

    /// The full text, `kwl_…`, in its canonical form; the copy is wiped when dropped.
    pub fn reveal(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([&*self.body, &self.mac[..], &self.signature[..]].concat());
        let mut encoded = BASE32_NOPAD.encode(&bytes);
        encoded.make_ascii_lowercase();
        let text = Zeroizing::new(format!("{}_{encoded}", self.prefix));
        encoded.zeroize();
        text
    }

    /// `prefix ‖ body`, what [`lookup_digest`](crate::lookup_digest) covers.
    pub fn lookup_input(&self) -> Vec<u8> {
        [self.prefix.as_str().as_bytes(), &self.body[..]].concat()
    }

    /// The last 6 characters of the text, by which people tell their keys apart.
    pub fn hint(&self) -> String {
        let text = self.reveal();
        text.chars()
            .skip(text.len().saturating_sub(HINT_LEN))
            .collect()
    }

    /// Which signing key made this key: the first 4 bytes of its thumbprint.
    pub fn key_id(&self) -> [u8; 4] {
        let [_, a, b, c, d, ..] = *self.body;
        [a, b, c, d]
    }

    /// The word before the underscore.
    pub fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }
}

impl std::fmt::Debug for LicenseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LicenseKey([redacted])")
    }
}

fn covered_parts<'a>(prefix: &'a KeyPrefix, body: &'a [u8; BODY_LEN]) -> [&'a [u8]; 3] {
    [CONTEXT, prefix.as_str().as_bytes(), body]
}

#[cfg(test)]
mod tests;
