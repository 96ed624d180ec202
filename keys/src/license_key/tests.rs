//! License keys: the format byte by byte, and each reason for a refusal.

use super::*;
use crate::signing::KeyState;

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::LicenseKey, &[seed; 32])
}

fn mac() -> MacKey {
    MacKey::from_bytes([7; 32])
}

fn issued() -> Result<LicenseKey, SignError> {
    LicenseKey::issue(&KeyPrefix::default(), &signing(1), &mac(), [3; 16])
}

fn parse(text: &str) -> Result<LicenseKey, ParseKeyError> {
    LicenseKey::parse(text, &KeyPrefix::default())
}

#[test]
fn a_key_is_the_prefix_and_149_characters() -> TestResult {
    let text = issued()?.reveal();
    assert_eq!(text.len(), 4 + 149);
    assert!(
        text.starts_with("kwl_a"),
        "version 1 begins with five zero bits"
    );
    assert!(text.ends_with(&issued()?.hint()) && issued()?.hint().len() == 6);
    Ok(())
}

#[test]
fn an_issued_key_passes_mac_and_signature() -> TestResult {
    let key = parse(&issued()?.reveal())?;
    let keys = PublicKeys::new(vec![signing(1).public(KeyState::Active)]);
    assert!(
        key.has_valid_mac(&[MacKey::from_bytes([8; 32]), mac()]),
        "any live key will do"
    );
    assert!(!key.has_valid_mac(&[MacKey::from_bytes([8; 32])]));
    assert!(!key.has_valid_mac(&[]));
    assert_eq!(key.verify(&keys), Ok(()));
    assert_eq!(key.key_id(), signing(1).key_id());
    assert_eq!(
        key.lookup_input(),
        [b"kwl\x01".as_slice(), &key.key_id(), &[3; 16]].concat()
    );
    Ok(())
}

#[test]
fn only_a_key_for_license_keys_signs_license_keys() {
    for purpose in [KeyPurpose::Document, KeyPurpose::Artifact, KeyPurpose::Root] {
        let signing = SigningKey::from_bytes(purpose, &[1; 32]);
        let refused = LicenseKey::issue(&KeyPrefix::default(), &signing, &mac(), [3; 16]).err();
        assert_eq!(refused, Some(SignError::WrongPurpose));
    }
}

#[test]
fn the_key_set_decides_whether_a_signature_counts() -> TestResult {
    let key = issued()?;
    let verify = |state| key.verify(&PublicKeys::new(vec![signing(1).public(state)]));
    for state in [
        KeyState::Published,
        KeyState::Active,
        KeyState::Retiring,
        KeyState::Retired,
    ] {
        assert_eq!(verify(state), Ok(()));
    }
    assert_eq!(
        verify(KeyState::Compromised),
        Err(VerifyError::KeyCompromised)
    );

    let other = PublicKeys::new(vec![signing(2).public(KeyState::Active)]);
    assert_eq!(key.verify(&other), Err(VerifyError::UnknownKey));

    let same_bytes = SigningKey::from_bytes(KeyPurpose::Document, &[1; 32]);
    let other_purpose = PublicKeys::new(vec![same_bytes.public(KeyState::Active)]);
    assert_eq!(key.verify(&other_purpose), Err(VerifyError::UnknownKey));
    Ok(())
}

#[test]
fn a_key_of_another_vendor_does_not_pass_under_this_prefix() -> TestResult {
    let acme = KeyPrefix::parse("acme")?;
    let foreign = LicenseKey::issue(&acme, &signing(1), &mac(), [3; 16])?;
    let relabeled = foreign.reveal().replace("acme_", "kwl_");
    assert!(!parse(&relabeled)?.has_valid_mac(&[mac()]));
    assert_eq!(
        parse(&foreign.reveal()).err(),
        Some(ParseKeyError::WrongPrefix)
    );
    Ok(())
}

#[test]
fn each_kind_of_damage_has_its_own_reason() -> TestResult {
    let text = issued()?.reveal().to_string();
    let without_last = text.chars().take(text.len() - 1).collect::<String>();
    let with_odd_bit: String = {
        let mut bytes = BASE32_NOPAD.decode(text.replace("kwl_", "").to_uppercase().as_bytes())?;
        bytes.push(0x80);
        BASE32_NOPAD
            .encode(&bytes)
            .chars()
            .take(ENCODED_LEN)
            .collect()
    };
    let cases = [
        (String::new(), ParseKeyError::WrongPrefix),
        ("AAAA-BBBB-CCCC".to_owned(), ParseKeyError::WrongPrefix),
        ("kwl_".to_owned(), ParseKeyError::BadLength),
        (without_last, ParseKeyError::BadLength),
        (format!("{text}a"), ParseKeyError::BadLength),
        (
            text.replacen("kwl_a", "kwl_1", 1),
            ParseKeyError::BadCharacter,
        ),
        (
            text.replacen("kwl_a", "kwl_ä", 1),
            ParseKeyError::BadCharacter,
        ),
        (
            text.replacen("kwl_a", "kwl_=", 1),
            ParseKeyError::BadCharacter,
        ),
        (format!("kwl_{with_odd_bit}"), ParseKeyError::TrailingBits),
        (
            text.replacen("kwl_a", "kwl_b", 1),
            ParseKeyError::UnknownVersion,
        ),
        (" ".repeat(MAX_TEXT_BYTES + 1), ParseKeyError::TooLong),
    ];
    for (damaged, reason) in cases {
        assert_eq!(parse(&damaged).err(), Some(reason), "{damaged}");
    }
    Ok(())
}

#[test]
fn a_prefix_is_a_short_plain_word() {
    for good in ["kwl", "ab", "acme2024", "twelveletter"] {
        assert!(KeyPrefix::parse(good).is_ok_and(|prefix| prefix.as_str() == good));
    }
    for bad in ["", "a", "thirteenchars", "Kwl", "kw_l", "kw-l", "kwé"] {
        assert_eq!(
            KeyPrefix::parse(bad),
            Err(ParseKeyError::InvalidPrefix),
            "{bad}"
        );
    }
}

#[test]
fn a_license_key_never_prints_its_text() -> TestResult {
    assert_eq!(format!("{:?}", issued()?), "LicenseKey([redacted])");
    Ok(())
}
