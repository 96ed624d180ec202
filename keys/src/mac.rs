//! HMAC-SHA256 (RFC 2104): the short MAC inside license keys and the look-up digest.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Length in bytes of the MAC inside a license key.
pub(crate) const SHORT_MAC_LEN: usize = 8;

/// A secret key for the MAC inside license keys; wiped from memory when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct MacKey([u8; 32]);

impl MacKey {
    /// Takes 32 random bytes as they are.
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The first 8 bytes of HMAC-SHA256 over the concatenated parts.
    pub(crate) fn short_mac(&self, parts: &[&[u8]]) -> [u8; SHORT_MAC_LEN] {
        let full = hmac_sha256(&self.0, parts);
        let mut short = [0; SHORT_MAC_LEN];
        for (to, from) in short.iter_mut().zip(full) {
            *to = from;
        }
        short
    }

    /// Compares in constant time.
    pub(crate) fn matches(&self, parts: &[&[u8]], mac: [u8; SHORT_MAC_LEN]) -> Choice {
        self.short_mac(parts).ct_eq(&mac)
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey([redacted])")
    }
}

/// HMAC-SHA256 of `input` under the installation's pepper, by which stored keys are found.
///
/// For a signed license key the input is [`LicenseKey::lookup_input`](crate::LicenseKey::lookup_input);
/// the database holds only this digest, so that a stolen copy of it opens nothing.
pub fn lookup_digest(pepper: &[u8; 32], input: &[u8]) -> [u8; 32] {
    hmac_sha256(pepper, &[input])
}

fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // RFC 2104 pads a short key with zeros to the block of 64 bytes, so padding it here changes
    // nothing and spares an error path that cannot be taken.
    let mut block = Zeroizing::new([0_u8; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_hmac_sha256_of_rfc_4231() {
        // Test case 1; its key of 20 bytes is padded to 32 with zeros, which HMAC treats alike.
        let mut key = [0_u8; 32];
        key.iter_mut().take(20).for_each(|byte| *byte = 0x0b);
        let hex = data_encoding::HEXLOWER.encode(&lookup_digest(&key, b"Hi There"));
        assert_eq!(
            hex,
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn a_mac_key_never_prints_its_bytes() {
        assert_eq!(
            format!("{:?}", MacKey::from_bytes([7; 32])),
            "MacKey([redacted])"
        );
    }
}
