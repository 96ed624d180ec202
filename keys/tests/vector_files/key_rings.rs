//! Key rings, good and bad, for a reader that knows the key set and a version.

use kitward_keys::jws::sign;
use kitward_keys::{DocumentType, Jwk, KeyRingClaims, KeyState, SigningKey};
use serde_json::{Value, json};

use crate::claims::{ISSUED, ISSUER};
use crate::documents::case::{Case, with_members};
use crate::tokens::{header_with, signed, with_bit};
use crate::{Outcome, seeds};

const VERSION: u64 = 8;
const ENDS: i64 = ISSUED + 30 * 86_400;

/// The ring after the active document key was stolen: it is marked, another signs.
fn ring() -> KeyRingClaims {
    let keys = [
        seeds::document().public(KeyState::Compromised),
        seeds::next_document().public(KeyState::Active),
        seeds::license().public(KeyState::Active),
        seeds::retired_license().public(KeyState::Retired),
        seeds::artifact().public(KeyState::Active),
        seeds::root().public(KeyState::Active),
    ];
    KeyRingClaims {
        iss: ISSUER.to_owned(),
        iat: ISSUED,
        exp: ENDS,
        version: VERSION,
        keys: keys.iter().map(Jwk::from).collect(),
    }
}

fn by(key: &SigningKey) -> Outcome<String> {
    Ok(sign(DocumentType::KeyRing, key, &ring())?)
}

/// A real signature under a header that the crate would not write for this key.
fn by_hand(key: &SigningKey, typ: &str) -> Outcome<String> {
    let claims = serde_json::to_string(&ring())?;
    Ok(signed(key, &header_of(key, typ)?, &claims))
}

fn header_of(key: &SigningKey, typ: &str) -> Outcome<String> {
    let header: Value = serde_json::from_str(&header_with("typ", typ.into()))?;
    Ok(with_members(&header, &json!({ "kid": key.kid().as_str() }))?.to_string())
}

fn changed(changes: &Value) -> Outcome<String> {
    let claims = with_members(&ring(), changes)?;
    Ok(sign(DocumentType::KeyRing, &seeds::root(), &claims)?)
}

pub(crate) fn file() -> Outcome<Value> {
    let mut cases = accepted()?;
    cases.extend(other_times_and_versions()?);
    cases.extend(other_signers()?);
    cases.extend(other_claims()?);
    Ok(json!({
        "description": "Key rings; the fields are described in README.md",
        "key_set": "jwks.json",
        "cases": cases,
    }))
}

fn accepted() -> Outcome<Vec<Value>> {
    let token = by(&seeds::root())?;
    let later = with_members(&ring(), &json!({ "added_later": true }))?;
    let with_later = sign(DocumentType::KeyRing, &seeds::root(), &later)?;
    Ok(vec![
        Case::ring("a key ring", &token).good(&ring())?,
        Case::ring("a key ring, issuer known", &token)
            .issuer(ISSUER)
            .good(&ring())?,
        Case::ring("for a reader that knows none yet", &token)
            .knowing(0)
            .good(&ring())?,
        Case::ring("the version the reader knows already", &token)
            .knowing(VERSION)
            .good(&ring())?,
        Case::ring(
            "signed with a root key still marked published",
            &by(&seeds::next_root())?,
        )
        .good(&ring())?,
        Case::ring("with a claim of a later version", &with_later).good(&later)?,
    ])
}

fn other_times_and_versions() -> Outcome<Vec<Value>> {
    let token = by(&seeds::root())?;
    Ok(vec![
        Case::ring("one version older than known", &token)
            .knowing(VERSION + 1)
            .bad("older_version"),
        Case::ring("on its last second", &token)
            .at(ENDS - 1, 0)
            .good(&ring())?,
        Case::ring("expired", &token).at(ENDS, 0).bad("expired"),
        Case::ring("expired, within the leeway", &token)
            .at(ENDS + 59, 60)
            .good(&ring())?,
        Case::ring("expired and older than known", &token)
            .at(ENDS, 0)
            .knowing(VERSION + 1)
            .bad("expired"),
        Case::ring("issued in the future", &token)
            .at(ISSUED - 1, 0)
            .bad("issued_in_future"),
        Case::ring("of another installation", &token)
            .issuer("inst_other")
            .bad("wrong_issuer"),
    ])
}

fn other_signers() -> Outcome<Vec<Value>> {
    let document = by_hand(&seeds::document(), "keyring+jwt")?;
    let license_file = by_hand(&seeds::root(), "license+jwt")?;
    let forged = signed(
        &seeds::unknown_root(),
        &header_of(&seeds::root(), "keyring+jwt")?,
        &serde_json::to_string(&ring())?,
    );
    Ok(vec![
        Case::ring(
            "signed with an unknown root key",
            &by(&seeds::unknown_root())?,
        )
        .bad("unknown_key"),
        Case::ring(
            "signed with a compromised root key",
            &by(&seeds::compromised_root())?,
        )
        .bad("key_compromised"),
        Case::ring("signed with a document key", &document).bad("wrong_purpose"),
        Case::ring("another key under the root key's name", &forged).bad("bad_signature"),
        Case::ring("of the type of a license file", &license_file).bad("wrong_type"),
        Case::ring(
            "one bit changed in the claims",
            &with_bit(&by(&seeds::root())?, 1, 40, 1)?,
        )
        .bad("bad_signature"),
    ])
}

fn other_claims() -> Outcome<Vec<Value>> {
    let mut misnamed = ring();
    if let [first, second, ..] = misnamed.keys.as_mut_slice() {
        first.kid.clone_from(&second.kid);
    }
    let misnamed = sign(DocumentType::KeyRing, &seeds::root(), &misnamed)?;
    let refused = |name, token: &str| {
        Case::ring(name, token)
            .strict_only()
            .bad("malformed_claims")
    };
    Ok(vec![
        refused("without a version", &changed(&json!({ "version": null }))?),
        refused("a version below zero", &changed(&json!({ "version": -1 }))?),
        refused("a version as a text", &changed(&json!({ "version": "8" }))?),
        refused("without keys", &changed(&json!({ "keys": null }))?),
        refused("a key under the name of another", &misnamed),
    ])
}
