//! What signed documents say (RFC 7519 claims and the project's own), and how it is checked.
//!
//! Times are whole Unix seconds in `iat` and `exp`, and RFC 3339 texts in UTC elsewhere. Members
//! unknown to this version are ignored when read; a newer server may send more.

mod check;
mod checkpoint;
mod key_ring;
mod stamp;
mod update;
mod values;

use serde::{Deserialize, Serialize};

use crate::error::VerifyError;
use crate::jws::{self, DocumentType};
use crate::signing::PublicKeys;
use check::Registered;

pub use check::Expected;
pub use checkpoint::{CheckpointClaims, verify_checkpoint};
pub use key_ring::{ExpectedRing, KeyRingClaims, KnownRing};
pub use stamp::{LicenseTextClaims, StampClaims, StampedClaims, verify_stamp};
pub use update::{ArtifactClaims, ReleaseClaims, UpdateClaims, verify_update};
pub use values::{Audience, Scope};

/// The claims of a license file or a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentClaims {
    /// The id of the installation that signed; not a URL.
    pub iss: String,
    /// The kit's slug, and the alias under which it was asked for.
    pub aud: Audience,
    /// The license's id, or `-` where none was found.
    pub sub: String,
    /// When it was signed, in Unix seconds.
    pub iat: i64,
    /// When it ends, in Unix seconds; from this second on it no longer counts.
    pub exp: i64,
    /// What the caller sent to bind the answer to the question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The document's own id, different for each.
    pub jti: String,
    /// The verdict's code, such as `VALID` or `EXPIRED`; more may be added.
    pub code: String,
    /// Whether the kit may run; what readers branch on.
    pub valid: bool,
    /// The license, where one was found.
    pub license: Option<LicenseClaims>,
    /// The seat, where one is occupied.
    pub activation: Option<ActivationClaims>,
}

/// A license as signed documents show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenseClaims {
    /// The license's id.
    pub id: String,
    /// The last 6 characters of the key that was shown.
    pub key_hint: String,
    /// The edition's name, as the buyer knows it.
    pub edition: String,
    /// `pending`, `active`, `grace`, `lapsed`, `expired`, `suspended`, `revoked` or `merged`.
    pub status: String,
    /// Which kits it covers.
    pub scope: Scope,
    /// Until when the kit may be used, RFC 3339 in UTC; none for ever.
    pub valid_until: Option<String>,
    /// What was released up to this time may be downloaded, RFC 3339 in UTC; none for all.
    pub updates_until: Option<String>,
    /// Names of the features it includes.
    pub entitlements: Vec<String>,
    /// Seats in use and allowed.
    pub seats: SeatsClaims,
}

/// The seats of a license.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsClaims {
    /// What a seat is: `none`, `device`, `site`, `user` or `project`.
    pub kind: String,
    /// How many are occupied, 0 or more.
    pub used: i64,
    /// How many there are; none for any number.
    pub limit: Option<i64>,
}

/// One occupied seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivationClaims {
    /// The activation's id.
    pub id: String,
    /// What the seat is: `device`, `site`, `user` or `project`.
    pub kind: String,
    /// The device, site, user or project, as the kit named it.
    pub identity: String,
}

impl DocumentClaims {
    /// Checks issuer, audience, times and nonce, in this order.
    ///
    /// # Errors
    ///
    /// The first of [`VerifyError::WrongIssuer`], [`VerifyError::WrongAudience`],
    /// [`VerifyError::IssuedInFuture`], [`VerifyError::Expired`], [`VerifyError::WrongNonce`].
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), VerifyError> {
        let registered = Registered {
            iss: &self.iss,
            aud: &self.aud,
            iat: self.iat,
            exp: self.exp,
            nonce: self.nonce.as_deref(),
        };
        registered.check(expected)
    }
}

/// Verifies the signature of a license file or verdict and checks its claims.
///
/// `typ` is `License` or `Verdict`; manifests have [`verify_update`]. The claims of a refusal
/// (`valid: false`) verify too: look at [`DocumentClaims::valid`].
///
/// # Errors
///
/// Those of [`jws::verify`], then those of [`DocumentClaims::check`].
pub fn verify_document(
    token: &str,
    typ: DocumentType,
    keys: &PublicKeys,
    expected: &Expected<'_>,
) -> Result<DocumentClaims, VerifyError> {
    let claims: DocumentClaims = jws::verify(token, typ, keys)?;
    claims.check(expected)?;
    Ok(claims)
}
