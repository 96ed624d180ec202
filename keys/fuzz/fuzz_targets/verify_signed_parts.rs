//! Any header and payload with a real signature: what lies behind the signature never panics.
//!
//! An input is a byte that chooses the header, then the header (up to a line end), then the
//! payload. An even byte puts the standard header in its place, so that the payload is reached.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use kitward_keys::{
    DocumentType, Expected, ExpectedRing, KeyState, KnownRing, PublicKeys, SigningKey,
    verify_document, verify_update,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let typ = match choice & 6 {
        0 => DocumentType::License,
        2 => DocumentType::Update,
        _ => DocumentType::KeyRing,
    };
    let signing = SigningKey::from_bytes(typ.signed_by(), &[1; 32]);
    let keys = PublicKeys::new(vec![signing.public(KeyState::Active)]);
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let own_header = parts.next().unwrap_or_default();
    let payload = parts.next().unwrap_or_default();
    let standard = format!(
        r#"{{"alg":"EdDSA","kid":"{}","typ":"{}"}}"#,
        signing.kid(),
        typ.typ()
    );
    let header = if choice & 1 == 0 {
        standard.as_bytes()
    } else {
        own_header
    };

    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature =
        ed25519_dalek::SigningKey::from_bytes(&signing.to_bytes()).sign(signed.as_bytes());
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()));

    let expected = Expected {
        issuer: None,
        audience: "a",
        now: 0,
        leeway: 0,
        nonce: None,
    };
    let _ = verify_document(&token, typ, &keys, &expected);
    let _ = verify_update(&token, &keys, &expected);
    let expected = ExpectedRing {
        issuer: None,
        now: 0,
        leeway: 0,
    };
    let _ = KnownRing::new(0, keys).follow(&token, &expected);
});
