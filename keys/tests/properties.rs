//! What holds for every key, token and text, not only for the vectors.

#![forbid(unsafe_code)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kitward_keys::{
    DocumentType, KeyPrefix, KeyPurpose, KeyState, LicenseKey, MacKey, PublicKeys, SigningKey,
    VerifyError, jws,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn license_signing() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::LicenseKey, &[1; 32])
}

fn document_signing() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Document, &[2; 32])
}

fn keys() -> PublicKeys {
    PublicKeys::new(vec![
        license_signing().public(KeyState::Active),
        document_signing().public(KeyState::Active),
    ])
}

fn mac() -> MacKey {
    MacKey::from_bytes([3; 32])
}

fn issue(prefix: &KeyPrefix, random: [u8; 16]) -> Result<String, TestCaseError> {
    let key = LicenseKey::issue(prefix, &license_signing(), &mac(), random)?;
    Ok(key.reveal().to_string())
}

/// Texts that look like tokens and keys more often than chance would make them.
fn near_tokens() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}",
        "kwl_[a-z2-7]{140,155}",
        "[ -]{0,9}[Kk][Ww][Ll]_[A-Za-z2-7\u{200b} -]{0,200}",
    ]
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in near_tokens()) {
        if let Ok(key) = LicenseKey::parse(&text, &KeyPrefix::default()) {
            prop_assert!(!key.has_valid_mac(&[mac()]));
            prop_assert!(key.verify(&keys()).is_err());
        }
        for typ in [DocumentType::License, DocumentType::Verdict, DocumentType::Update] {
            prop_assert!(jws::verify::<Value>(&text, typ, &keys()).is_err());
        }
        let _ = KeyPrefix::parse(&text);
        let _ = kitward_keys::Kid::parse(&text);
    }

    #[test]
    fn no_bytes_in_the_parts_of_a_token_make_a_reader_panic(
        header in proptest::collection::vec(any::<u8>(), 0..80),
        payload in proptest::collection::vec(any::<u8>(), 0..80),
        signature in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let token = [header, payload, signature].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        prop_assert!(jws::verify::<Value>(&token, DocumentType::License, &keys()).is_err());
    }

    #[test]
    fn no_bytes_make_reading_a_public_key_panic(bytes in any::<[u8; 32]>()) {
        if let Ok(key) =
            kitward_keys::PublicKey::new(KeyPurpose::Document, KeyState::Active, &bytes)
        {
            prop_assert_eq!(key.bytes(), &bytes);
        }
    }

    #[test]
    fn a_key_survives_what_mail_clients_do_to_it(
        prefix in "[a-z0-9]{2,12}",
        random in any::<[u8; 16]>(),
        changes in proptest::collection::vec((any::<bool>(), "[ \n\r\t\u{a0}\u{200b}\"'“”‘’‐–—-]{0,2}"), 170),
    ) {
        let prefix = KeyPrefix::parse(&prefix)?;
        let text = issue(&prefix, random)?;
        let mangled: String = text
            .chars()
            .zip(changes)
            .flat_map(|(letter, (upper, noise))| {
                let letter = if upper { letter.to_ascii_uppercase() } else { letter };
                [noise, letter.to_string()]
            })
            .collect();
        let read = LicenseKey::parse(&mangled, &prefix)?;
        prop_assert!(*read.reveal() == text);
        prop_assert!(read.has_valid_mac(&[mac()]));
        prop_assert!(read.verify(&keys()).is_ok());
        prop_assert!(text.ends_with(&read.hint()));
    }

    #[test]
    fn one_changed_character_never_passes(
        random in any::<[u8; 16]>(),
        at in 0_usize..149,
        other in "[a-z2-7]",
    ) {
        let prefix = KeyPrefix::default();
        let text = issue(&prefix, random)?;
        let letters = text.chars().enumerate();
        let changed: String = letters
            .map(|(place, letter)| if place == at + 4 { other.clone() } else { letter.to_string() })
            .collect();
        prop_assume!(changed != text);
        if let Ok(read) = LicenseKey::parse(&changed, &prefix) {
            prop_assert!(!read.has_valid_mac(&[mac()]));
        }
    }

    #[test]
    fn a_changed_byte_of_a_token_never_verifies(
        subject in "[a-z0-9]{1,20}",
        at in any::<prop::sample::Index>(),
        other in any::<char>(),
    ) {
        let token = jws::sign(DocumentType::License, &document_signing(), &json!({ "sub": subject }))?;
        let place = at.index(token.len());
        let letters = token.chars().enumerate();
        let changed: String =
            letters.map(|(here, letter)| if here == place { other } else { letter }).collect();
        prop_assume!(changed != token);
        let verify = |text: &str| jws::verify::<Value>(text, DocumentType::License, &keys());
        prop_assert_eq!(verify(&token), Ok(json!({ "sub": subject })));
        prop_assert!(verify(&changed).is_err());
    }

    #[test]
    fn a_cut_token_never_verifies(at in any::<prop::sample::Index>()) {
        let token = jws::sign(DocumentType::License, &document_signing(), &json!({ "a": 1 }))?;
        let cut: String = token.chars().take(at.index(token.len())).collect();
        let read = jws::verify::<Value>(&cut, DocumentType::License, &keys());
        prop_assert!(matches!(
            read,
            Err(VerifyError::MalformedToken | VerifyError::BadSignature)
        ));
    }
}
