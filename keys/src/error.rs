//! Why something was refused: one variant for each reason that a reader may show.
//!
//! Every error has a `code()`, the stable word that the test vectors use.

/// Why a text is not a license key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// The text is longer than any license key can become by wrapping.
    #[error("the text is too long for a license key")]
    TooLong,
    /// The text does not begin with the expected prefix and an underscore.
    #[error("the text does not begin with this vendor's license key prefix")]
    WrongPrefix,
    /// Characters are missing or too many, as after a partial copy.
    #[error("the license key is incomplete or has extra characters")]
    BadLength,
    /// A character is outside the base32 alphabet of RFC 4648 section 6.
    #[error("the license key holds a character that no license key has")]
    BadCharacter,
    /// The unused bits of the last character are not zero, so this is not the canonical text.
    #[error("the license key ends in a character that no license key ends in")]
    TrailingBits,
    /// The version byte is not one this reader knows.
    #[error("the license key has a newer format than this reader knows")]
    UnknownVersion,
    /// A prefix is not 2 to 12 characters of `a` to `z` and `0` to `9`.
    #[error("a license key prefix is 2 to 12 characters of a-z and 0-9")]
    InvalidPrefix,
}

impl ParseKeyError {
    /// The stable word for this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::WrongPrefix => "wrong_prefix",
            Self::BadLength => "bad_length",
            Self::BadCharacter => "bad_character",
            Self::TrailingBits => "trailing_bits",
            Self::UnknownVersion => "unknown_version",
            Self::InvalidPrefix => "invalid_prefix",
        }
    }
}

/// Why a public key, its id, purpose or state was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes are no usable Ed25519 public key: no point, not canonical, or of small order.
    #[error("the bytes are not a usable Ed25519 public key")]
    InvalidPublicKey,
    /// The text is no RFC 7638 thumbprint of 43 base64url characters.
    #[error("the key id is not an RFC 7638 thumbprint")]
    InvalidKid,
    /// The `kid` beside a key is not the thumbprint of that key.
    #[error("the key id does not belong to the key beside it")]
    KidMismatch,
    /// The word names no key purpose.
    #[error("unknown key purpose")]
    UnknownPurpose,
    /// The word names no key state.
    #[error("unknown key state")]
    UnknownState,
    /// The text is not the PKCS#8 PEM of an Ed25519 key as this crate writes it.
    #[error("the text is no private Ed25519 key in PKCS#8 PEM")]
    InvalidPem,
}

impl KeyError {
    /// The stable word for this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidPublicKey => "invalid_public_key",
            Self::InvalidKid => "invalid_kid",
            Self::KidMismatch => "kid_mismatch",
            Self::UnknownPurpose => "unknown_purpose",
            Self::UnknownState => "unknown_state",
            Self::InvalidPem => "invalid_pem",
        }
    }
}

/// Why something was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The signing key belongs to another purpose.
    #[error("the signing key has another purpose")]
    WrongPurpose,
    /// The claims cannot be written as a JSON object; `reason` says why.
    #[error("the claims cannot be written as a JSON object: {reason}")]
    InvalidClaims {
        /// What the JSON writer reported.
        reason: String,
    },
    /// The signed text would be larger than readers accept ([`MAX_TOKEN_BYTES`](crate::jws::MAX_TOKEN_BYTES)).
    #[error("the signed document would be larger than readers accept")]
    TooLarge,
}

impl SignError {
    /// The stable word for this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongPurpose => "wrong_purpose",
            Self::InvalidClaims { .. } => "invalid_claims",
            Self::TooLarge => "too_large",
        }
    }
}

/// Why a signed text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The text is larger than [`MAX_TOKEN_BYTES`](crate::jws::MAX_TOKEN_BYTES).
    #[error("the signed document is too large")]
    TooLarge,
    /// The text is not three canonical base64url parts joined by dots.
    #[error("the text is not a signed document")]
    MalformedToken,
    /// The protected header is not a JSON object.
    #[error("the header of the signed document is malformed")]
    MalformedHeader,
    /// A JSON object in the header or the claims names one member twice.
    #[error("the signed document names a member twice")]
    DuplicateMember,
    /// `alg` is not `EdDSA`.
    #[error("the signed document uses another algorithm than EdDSA")]
    WrongAlgorithm,
    /// `crit` demands an extension; none is known here (RFC 7515 section 4.1.11).
    #[error("the signed document demands an unknown extension")]
    CriticalHeader,
    /// `typ` is not the type of document that was asked for.
    #[error("the signed document is of another type")]
    WrongType,
    /// No known public key has this id.
    #[error("the signature was made with an unknown key")]
    UnknownKey,
    /// The named key signs other things.
    #[error("the signature was made with a key for another purpose")]
    WrongPurpose,
    /// The named key is compromised, so nothing signed with it counts any more.
    #[error("the signature was made with a compromised key")]
    KeyCompromised,
    /// The signature does not fit the content.
    #[error("the signature does not fit the content")]
    BadSignature,
    /// The signature fits, yet the claims are not those of this type; `reason` says why.
    #[error("the claims of the signed document are malformed: {reason}")]
    MalformedClaims {
        /// What the JSON reader reported.
        reason: String,
    },
    /// `iss` is another installation.
    #[error("the signed document was issued by another installation")]
    WrongIssuer,
    /// `aud` does not name the expected kit.
    #[error("the signed document is for another kit")]
    WrongAudience,
    /// `iat` lies in the future by more than the leeway: this machine's clock is behind.
    #[error("the signed document was issued in the future, check this machine's clock")]
    IssuedInFuture,
    /// `exp` has passed by at least the leeway.
    #[error("the signed document has expired")]
    Expired,
    /// `nonce` is missing or not the one that was sent.
    #[error("the signed document does not answer this request")]
    WrongNonce,
    /// The key ring is older than the one the reader knows.
    #[error("the key ring is older than the one already known")]
    OlderVersion,
}

impl VerifyError {
    /// The stable word for this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::MalformedToken => "malformed_token",
            Self::MalformedHeader => "malformed_header",
            Self::DuplicateMember => "duplicate_member",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::CriticalHeader => "critical_header",
            Self::WrongType => "wrong_type",
            Self::UnknownKey => "unknown_key",
            Self::WrongPurpose => "wrong_purpose",
            Self::KeyCompromised => "key_compromised",
            Self::BadSignature => "bad_signature",
            Self::MalformedClaims { .. } => "malformed_claims",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::IssuedInFuture => "issued_in_future",
            Self::Expired => "expired",
            Self::WrongNonce => "wrong_nonce",
            Self::OlderVersion => "older_version",
        }
    }
}

/// Why a signature of a file, or a key for one, was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MinisignError {
    /// The text is larger than any signature file.
    #[error("the text is too large for a minisign signature")]
    TooLarge,
    /// The text has not the form that minisign writes.
    #[error("the text has not the form that minisign writes")]
    Malformed,
    /// The signature covers the whole file instead of its hash.
    #[error("the signature is not prehashed: sign with a current minisign")]
    NotPrehashed,
    /// The bytes of the key are no usable Ed25519 public key.
    #[error("the bytes are not a usable Ed25519 public key")]
    InvalidKey,
    /// No known public key has this id.
    #[error("the signature was made with an unknown key")]
    UnknownKey,
    /// The key is compromised, so nothing signed with it counts any more.
    #[error("the signature was made with a compromised key")]
    KeyCompromised,
    /// The signature does not fit the file.
    #[error("the signature does not fit the file")]
    BadSignature,
    /// The signature does not fit the trusted comment.
    #[error("the signature does not fit the trusted comment")]
    BadComment,
    /// The trusted comment is that of another file.
    #[error("the trusted comment names another {field}, or none")]
    OtherFile {
        /// Which of its fields does not fit.
        field: &'static str,
    },
}

impl MinisignError {
    /// The stable word for this reason.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::NotPrehashed => "not_prehashed",
            Self::InvalidKey => "invalid_key",
            Self::UnknownKey => "unknown_key",
            Self::KeyCompromised => "key_compromised",
            Self::BadSignature => "bad_signature",
            Self::BadComment => "bad_comment",
            Self::OtherFile { .. } => "other_file",
        }
    }
}
