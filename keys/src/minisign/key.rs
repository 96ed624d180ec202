//! Public keys of minisign, and ours in that form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{UNTRUSTED_START, WHOLE, decode, split};
use crate::base64url;
use crate::error::MinisignError;
use crate::signing::{KeyPurpose, KeyState, Kid, PublicKey};

/// A public key with the 8 bytes that its signatures carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinisignKey {
    id: [u8; 8],
    public: PublicKey,
}

impl MinisignKey {
    /// Reads a public key as `minisign` prints it: one line of base64, or a whole `.pub` file.
    ///
    /// # Errors
    ///
    /// [`MinisignError::Malformed`], or [`MinisignError::InvalidKey`] where the bytes are no usable
    /// key.
    pub fn parse(text: &str) -> Result<Self, MinisignError> {
        let mut lines = text.trim().lines().map(str::trim);
        let mut line = lines.next().ok_or(MinisignError::Malformed)?;
        if line.starts_with(UNTRUSTED_START.trim_end()) {
            line = lines.next().ok_or(MinisignError::Malformed)?;
        }
        if lines.next().is_some() {
            return Err(MinisignError::Malformed);
        }
        let bytes: [u8; 42] = decode(line)?;
        let (algorithm, id, key) = split::<32>(&bytes)?;
        if algorithm != WHOLE {
            return Err(MinisignError::Malformed);
        }
        match PublicKey::new(KeyPurpose::Artifact, KeyState::Active, &key) {
            Ok(public) => Ok(Self { id, public }),
            Err(_unusable) => Err(MinisignError::InvalidKey),
        }
    }

    /// A key of the key ring in this form; none for keys that sign other things than artifacts.
    pub fn of(key: &PublicKey) -> Option<Self> {
        (key.purpose() == KeyPurpose::Artifact).then(|| Self {
            id: id_of(key.kid()),
            public: key.clone(),
        })
    }

    /// The 8 bytes that its signatures carry.
    pub fn id(&self) -> [u8; 8] {
        self.id
    }

    /// The key itself.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

/// The line of base64 that `minisign -P` takes.
impl std::fmt::Display for MinisignKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&WHOLE[..], &self.id, self.public.bytes()].concat();
        f.write_str(&STANDARD.encode(bytes))
    }
}

/// The id of a key of ours: the first 8 bytes of its thumbprint.
pub(super) fn id_of(kid: &Kid) -> [u8; 8] {
    let thumbprint = base64url::decode(kid.as_str()).unwrap_or_default();
    thumbprint.first_chunk().copied().unwrap_or_default()
}
