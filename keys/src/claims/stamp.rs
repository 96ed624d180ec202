//! The claims of a stamp: for whom a copy of a kit was made.

use serde::{Deserialize, Serialize};

use crate::error::VerifyError;
use crate::jws::{self, DocumentType};
use crate::signing::PublicKeys;

/// The claims of the stamp in a downloaded archive.
///
/// It holds ids, no names and no addresses, and never ends: who got this copy stays true. It is
/// signed with a key for artifacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampClaims {
    /// The id of the installation that signed; not a URL.
    pub iss: String,
    /// The kit's slug.
    pub aud: String,
    /// The license's id.
    pub sub: String,
    /// Since when the license could have this copy, in Unix seconds.
    pub iat: i64,
    /// Different for each license and file; deliveries are recorded with it.
    pub nonce: String,
    /// The customer's id.
    pub customer: String,
    /// The id of the order that the license came from.
    pub order: Option<String>,
    /// The version of the license text that was agreed to.
    pub license_text: Option<LicenseTextClaims>,
    /// The archive without the stamp.
    pub artifact: StampedClaims,
}

/// A version of a license text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseTextClaims {
    /// What the text is called.
    pub name: String,
    /// Its number.
    pub version: i64,
}

/// An archive that was stamped, as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampedClaims {
    /// The file's name.
    pub name: String,
    /// The release's version, as in Semantic Versioning 2.0.0.
    pub version: String,
    /// Its SHA-256 (FIPS 180-4), 64 hexadecimal digits.
    pub sha256: String,
}

/// Verifies the signature of a stamp and who issued it.
///
/// # Errors
///
/// Those of [`jws::verify`], then [`VerifyError::WrongIssuer`].
pub fn verify_stamp(
    token: &str,
    keys: &PublicKeys,
    issuer: Option<&str>,
) -> Result<StampClaims, VerifyError> {
    let claims: StampClaims = jws::verify(token, DocumentType::Stamp, keys)?;
    if issuer.is_some_and(|issuer| issuer != claims.iss) {
        return Err(VerifyError::WrongIssuer);
    }
    Ok(claims)
}
