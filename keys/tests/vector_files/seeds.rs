//! Fixed keys; everybody knows their secret bytes, so they must never be used for anything else.

use kitward_keys::{KeyPurpose, KeyState, MacKey, PublicKeys, SigningKey};

pub(crate) const MAC: [u8; 32] = [0xa1; 32];
pub(crate) const OTHER_MAC: [u8; 32] = [0xa2; 32];
pub(crate) const PEPPER: [u8; 32] = [0xb1; 32];

/// Signs documents now.
pub(crate) fn document() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Document, &[0x11; 32])
}

/// Signed documents once.
pub(crate) fn retired_document() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Document, &[0x12; 32])
}

/// Will sign documents soon.
pub(crate) fn next_document() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Document, &[0x13; 32])
}

/// In foreign hands.
pub(crate) fn compromised_document() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Document, &[0x14; 32])
}

/// Signs documents, and stands in no published set.
pub(crate) fn unknown_document() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Document, &[0x15; 32])
}

/// Signs license keys now.
pub(crate) fn license() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::LicenseKey, &[0x21; 32])
}

/// Signed license keys once.
pub(crate) fn retired_license() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::LicenseKey, &[0x22; 32])
}

/// In foreign hands.
pub(crate) fn compromised_license() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::LicenseKey, &[0x24; 32])
}

/// Signs license keys, and stands in no published set.
pub(crate) fn unknown_license() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::LicenseKey, &[0x25; 32])
}

/// Signs the files of releases.
pub(crate) fn artifact() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Artifact, &[0x31; 32])
}

/// Signed the files of releases once.
pub(crate) fn retired_artifact() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Artifact, &[0x32; 32])
}

/// In foreign hands.
pub(crate) fn compromised_artifact() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Artifact, &[0x34; 32])
}

/// Signs the files of releases, and stands in no published set.
pub(crate) fn unknown_artifact() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Artifact, &[0x35; 32])
}

/// Signs the key ring now.
pub(crate) fn root() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Root, &[0x41; 32])
}

/// Will sign the key ring soon.
pub(crate) fn next_root() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Root, &[0x43; 32])
}

/// In foreign hands.
pub(crate) fn compromised_root() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Root, &[0x44; 32])
}

/// Signs the key ring, and stands in no published set.
pub(crate) fn unknown_root() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Root, &[0x45; 32])
}

pub(crate) fn mac() -> MacKey {
    MacKey::from_bytes(MAC)
}

/// What `jwks.json` holds.
pub(crate) fn published() -> PublicKeys {
    PublicKeys::new(vec![
        document().public(KeyState::Active),
        retired_document().public(KeyState::Retired),
        next_document().public(KeyState::Published),
        compromised_document().public(KeyState::Compromised),
        license().public(KeyState::Active),
        retired_license().public(KeyState::Retired),
        compromised_license().public(KeyState::Compromised),
        artifact().public(KeyState::Active),
        retired_artifact().public(KeyState::Retired),
        compromised_artifact().public(KeyState::Compromised),
        root().public(KeyState::Active),
        next_root().public(KeyState::Published),
        compromised_root().public(KeyState::Compromised),
    ])
}
