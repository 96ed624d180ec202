//! The claims of an update manifest.

use serde::{Deserialize, Serialize};

use super::check::{Expected, Registered};
use super::values::Audience;
use crate::error::VerifyError;
use crate::jws::{self, DocumentType};
use crate::signing::PublicKeys;

/// The claims of an update manifest; "there is no update" is signed too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateClaims {
    /// The id of the installation that signed; not a URL.
    pub iss: String,
    /// The kit's slug, and the alias under which it was asked for.
    pub aud: Audience,
    /// The license's id, or `-` where none was shown.
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
    /// Whether `release` is newer than what the caller has.
    pub available: bool,
    /// The release on offer.
    pub release: Option<ReleaseClaims>,
    /// Where the difference between the version in use and the one on offer can be read; none where
    /// the version in use is no release of the kit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_url: Option<String>,
    /// The newest version the license covers, where the caller is above its window.
    pub last_entitled_version: Option<String>,
    /// What was released up to this time may be downloaded, RFC 3339 in UTC; none for all.
    pub updates_until: Option<String>,
    /// Where the license can be renewed.
    pub renew_url: Option<String>,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseClaims {
    /// The version, as in Semantic Versioning 2.0.0.
    pub version: String,
    /// `stable`, `rc`, `beta`, `alpha` or `dev`.
    pub channel: String,
    /// How urgent it is, such as `security` or `critical`.
    pub severity: String,
    /// When it was published, RFC 3339 in UTC.
    pub published_at: String,
    /// What changed, as Markdown.
    pub notes: Option<String>,
    /// What must be installed before it; none for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<String>,
    /// Its files, those for the caller's machine.
    pub artifacts: Vec<ArtifactClaims>,
}

/// One file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactClaims {
    /// The file's name.
    pub name: String,
    /// What the file is, such as `zip` or `npm`.
    pub kind: String,
    /// For which system it is, such as `linux`; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// For which processor it is, such as `x86_64`; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch: Option<String>,
    /// Its size in bytes.
    pub size: i64,
    /// Its SHA-256 (FIPS 180-4), 64 hexadecimal digits.
    pub sha256: String,
    /// Its SHA-512 (FIPS 180-4), 128 hexadecimal digits.
    pub sha512: String,
    /// Its signature file, as minisign writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Whether what comes from `url` carries the stamp of the caller's license: size, hashes and
    /// signature are those of the file without it. Written only where it does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stamped: bool,
    /// Its stable address.
    pub url: String,
}

impl UpdateClaims {
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

/// Verifies the signature of an update manifest and checks its claims.
///
/// # Errors
///
/// Those of [`jws::verify`], then those of [`UpdateClaims::check`].
pub fn verify_update(
    token: &str,
    keys: &PublicKeys,
    expected: &Expected<'_>,
) -> Result<UpdateClaims, VerifyError> {
    let claims: UpdateClaims = jws::verify(token, DocumentType::Update, keys)?;
    claims.check(expected)?;
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_told_only_where_there_is_one() {
        let plain = r#"{"name":"a.zip","kind":"zip","size":1,"sha256":"5f","sha512":"c4","url":"https://example.com/a.zip"}"#;
        let mut claims: ArtifactClaims = serde_json::from_str(plain).unwrap();
        assert!(!claims.stamped, "older manifests say nothing");
        assert_eq!(serde_json::to_string(&claims).unwrap(), plain);
        claims.stamped = true;
        let told = serde_json::to_string(&claims).unwrap();
        assert!(told.contains(r#""stamped":true"#), "{told}");
        assert_eq!(
            serde_json::from_str::<ArtifactClaims>(&told).unwrap(),
            claims
        );
    }
}
