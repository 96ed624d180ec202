//! Sets of public keys and their published form, `jwks.json` (RFC 7517).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{KeyPurpose, KeyState, Kid, PublicKey};
use crate::base64url;
use crate::error::KeyError;

const KEY_TYPE: &str = "OKP";
const CURVE: &str = "Ed25519";
const USE: &str = "sig";
const ALGORITHM: &str = "EdDSA";

/// A set of public keys that the caller trusts; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct PublicKeys(Arc<[PublicKey]>);

impl PublicKeys {
    /// Takes the keys in order. A key listed more than once stays once, where it stood first, and
    /// is compromised if any of its entries says so.
    pub fn new(keys: Vec<PublicKey>) -> Self {
        let mut unique: Vec<PublicKey> = Vec::with_capacity(keys.len());
        for key in keys {
            match unique.iter_mut().find(|known| known.kid == key.kid) {
                Some(known) if key.is_compromised() => known.state = KeyState::Compromised,
                Some(_) => {}
                None => unique.push(key),
            }
        }
        Self(unique.into())
    }

    /// The key of this name.
    pub fn find(&self, kid: impl AsRef<str>) -> Option<&PublicKey> {
        let kid = kid.as_ref();
        self.0.iter().find(|key| key.kid.as_str() == kid)
    }

    /// Every key, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, PublicKey> {
        self.0.iter()
    }

    /// How many keys the set holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set holds no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The published form.
    pub fn to_jwks(&self) -> Jwks {
        Jwks {
            keys: self.iter().map(Jwk::from).collect(),
        }
    }

    /// Reads the published form. Entries of another key type, curve, use, algorithm, purpose or
    /// state than this version knows are passed over (RFC 7517 section 5), so that an older reader
    /// keeps working with a newer server; what they signed is then refused as of an unknown key.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidPublicKey`] where `x` is no usable key, [`KeyError::KidMismatch`] where
    /// `kid` is not its thumbprint.
    pub fn from_jwks(jwks: &Jwks) -> Result<Self, KeyError> {
        let mut keys = Vec::with_capacity(jwks.keys.len());
        for jwk in &jwks.keys {
            if let Some((purpose, state)) = jwk.understood() {
                keys.push(jwk.to_public_key(purpose, state)?);
            }
        }
        Ok(Self::new(keys))
    }
}

impl<'a> IntoIterator for &'a PublicKeys {
    type Item = &'a PublicKey;
    type IntoIter = std::slice::Iter<'a, PublicKey>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// A JSON Web Key Set (RFC 7517 section 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys; unknown members beside this one are ignored when read.
    pub keys: Vec<Jwk>,
}

/// One key of a JSON Web Key Set (RFC 7517 section 4, RFC 8037 section 2); members that are
/// missing when read become empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Jwk {
    /// Key type, `OKP`.
    pub kty: String,
    /// Curve, `Ed25519`.
    pub crv: String,
    /// The public key's 32 bytes in base64url.
    pub x: String,
    /// The key's RFC 7638 thumbprint.
    pub kid: String,
    /// Use, `sig`.
    #[serde(rename = "use")]
    pub key_use: String,
    /// Algorithm, `EdDSA`.
    pub alg: String,
    /// What the key signs: `license_key`, `document`, `artifact` or `root`.
    pub kitward_purpose: String,
    /// `published`, `active`, `retiring`, `retired` or `compromised`.
    pub kitward_state: String,
}

impl Jwk {
    /// Purpose and state, where this version knows the kind of key.
    fn understood(&self) -> Option<(KeyPurpose, KeyState)> {
        let kind = [&self.kty, &self.crv, &self.key_use, &self.alg];
        if kind != [KEY_TYPE, CURVE, USE, ALGORITHM] {
            return None;
        }
        Some((
            self.kitward_purpose.parse().ok()?,
            self.kitward_state.parse().ok()?,
        ))
    }

    fn to_public_key(&self, purpose: KeyPurpose, state: KeyState) -> Result<PublicKey, KeyError> {
        let bytes = base64url::decode_exactly(&self.x).ok_or(KeyError::InvalidPublicKey)?;
        let key = PublicKey::new(purpose, state, &bytes)?;
        if Kid::parse(&self.kid)? == key.kid {
            Ok(key)
        } else {
            Err(KeyError::KidMismatch)
        }
    }
}

impl From<&PublicKey> for Jwk {
    fn from(key: &PublicKey) -> Self {
        Self {
            kty: KEY_TYPE.to_owned(),
            crv: CURVE.to_owned(),
            x: base64url::encode(key.bytes()),
            kid: key.kid.to_string(),
            key_use: USE.to_owned(),
            alg: ALGORITHM.to_owned(),
            kitward_purpose: key.purpose.to_string(),
            kitward_state: key.state.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::SigningKey;
    use super::*;

    fn public(seed: u8, state: KeyState) -> PublicKey {
        SigningKey::from_bytes(KeyPurpose::Document, &[seed; 32]).public(state)
    }

    #[test]
    fn a_key_set_survives_the_round_trip_through_json() -> Result<(), Box<dyn std::error::Error>> {
        let keys = PublicKeys::new(vec![
            public(1, KeyState::Active),
            public(2, KeyState::Retired),
        ]);
        let json = serde_json::to_string(&keys.to_jwks())?;
        let again = PublicKeys::from_jwks(&serde_json::from_str(&json)?)?;
        assert!(again.iter().eq(keys.iter()));
        Ok(())
    }

    #[test]
    fn entries_of_an_unknown_kind_are_passed_over() -> Result<(), Box<dyn std::error::Error>> {
        let mut jwks = PublicKeys::new(vec![public(1, KeyState::Active)]).to_jwks();
        let known = jwks.keys.clone();
        for (member, word) in [
            ("kitward_purpose", "telemetry"),
            ("crv", "Ed448"),
            ("use", "enc"),
        ] {
            let mut json = serde_json::to_value(&known)?;
            json[0][member] = word.into();
            jwks.keys.extend(serde_json::from_value::<Vec<Jwk>>(json)?);
        }
        jwks.keys.extend(serde_json::from_str::<Vec<Jwk>>(
            r#"[{"kty":"RSA","n":"AQAB"}]"#,
        )?);
        assert_eq!(jwks.keys.len(), 5);
        assert_eq!(PublicKeys::from_jwks(&jwks)?.len(), 1);
        Ok(())
    }

    #[test]
    fn a_kid_that_is_not_the_thumbprint_is_refused() {
        let mut jwks = PublicKeys::new(vec![public(1, KeyState::Active)]).to_jwks();
        let other = public(2, KeyState::Active).kid.to_string();
        jwks.keys
            .iter_mut()
            .for_each(|jwk| jwk.kid.clone_from(&other));
        assert_eq!(
            PublicKeys::from_jwks(&jwks).err(),
            Some(KeyError::KidMismatch)
        );
    }

    #[test]
    fn a_key_listed_twice_is_compromised_if_either_entry_says_so() {
        for states in [
            [KeyState::Active, KeyState::Compromised],
            [KeyState::Compromised, KeyState::Active],
        ] {
            let keys = PublicKeys::new(states.map(|state| public(1, state)).to_vec());
            assert_eq!(keys.len(), 1);
            assert!(
                keys.find(public(1, KeyState::Active).kid())
                    .is_some_and(PublicKey::is_compromised)
            );
        }
    }
}
