//! Signed documents: compact JWS (RFC 7515) with Ed25519 (`EdDSA`, RFC 8037).
//!
//! The protected header is exactly `{"alg":"EdDSA","kid":…,"typ":…}`. A document of one `typ` is
//! never accepted in another's place, and only keys for documents sign documents, only keys for
//! artifacts stamps, only root keys the key ring. Reading is strict: canonical base64url, no member named twice, no critical extension. Header members
//! beyond these are ignored (RFC 7515 section 4), never used to find a key.

mod unique_json;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::base64url;
use crate::error::{SignError, VerifyError};
use crate::signing::{KeyPurpose, PublicKey, PublicKeys, SigningKey};
use unique_json::{Fault, parse_object};

/// The most bytes a signed document may have.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

const ALGORITHM: &str = "EdDSA";

/// The kinds of signed documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentType {
    /// A license file, good for days, read without a server.
    License,
    /// The answer to one call, good for minutes, bound to its nonce.
    Verdict,
    /// An update manifest: the newest release a license may have, or that there is none.
    Update,
    /// A checkpoint of the audit log: what it was up to one entry.
    Checkpoint,
    /// A stamp in a downloaded archive: for whom the copy was made.
    Stamp,
    /// The key ring: every public key with its state, signed by a root key.
    KeyRing,
}

impl DocumentType {
    /// The `typ` in the header (RFC 7515 section 4.1.9), compared exactly.
    pub fn typ(self) -> &'static str {
        match self {
            Self::License => "license+jwt",
            Self::Verdict => "verdict+jwt",
            Self::Update => "update+jwt",
            Self::Checkpoint => "checkpoint+jwt",
            Self::Stamp => "stamp+jwt",
            Self::KeyRing => "keyring+jwt",
        }
    }

    /// What the keys are for that sign it.
    pub fn signed_by(self) -> KeyPurpose {
        match self {
            Self::License | Self::Verdict | Self::Update | Self::Checkpoint => KeyPurpose::Document,
            Self::Stamp => KeyPurpose::Artifact,
            Self::KeyRing => KeyPurpose::Root,
        }
    }
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// Signs claims as one compact JWS.
///
/// # Errors
///
/// [`SignError::WrongPurpose`] where `key` is no key for this type of document,
/// [`SignError::InvalidClaims`] where the claims are no JSON object,
/// [`SignError::TooLarge`] beyond [`MAX_TOKEN_BYTES`].
pub fn sign<C: Serialize>(
    typ: DocumentType,
    key: &SigningKey,
    claims: &C,
) -> Result<String, SignError> {
    if key.purpose() != typ.signed_by() {
        return Err(SignError::WrongPurpose);
    }
    let header = Header {
        alg: ALGORITHM,
        kid: key.kid().as_str(),
        typ: typ.typ(),
    };
    let payload = to_json(claims)?;
    if payload.first() != Some(&b'{') {
        return Err(SignError::InvalidClaims {
            reason: "not an object".to_owned(),
        });
    }
    let header = to_json(&header)?;
    // Grows once: four symbols for three bytes, and a signature of 64 bytes.
    let mut token = String::with_capacity((header.len() + payload.len()) / 3 * 4 + 100);
    base64url::append(&header, &mut token);
    token.push('.');
    base64url::append(&payload, &mut token);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    base64url::append(&signature, &mut token);
    if token.len() > MAX_TOKEN_BYTES {
        Err(SignError::TooLarge)
    } else {
        Ok(token)
    }
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>, SignError> {
    // Room for the claims of a license, so that they are written without copying.
    let mut json = Vec::with_capacity(1024);
    serde_json::to_writer(&mut json, value).map_err(|error| SignError::InvalidClaims {
        reason: error.to_string(),
    })?;
    Ok(json)
}

/// Verifies a compact JWS of one type and reads its claims; the claims themselves are the
/// caller's to check, see [`verify_document`](crate::verify_document).
///
/// # Errors
///
/// [`VerifyError`] up to and including `MalformedClaims`, checked in the order of its variants.
pub fn verify<C: DeserializeOwned>(
    token: &str,
    typ: DocumentType,
    keys: &PublicKeys,
) -> Result<C, VerifyError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(VerifyError::TooLarge);
    }
    let parts = Parts::split(token).ok_or(VerifyError::MalformedToken)?;
    let key = signer(&parts.header, typ, keys)?;
    let signature = <&[u8; 64]>::try_from(parts.signature.as_slice());
    let genuine = signature.is_ok_and(|bytes| key.accepts(parts.signed.as_bytes(), bytes));
    if !genuine {
        return Err(VerifyError::BadSignature);
    }
    let malformed = |reason| VerifyError::MalformedClaims { reason };
    parse_object(&parts.payload).map_err(|fault| match fault {
        Fault::Duplicate => VerifyError::DuplicateMember,
        Fault::Malformed(reason) => malformed(reason),
    })?;
    serde_json::from_slice(&parts.payload).map_err(|error| malformed(error.to_string()))
}

struct Parts<'a> {
    signed: &'a str,
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        Some(Self {
            signed,
            header: base64url::decode(header)?,
            payload: base64url::decode(payload)?,
            signature: base64url::decode(signature)?,
        })
    }
}

/// The key that the header names, if it may sign this type of document.
fn signer<'a>(
    header: &[u8],
    typ: DocumentType,
    keys: &'a PublicKeys,
) -> Result<&'a PublicKey, VerifyError> {
    let header = parse_object(header).map_err(|fault| match fault {
        Fault::Duplicate => VerifyError::DuplicateMember,
        Fault::Malformed(_) => VerifyError::MalformedHeader,
    })?;
    let member = |name| header.get(name).and_then(serde_json::Value::as_str);
    if member("alg") != Some(ALGORITHM) {
        return Err(VerifyError::WrongAlgorithm);
    }
    if header.contains_key("crit") {
        return Err(VerifyError::CriticalHeader);
    }
    if member("typ") != Some(typ.typ()) {
        return Err(VerifyError::WrongType);
    }
    let key = member("kid")
        .and_then(|kid| keys.find(kid))
        .ok_or(VerifyError::UnknownKey)?;
    if key.purpose() != typ.signed_by() {
        Err(VerifyError::WrongPurpose)
    } else if key.is_compromised() {
        Err(VerifyError::KeyCompromised)
    } else {
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
