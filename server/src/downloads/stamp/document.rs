//! The text of a stamp: for people, and signed for programs.

use kitward_keys::{
    DocumentType, PublicKeys, SignError, SigningKey, StampClaims, VerifyError, jws,
};
use serde::{Deserialize, Serialize};

const NOTICE: &str = "This copy was made for the license below. \
                      `kitward artifact verify FILE` checks it and takes it out again.";

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    notice: String,
    claims: StampClaims,
    stamp: String,
}

/// Why a stamp does not hold.
#[derive(Debug, thiserror::Error)]
pub enum StampFault {
    /// It is no text of ours.
    #[error("the stamp is malformed")]
    Malformed(#[source] serde_json::Error),
    /// Its signature does not hold.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// What people read is not what was signed.
    #[error("the stamp says something else than what was signed")]
    Contradiction,
}

/// Signs a stamp.
pub(super) fn document(key: &SigningKey, claims: StampClaims) -> Result<Vec<u8>, SignError> {
    let document = Document {
        notice: NOTICE.to_owned(),
        stamp: jws::sign(DocumentType::Stamp, key, &claims)?,
        claims,
    };
    let text = serde_json::to_vec_pretty(&document);
    let mut text = text.map_err(|error| SignError::InvalidClaims {
        reason: error.to_string(),
    })?;
    text.push(b'\n');
    Ok(text)
}

/// What a stamp says, unverified where there are no keys.
pub fn read_document(text: &[u8], keys: Option<&PublicKeys>) -> Result<StampClaims, StampFault> {
    let document: Document = serde_json::from_slice(text).map_err(StampFault::Malformed)?;
    if let Some(keys) = keys {
        let signed = kitward_keys::verify_stamp(&document.stamp, keys, None)?;
        if signed != document.claims {
            return Err(StampFault::Contradiction);
        }
    }
    Ok(document.claims)
}
