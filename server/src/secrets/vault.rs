//! Sealing and opening single cells, and the keyed digests under which secrets are looked up.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use kitward_keys::MacKey;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, bytes};

/// First byte of every sealed cell.
const VERSION: u8 = 1;

/// The place a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// Table.
    pub table: &'static str,
    /// Column.
    pub column: &'static str,
    /// Primary key of the row.
    pub row: &'a str,
}

impl Cell<'_> {
    fn aad(&self) -> String {
        format!("{}/{}/{}", self.table, self.column, self.row)
    }
}

/// Why a cell could not be sealed or opened.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    /// Not a sealed cell, or of a later version.
    #[error("a sealed cell is malformed")]
    Malformed,
    /// Sealed by a key this installation does not have.
    #[error("a sealed cell names an unknown key")]
    UnknownKey,
    /// Changed, or moved from another place.
    #[error("a sealed cell does not open in this place")]
    Refused,
}

/// The unwrapped keys of a running installation.
pub struct Vault {
    pub(super) cell_key_id: [u8; 8],
    pub(super) cell_key: Zeroizing<[u8; 32]>,
    pub(super) pepper: Zeroizing<[u8; 32]>,
    pub(super) license_macs: Vec<MacKey>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

impl Vault {
    /// Encrypts a value for its place.
    pub fn seal(&self, cell: Cell<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; 24] = bytes(self.entropy.as_ref());
        let aad = cell.aad();
        let sealed = self
            .cipher()
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: aad.as_bytes(),
                },
            )
            .map_err(|_refused| SealError::Refused)?;
        Ok([&[VERSION][..], &self.cell_key_id, &nonce, &sealed].concat())
    }

    /// Decrypts a value of its place.
    pub fn open(&self, cell: Cell<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (version, rest) = sealed.split_first().ok_or(SealError::Malformed)?;
        let (key_id, rest) = rest.split_first_chunk::<8>().ok_or(SealError::Malformed)?;
        let (nonce, sealed) = rest.split_first_chunk::<24>().ok_or(SealError::Malformed)?;
        if *version != VERSION {
            return Err(SealError::Malformed);
        }
        if *key_id != self.cell_key_id {
            return Err(SealError::UnknownKey);
        }
        let aad = cell.aad();
        self.cipher()
            .decrypt(
                &XNonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: aad.as_bytes(),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_refused| SealError::Refused)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: &[u8; 32] = &self.cell_key;
        XChaCha20Poly1305::new(key.into())
    }

    /// Digest of a low-entropy or bearer secret (tokens, codes, links), under which it is stored.
    /// `purpose` keeps equal secrets of different uses apart.
    pub fn digest(&self, purpose: &str, secret: &[u8]) -> Vec<u8> {
        let Ok(mut mac) = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.pepper.as_slice())
        else {
            // HMAC takes keys of any length; this keeps the type honest without a panic.
            return Sha256::digest(secret).to_vec();
        };
        mac.update(&(purpose.len() as u64).to_be_bytes());
        mac.update(purpose.as_bytes());
        mac.update(secret);
        mac.finalize().into_bytes().to_vec()
    }

    /// Digest under which a license key is looked up.
    pub fn license_lookup(&self, input: &[u8]) -> Vec<u8> {
        kitward_keys::lookup_digest(&self.pepper, input).to_vec()
    }

    /// MAC keys of license keys, newest first.
    pub fn license_macs(&self) -> &[MacKey] {
        &self.license_macs
    }

    /// The MAC key new license keys are made with.
    pub fn license_mac(&self) -> Option<&MacKey> {
        self.license_macs.first()
    }
}

/// Short name of a wrapped key inside sealed cells.
pub(super) fn key_id(row_id: &str) -> [u8; 8] {
    let digest = Sha256::digest(row_id.as_bytes());
    let mut id = [0; 8];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    const PLACE: Cell<'static> = Cell {
        table: "license_keys",
        column: "sealed_key",
        row: "lky_1",
    };

    fn vault(key: u8) -> Vault {
        Vault {
            cell_key_id: key_id("wky_1"),
            cell_key: Zeroizing::new([key; 32]),
            pepper: Zeroizing::new([9; 32]),
            license_macs: Vec::new(),
            entropy: Arc::new(SeededEntropy::new(1)),
        }
    }

    #[test]
    fn a_cell_opens_in_its_own_place_only() {
        let vault = vault(1);
        let sealed = vault.seal(PLACE, b"secret").unwrap();
        assert_eq!(vault.open(PLACE, &sealed).unwrap().as_slice(), b"secret");
        for other in [
            Cell {
                row: "lky_2",
                ..PLACE
            },
            Cell {
                column: "lookup",
                ..PLACE
            },
            Cell {
                table: "outbox",
                ..PLACE
            },
        ] {
            assert_eq!(
                vault.open(other, &sealed),
                Err(SealError::Refused),
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_changed_cell_and_another_key_do_not_open() {
        let vault = vault(1);
        let sealed = vault.seal(PLACE, b"secret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(PLACE, &changed).is_err(), "byte {at}");
        }
        for length in 0..sealed.len() {
            assert!(
                vault.open(PLACE, &sealed[..length]).is_err(),
                "cut at {length}"
            );
        }
        assert_eq!(
            super::tests::vault(2).open(PLACE, &sealed),
            Err(SealError::Refused)
        );
        let mut stranger = super::tests::vault(1);
        stranger.cell_key_id = key_id("wky_2");
        assert_eq!(stranger.open(PLACE, &sealed), Err(SealError::UnknownKey));
    }

    #[test]
    fn equal_secrets_of_different_uses_have_different_digests() {
        let vault = vault(1);
        assert_ne!(vault.digest("link", b"x"), vault.digest("code", b"x"));
        assert_ne!(vault.digest("lin", b"kx"), vault.digest("link", b"x"));
    }
}
