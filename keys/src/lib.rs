//! License keys, signed documents and the public halves of the key ring.
//!
//! This crate is pure: it reads no clock, takes no randomness, opens no file and no socket.
//! Callers pass in the time, the random bytes and the keys. The formats are described in
//! `docs/key-format.md`; `keys/tests/vectors` holds public test vectors for other readers.
//!
//! | Module | Holds |
//! |---|---|
//! | [`license_key`] | the text a buyer pastes: issue, parse, check, verify |
//! | [`signing`] | Ed25519 keys by purpose and state, key sets, `jwks.json` |
//! | [`jws`] | compact JWS (RFC 7515) with `EdDSA` (RFC 8037) |
//! | [`claims`] | what license files, verdicts, update manifests, stamps, checkpoints and the key ring say, and how they are checked |
//! | [`minisign`] | signatures of files, in the form of minisign |
//! | [`error`] | one variant for each reason of a refusal |
//!
//! # Verify a license file
//!
//! ```
//! use kitward_keys::{DocumentType, Expected, Jwks, PublicKeys, verify_document};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let jwks_json = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/jwks.json"));
//! # let documents: serde_json::Value = serde_json::from_str(include_str!(
//! #     concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/documents.json")
//! # ))?;
//! # let token = documents.pointer("/cases/0/token").and_then(|t| t.as_str()).ok_or("no token")?;
//! # let now = 1_800_000_000;
//! let jwks: Jwks = serde_json::from_str(jwks_json)?; // shipped with the kit
//! let keys = PublicKeys::from_jwks(&jwks)?;
//! let expected = Expected {
//!     issuer: None,                // or the installation's id
//!     audience: "feedback-widget", // the slug the kit was shipped with
//!     now,                         // Unix seconds, from the system's clock
//!     leeway: 60,
//!     nonce: None,
//! };
//! let claims = verify_document(token, DocumentType::License, &keys, &expected)?;
//! assert!(claims.valid);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod claims;
pub mod error;
pub mod jws;
pub mod license_key;
pub mod minisign;
pub mod signing;

mod base64url;
mod mac;

pub use claims::{
    ActivationClaims, ArtifactClaims, Audience, CheckpointClaims, DocumentClaims, Expected,
    ExpectedRing, KeyRingClaims, KnownRing, LicenseClaims, LicenseTextClaims, ReleaseClaims, Scope,
    SeatsClaims, StampClaims, StampedClaims, UpdateClaims, verify_checkpoint, verify_document,
    verify_stamp, verify_update,
};
pub use error::{KeyError, MinisignError, ParseKeyError, SignError, VerifyError};
pub use jws::DocumentType;
pub use license_key::{KeyPrefix, LicenseKey};
pub use mac::{MacKey, lookup_digest};
pub use minisign::{FileComment, FileSignature, MinisignKey, Prehash, comment_field, sign_file};
pub use signing::{Jwk, Jwks, KeyPurpose, KeyState, Kid, PublicKey, PublicKeys, SigningKey};
