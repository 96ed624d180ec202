//! The claims of the key ring, and the reader that follows it from version to version.

use serde::{Deserialize, Serialize};

use crate::error::VerifyError;
use crate::jws::{self, DocumentType};
use crate::signing::{Jwk, Jwks, PublicKeys};

/// The claims of the key ring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRingClaims {
    /// The id of the installation that signed; not a URL.
    pub iss: String,
    /// When it was signed, in Unix seconds.
    pub iat: i64,
    /// When it ends, in Unix seconds; from this second on it no longer counts.
    pub exp: i64,
    /// Grows with every change of the ring; a later ring has a higher one.
    pub version: u64,
    /// Every key whose signatures may still be met, compromised ones too; as in `jwks.json`.
    pub keys: Vec<Jwk>,
}

/// What the reader expects of a key ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedRing<'a> {
    /// The installation's id, where the reader knows it.
    pub issuer: Option<&'a str>,
    /// The present time in Unix seconds.
    pub now: i64,
    /// By how many seconds the two clocks may differ; below 0 counts as 0.
    pub leeway: i64,
}

/// The key ring as a reader knows it: the keys it trusts, and how new they are.
#[derive(Debug, Clone, Default)]
pub struct KnownRing {
    version: u64,
    keys: PublicKeys,
}

impl KnownRing {
    /// What the reader kept: the version and the keys of the ring it accepted last, or 0 and the
    /// list that was shipped with the kit.
    pub fn new(version: u64, keys: PublicKeys) -> Self {
        Self { version, keys }
    }

    /// Its version; 0 for a list that was shipped.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The keys to verify documents and license keys with.
    pub fn keys(&self) -> &PublicKeys {
        &self.keys
    }

    /// Verifies a fetched ring with the root keys of this one, and returns it to be kept in this
    /// one's place. After a refusal the reader goes on with what it knows.
    ///
    /// # Errors
    ///
    /// Those of [`jws::verify`], then the first of [`VerifyError::WrongIssuer`],
    /// [`VerifyError::IssuedInFuture`], [`VerifyError::Expired`], [`VerifyError::OlderVersion`],
    /// [`VerifyError::MalformedClaims`] where a listed key is none.
    pub fn follow(&self, token: &str, expected: &ExpectedRing<'_>) -> Result<Self, VerifyError> {
        let claims: KeyRingClaims = jws::verify(token, DocumentType::KeyRing, &self.keys)?;
        claims.check(expected)?;
        if claims.version < self.version {
            return Err(VerifyError::OlderVersion);
        }
        let version = claims.version;
        let keys = PublicKeys::from_jwks(&Jwks { keys: claims.keys });
        keys.map(|keys| Self { version, keys })
            .map_err(|error| VerifyError::MalformedClaims {
                reason: error.to_string(),
            })
    }
}

impl KeyRingClaims {
    fn check(&self, expected: &ExpectedRing<'_>) -> Result<(), VerifyError> {
        let leeway = expected.leeway.max(0);
        if expected.issuer.is_some_and(|issuer| issuer != self.iss) {
            return Err(VerifyError::WrongIssuer);
        }
        if self.iat > expected.now.saturating_add(leeway) {
            return Err(VerifyError::IssuedInFuture);
        }
        if self.exp <= expected.now.saturating_sub(leeway) {
            return Err(VerifyError::Expired);
        }
        Ok(())
    }
}
