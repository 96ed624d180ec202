//! Any text: verification never panics and never accepts.
#![no_main]

use kitward_keys::{DocumentType, KeyPurpose, KeyState, PublicKeys, SigningKey, jws};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let signing = SigningKey::from_bytes(KeyPurpose::Document, &[1; 32]);
    let root = SigningKey::from_bytes(KeyPurpose::Root, &[2; 32]);
    let keys = PublicKeys::new(vec![
        signing.public(KeyState::Active),
        root.public(KeyState::Active),
    ]);
    for typ in [
        DocumentType::License,
        DocumentType::Verdict,
        DocumentType::Update,
        DocumentType::KeyRing,
        DocumentType::Checkpoint,
    ] {
        assert!(jws::verify::<serde_json::Value>(text, typ, &keys).is_err());
    }
});
