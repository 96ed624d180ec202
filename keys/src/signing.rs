//! Ed25519 keys (RFC 8032): what they may sign, where they stand in their life, how they are named.
//!
//! A key has one purpose for its whole life. Its state moves `published → active → retiring →
//! retired`, or to `compromised` from anywhere. Signatures stay good in every state but the last:
//! a reader's copy of the key set may be older than the server's, so `published` keys verify too.

mod key_set;
mod kid;
mod pem;
mod words;

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use zeroize::Zeroizing;

use crate::error::KeyError;

pub use key_set::{Jwk, Jwks, PublicKeys};
pub use kid::Kid;
pub use words::{KeyPurpose, KeyState};

/// A private Ed25519 key with its purpose; wiped from memory when dropped, never printed.
pub struct SigningKey {
    purpose: KeyPurpose,
    kid: Kid,
    key_id: [u8; 4],
    // Wipes its own bytes on drop (feature `zeroize`).
    inner: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Takes the 32 secret bytes of RFC 8032 section 5.1.5 (the seed, before hashing).
    pub fn from_bytes(purpose: KeyPurpose, secret: &[u8; 32]) -> Self {
        let inner = ed25519_dalek::SigningKey::from_bytes(secret);
        let (kid, key_id) = Kid::of(inner.verifying_key().as_bytes());
        Self {
            purpose,
            kid,
            key_id,
            inner,
        }
    }

    /// The 32 secret bytes, for wrapping; the copy is wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.inner.to_bytes())
    }

    /// The thumbprint of the public half.
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The first 4 bytes of the thumbprint, as written into license keys.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// What this key may sign.
    pub fn purpose(&self) -> KeyPurpose {
        self.purpose
    }

    /// The public half, in the given state.
    pub fn public(&self, state: KeyState) -> PublicKey {
        PublicKey {
            purpose: self.purpose,
            state,
            kid: self.kid.clone(),
            key_id: self.key_id,
            inner: self.inner.verifying_key(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.inner.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("purpose", &self.purpose)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// A public Ed25519 key with its purpose, state and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    purpose: KeyPurpose,
    state: KeyState,
    kid: Kid,
    key_id: [u8; 4],
    inner: VerifyingKey,
}

impl PublicKey {
    /// Takes the 32 bytes of RFC 8032 section 5.1.2.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidPublicKey`] where the bytes are no point, not its canonical encoding, or
    /// a point of small order (for which signatures prove nothing).
    pub fn new(purpose: KeyPurpose, state: KeyState, bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let Ok(inner) = VerifyingKey::from_bytes(bytes) else {
            return Err(KeyError::InvalidPublicKey);
        };
        let canonical = inner.to_edwards().compress().to_bytes() == *bytes;
        if inner.is_weak() || !canonical {
            return Err(KeyError::InvalidPublicKey);
        }
        let (kid, key_id) = Kid::of(bytes);
        Ok(Self {
            purpose,
            state,
            kid,
            key_id,
            inner,
        })
    }

    /// What the private half may sign.
    pub fn purpose(&self) -> KeyPurpose {
        self.purpose
    }

    /// Where the key stands in its life.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// The same key in another state.
    #[must_use]
    pub fn in_state(&self, state: KeyState) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    /// The thumbprint, which documents carry as `kid`.
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The first 4 bytes of the thumbprint, which license keys carry.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// The 32 bytes of the key.
    pub fn bytes(&self) -> &[u8; 32] {
        self.inner.as_bytes()
    }

    /// Whether nothing signed with this key counts any more.
    pub fn is_compromised(&self) -> bool {
        self.state == KeyState::Compromised
    }

    /// Strict verification: no small-order points, no second form of a signature.
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.inner.verify_strict(message, &signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_never_prints_its_secret() {
        let key = SigningKey::from_bytes(KeyPurpose::Document, &[0x5a; 32]);
        let printed = format!("{key:?}");
        assert!(printed.contains(key.kid().as_str()));
        assert!(!printed.contains("90, 90") && !printed.to_lowercase().contains("5a5a"));
    }

    #[test]
    fn the_secret_bytes_survive_the_round_trip() {
        let key = SigningKey::from_bytes(KeyPurpose::Root, &[9; 32]);
        assert_eq!(*key.to_bytes(), [9; 32]);
        let public = key.public(KeyState::Active);
        let again = PublicKey::new(KeyPurpose::Root, KeyState::Active, public.bytes());
        assert_eq!(again, Ok(public));
    }

    #[test]
    fn points_of_small_order_and_second_encodings_are_no_public_keys() {
        let mut identity = [0_u8; 32];
        identity[0] = 1;
        // y = p + 3, a second encoding of y = 3, which is a point of large order.
        let mut second_form = [0xff_u8; 32];
        second_form[0] = 0xf0;
        second_form[31] = 0x7f;
        let mut canonical_form = [0_u8; 32];
        canonical_form[0] = 3;
        let new = |bytes| PublicKey::new(KeyPurpose::Document, KeyState::Active, bytes);
        assert_eq!(new(&identity), Err(KeyError::InvalidPublicKey));
        assert!(new(&canonical_form).is_ok());
        assert_eq!(new(&second_form), Err(KeyError::InvalidPublicKey));
    }
}
