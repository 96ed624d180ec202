//! Signatures of files in the form of minisign: prehashed Ed25519 (`ED`, BLAKE2b-512).
//!
//! Any `minisign -V` verifies them. What was signed is told in the trusted comment, which the
//! signature covers: `timestamp:…\tfile:…\tversion:…\tkit:…\tchannel:…`. A reader that was told a
//! file name and a version compares them: a valid signature of an older file is no answer.
//! Signatures over the whole file instead of its hash (`Ed`) are not read.

mod comment;
mod key;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest as _};

use crate::error::{MinisignError, SignError};
use crate::signing::{KeyPurpose, SigningKey};

pub use comment::{FileComment, comment_field};
pub use key::MinisignKey;

/// The longest signature file that is read, in bytes.
pub const MAX_SIGNATURE_BYTES: usize = 4096;

/// First line of signatures of ours; nothing vouches for it.
const UNTRUSTED: &str = "untrusted comment: signature by kitward";
const UNTRUSTED_START: &str = "untrusted comment: ";
const TRUSTED_START: &str = "trusted comment: ";
/// Prehashed Ed25519.
const PREHASHED: [u8; 2] = *b"ED";
/// Ed25519 over the whole file.
const WHOLE: [u8; 2] = *b"Ed";

/// The hash of a file that a signature covers, made while its bytes pass by.
#[derive(Debug, Clone, Default)]
pub struct Prehash(Blake2b512);

impl Prehash {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The BLAKE2b-512 hash (RFC 7693) of all bytes.
    pub fn finish(self) -> [u8; 64] {
        self.0.finalize().into()
    }

    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> [u8; 64] {
        let mut hash = Self::default();
        hash.update(bytes);
        hash.finish()
    }
}

/// A signature file as it was read; nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSignature {
    key_id: [u8; 8],
    signature: [u8; 64],
    comment: String,
    comment_signature: [u8; 64],
}

impl FileSignature {
    /// Reads the text of a `.minisig` file.
    ///
    /// # Errors
    ///
    /// [`MinisignError::TooLarge`], [`MinisignError::Malformed`], and [`MinisignError::NotPrehashed`]
    /// for a signature over the whole file.
    pub fn parse(text: &str) -> Result<Self, MinisignError> {
        if text.len() > MAX_SIGNATURE_BYTES {
            return Err(MinisignError::TooLarge);
        }
        let mut lines = text.lines();
        let mut line = || lines.next().ok_or(MinisignError::Malformed);
        let (untrusted, signature, trusted, global) = (line()?, line()?, line()?, line()?);
        let rest_is_empty = lines.all(str::is_empty);
        if !untrusted.starts_with(UNTRUSTED_START) || !rest_is_empty {
            return Err(MinisignError::Malformed);
        }
        let comment = trusted
            .strip_prefix(TRUSTED_START)
            .filter(|comment| !comment.contains(|c: char| c.is_control() && c != '\t'))
            .ok_or(MinisignError::Malformed)?;
        let signature: [u8; 74] = decode(signature)?;
        let (algorithm, key_id, signature) = split(&signature)?;
        match algorithm {
            PREHASHED => Ok(Self {
                key_id,
                signature,
                comment: comment.to_owned(),
                comment_signature: decode(global)?,
            }),
            WHOLE => Err(MinisignError::NotPrehashed),
            _ => Err(MinisignError::Malformed),
        }
    }

    /// The id of the key that is said to have signed.
    pub fn key_id(&self) -> [u8; 8] {
        self.key_id
    }

    /// Verifies file and trusted comment, and gives the comment.
    ///
    /// `prehash` is the file's, see [`Prehash`]. Whether the comment names what was asked for is the
    /// caller's to check, see [`FileComment::check`].
    ///
    /// # Errors
    ///
    /// [`MinisignError::UnknownKey`], [`MinisignError::KeyCompromised`],
    /// [`MinisignError::BadSignature`] where the file is another one,
    /// [`MinisignError::BadComment`] where the comment was changed.
    pub fn verify(&self, keys: &[MinisignKey], prehash: &[u8; 64]) -> Result<&str, MinisignError> {
        let key = keys
            .iter()
            .find(|key| key.id() == self.key_id)
            .ok_or(MinisignError::UnknownKey)?;
        if key.public().is_compromised() {
            return Err(MinisignError::KeyCompromised);
        }
        if !key.public().accepts(prehash, &self.signature) {
            return Err(MinisignError::BadSignature);
        }
        let covered = covered(&self.signature, &self.comment);
        if !key.public().accepts(&covered, &self.comment_signature) {
            return Err(MinisignError::BadComment);
        }
        Ok(&self.comment)
    }
}

impl std::fmt::Display for FileSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let signature = [&PREHASHED[..], &self.key_id, &self.signature].concat();
        writeln!(f, "{UNTRUSTED}")?;
        writeln!(f, "{}", STANDARD.encode(signature))?;
        writeln!(f, "{TRUSTED_START}{}", self.comment)?;
        writeln!(f, "{}", STANDARD.encode(self.comment_signature))
    }
}

/// Signs a file of which only the hash is known.
///
/// # Errors
///
/// [`SignError::WrongPurpose`] where `key` is no key for artifacts, [`SignError::InvalidClaims`]
/// where the comment holds a character that would end it.
pub fn sign_file(
    key: &SigningKey,
    prehash: &[u8; 64],
    comment: &FileComment<'_>,
) -> Result<FileSignature, SignError> {
    if key.purpose() != KeyPurpose::Artifact {
        return Err(SignError::WrongPurpose);
    }
    let comment = comment.text()?;
    let signature = key.sign(prehash);
    let comment_signature = key.sign(&covered(&signature, &comment));
    Ok(FileSignature {
        key_id: key::id_of(key.kid()),
        signature,
        comment,
        comment_signature,
    })
}

/// What the second signature is made over.
fn covered(signature: &[u8; 64], comment: &str) -> Vec<u8> {
    [&signature[..], comment.as_bytes()].concat()
}

fn decode<const N: usize>(line: &str) -> Result<[u8; N], MinisignError> {
    let bytes = STANDARD.decode(line).ok();
    let bytes = bytes.and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
    bytes.ok_or(MinisignError::Malformed)
}

/// Algorithm, key id, and what follows.
type Parts<const N: usize> = ([u8; 2], [u8; 8], [u8; N]);

fn split<const N: usize>(bytes: &[u8]) -> Result<Parts<N>, MinisignError> {
    let parts = bytes.split_first_chunk::<2>().and_then(|(start, rest)| {
        let (id, rest) = rest.split_first_chunk::<8>()?;
        Some((*start, *id, <[u8; N]>::try_from(rest).ok()?))
    });
    parts.ok_or(MinisignError::Malformed)
}

#[cfg(test)]
mod tests;
