//! Any text: parsing never panics, what it accepts has one canonical text, and nothing made by
//! chance passes the MAC or the signature.
#![no_main]

use kitward_keys::{KeyPrefix, KeyPurpose, KeyState, LicenseKey, MacKey, PublicKeys, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let prefix = KeyPrefix::default();
    let Ok(key) = LicenseKey::parse(text, &prefix) else {
        return;
    };
    let again = LicenseKey::parse(&key.reveal(), &prefix).expect("canonical text parses");
    assert_eq!(*again.reveal(), *key.reveal());
    let signing = SigningKey::from_bytes(KeyPurpose::LicenseKey, &[1; 32]);
    let keys = PublicKeys::new(vec![signing.public(KeyState::Active)]);
    assert!(key.verify(&keys).is_err());
    assert!(!key.has_valid_mac(&[MacKey::from_bytes([2; 32])]));
});
