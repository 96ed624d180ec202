//! Signed documents: what is written, and each reason for a refusal.

use super::*;
use crate::signing::KeyState;
use serde_json::{Value, json};

type TestResult = Result<(), Box<dyn std::error::Error>>;

fn key() -> SigningKey {
    SigningKey::from_bytes(KeyPurpose::Document, &[1; 32])
}

fn keys(state: KeyState) -> PublicKeys {
    PublicKeys::new(vec![key().public(state)])
}

fn verify_value(token: &str) -> Result<Value, VerifyError> {
    verify(token, DocumentType::License, &keys(KeyState::Active))
}

/// A token with a real signature over any header and payload.
fn forged(header: &str, payload: &str) -> String {
    let signed = format!(
        "{}.{}",
        base64url::encode(header.as_bytes()),
        base64url::encode(payload.as_bytes())
    );
    let signature = base64url::encode(&key().sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[test]
fn the_signature_is_that_of_rfc_8037_appendix_a_4() -> TestResult {
    let secret = base64url::decode_exactly("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .ok_or("the secret is 32 bytes")?;
    let key = SigningKey::from_bytes(KeyPurpose::Document, &secret);
    let signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(base64url::encode(&key.sign(signed.as_bytes())), signature);
    Ok(())
}

#[test]
fn the_header_is_exactly_algorithm_key_and_type() -> TestResult {
    let token = sign(DocumentType::Verdict, &key(), &json!({"a": 1}))?;
    let header = token
        .split('.')
        .next()
        .and_then(base64url::decode)
        .ok_or("no header")?;
    let expected = format!(
        r#"{{"alg":"EdDSA","kid":"{}","typ":"verdict+jwt"}}"#,
        key().kid()
    );
    assert_eq!(String::from_utf8(header)?, expected);
    Ok(())
}

#[test]
fn a_signed_document_verifies_in_every_state_but_compromised() -> TestResult {
    let token = sign(DocumentType::License, &key(), &json!({"a": 1}))?;
    let verify = |state| verify::<Value>(&token, DocumentType::License, &keys(state));
    for state in [
        KeyState::Published,
        KeyState::Active,
        KeyState::Retiring,
        KeyState::Retired,
    ] {
        assert_eq!(verify(state), Ok(json!({"a": 1})));
    }
    assert_eq!(
        verify(KeyState::Compromised),
        Err(VerifyError::KeyCompromised)
    );
    Ok(())
}

#[test]
fn only_keys_for_documents_sign_documents() -> TestResult {
    let token = sign(DocumentType::License, &key(), &json!({}))?;
    for purpose in [
        KeyPurpose::LicenseKey,
        KeyPurpose::Artifact,
        KeyPurpose::Root,
    ] {
        let key = SigningKey::from_bytes(purpose, &[1; 32]);
        let refused = sign(DocumentType::License, &key, &json!({}));
        assert_eq!(refused, Err(SignError::WrongPurpose));
        let keys = PublicKeys::new(vec![key.public(KeyState::Active)]);
        let refused = verify::<Value>(&token, DocumentType::License, &keys);
        assert_eq!(refused, Err(VerifyError::WrongPurpose));
    }
    Ok(())
}

#[test]
fn no_type_is_accepted_in_the_place_of_another() -> TestResult {
    let types = [
        DocumentType::License,
        DocumentType::Verdict,
        DocumentType::Update,
        DocumentType::Checkpoint,
    ];
    for signed in types {
        let token = sign(signed, &key(), &json!({}))?;
        for asked in types {
            let read = verify::<Value>(&token, asked, &keys(KeyState::Active));
            assert_eq!(read.is_ok(), signed == asked);
        }
    }
    Ok(())
}

#[test]
fn a_header_that_asks_for_something_else_is_refused() {
    let kid = key().kid().to_string();
    let cases = [
        (
            format!(r#"{{"alg":"none","kid":"{kid}","typ":"license+jwt"}}"#),
            VerifyError::WrongAlgorithm,
        ),
        (
            format!(r#"{{"kid":"{kid}","typ":"license+jwt"}}"#),
            VerifyError::WrongAlgorithm,
        ),
        (
            format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"LICENSE+JWT"}}"#),
            VerifyError::WrongType,
        ),
        (
            format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#),
            VerifyError::WrongType,
        ),
        (
            r#"{"alg":"EdDSA","typ":"license+jwt"}"#.to_owned(),
            VerifyError::UnknownKey,
        ),
        (
            format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"license+jwt","crit":["exp"]}}"#),
            VerifyError::CriticalHeader,
        ),
        (
            format!(r#"{{"alg":"none","alg":"EdDSA","kid":"{kid}","typ":"license+jwt"}}"#),
            VerifyError::DuplicateMember,
        ),
        ("[]".to_owned(), VerifyError::MalformedHeader),
        (String::new(), VerifyError::MalformedHeader),
    ];
    for (header, reason) in cases {
        assert_eq!(
            verify_value(&forged(&header, "{}")),
            Err(reason),
            "{header}"
        );
    }
    let more = format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"license+jwt","cty":"x"}}"#);
    assert_eq!(
        verify_value(&forged(&more, "{}")),
        Ok(json!({})),
        "unknown members are ignored"
    );
}

#[test]
fn claims_named_twice_are_refused_though_signed() {
    let header = format!(
        r#"{{"alg":"EdDSA","kid":"{}","typ":"license+jwt"}}"#,
        key().kid()
    );
    let read = verify_value(&forged(&header, r#"{"valid":false,"valid":true}"#));
    assert_eq!(read, Err(VerifyError::DuplicateMember));
    let read = verify_value(&forged(&header, "[1]"));
    assert!(matches!(read, Err(VerifyError::MalformedClaims { .. })));
}

#[test]
fn a_text_that_is_no_compact_jws_is_refused() -> TestResult {
    let token = sign(DocumentType::License, &key(), &json!({}))?;
    let unsigned = token
        .rsplit_once('.')
        .map(|(signed, _)| signed)
        .ok_or("no dots")?;
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        &format!("{token}="),
        &format!("{token}\n"),
        &format!("{token}."),
    ] {
        let read = verify_value(text);
        assert!(
            matches!(
                read,
                Err(VerifyError::MalformedToken | VerifyError::MalformedHeader)
            ),
            "{text}"
        );
    }
    assert_eq!(
        verify_value(&format!("{unsigned}.")),
        Err(VerifyError::BadSignature)
    );
    Ok(())
}

#[test]
fn both_sides_keep_the_size_limit() {
    let claims = json!({ "notes": "x".repeat(MAX_TOKEN_BYTES) });
    assert_eq!(
        sign(DocumentType::Update, &key(), &claims),
        Err(SignError::TooLarge)
    );
    let long = "a".repeat(MAX_TOKEN_BYTES + 1);
    assert_eq!(verify_value(&long), Err(VerifyError::TooLarge));
}

#[test]
fn claims_that_are_no_object_are_not_signed() {
    let refused = sign(DocumentType::License, &key(), &"text");
    assert!(matches!(refused, Err(SignError::InvalidClaims { .. })));
}
