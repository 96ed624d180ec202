//! The claims of a checkpoint of the audit log.

use serde::{Deserialize, Serialize};

use crate::error::VerifyError;
use crate::jws::{self, DocumentType};
use crate::signing::PublicKeys;

/// The claims of a checkpoint: up to this entry, the audit log was this.
///
/// It names no kit and never ends: what was signed stays true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointClaims {
    /// The id of the installation that signed; not a URL.
    pub iss: String,
    /// When it was signed, in Unix seconds.
    pub iat: i64,
    /// Number of the newest entry it covers, from 1.
    pub seq: i64,
    /// SHA-256 of that entry and, through it, of all before: 64 hexadecimal digits, lower case.
    pub hash: String,
}

/// Verifies the signature of a checkpoint and who issued it.
///
/// # Errors
///
/// Those of [`jws::verify`], then [`VerifyError::WrongIssuer`].
pub fn verify_checkpoint(
    token: &str,
    keys: &PublicKeys,
    issuer: Option<&str>,
) -> Result<CheckpointClaims, VerifyError> {
    let claims: CheckpointClaims = jws::verify(token, DocumentType::Checkpoint, keys)?;
    if issuer.is_some_and(|issuer| issuer != claims.iss) {
        return Err(VerifyError::WrongIssuer);
    }
    Ok(claims)
}
