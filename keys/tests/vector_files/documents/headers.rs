//! Headers that ask for something else than `EdDSA` under a published key.

use kitward_keys::DocumentType::License;
use serde_json::{Value, json};

use super::case::Case;
use crate::tokens::{base64url, header_with, hs256, signed};
use crate::{Outcome, claims, seeds};

pub(crate) fn cases() -> Outcome<Vec<Value>> {
    let mut cases = algorithms()?;
    cases.extend(other_members()?);
    Ok(cases)
}

fn payload() -> Outcome<String> {
    Ok(serde_json::to_string(&claims::license_file())?)
}

fn algorithms() -> Outcome<Vec<Value>> {
    let payload = payload()?;
    let none = header_with("alg", "none".into());
    let unsigned = format!("{}.{}.", base64url(&none), base64url(&payload));
    let none_signed = signed(&seeds::document(), &none, &payload);
    let confused = hs256(
        &seeds::document(),
        &header_with("alg", "HS256".into()),
        &payload,
    )?;
    let resigned = |alg: Value| signed(&seeds::document(), &header_with("alg", alg), &payload);
    let refused = |name, token: &str| Case::new(name, License, token).bad("wrong_algorithm");
    Ok(vec![
        refused("alg none, unsigned", &unsigned),
        refused("alg none, signed", &none_signed),
        refused("alg HS256 with the public key as secret", &confused),
        refused("alg in other case", &resigned("eddsa".into())),
        refused("alg ES256", &resigned("ES256".into())),
        refused("alg missing", &resigned(Value::Null)),
        refused("alg as a list", &resigned(json!(["EdDSA"]))),
    ])
}

fn other_members() -> Outcome<Vec<Value>> {
    let payload = payload()?;
    let stranger = seeds::unknown_document();
    let strangers_jwk = kitward_keys::Jwk::from(&stranger.public(kitward_keys::KeyState::Active));
    let with_jwk = header_with("jwk", serde_json::to_value(strangers_jwk)?);
    let make = |member, value| signed(&seeds::document(), &header_with(member, value), &payload);
    let case = |name, token: &str| Case::new(name, License, token);
    let kid = seeds::document().kid().to_string();
    let twice =
        format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"verdict+jwt","typ":"license+jwt"}}"#);
    Ok(vec![
        case("typ missing", &make("typ", Value::Null)).bad("wrong_type"),
        case("typ of plain tokens", &make("typ", "JWT".into())).bad("wrong_type"),
        case("typ in other case", &make("typ", "LICENSE+JWT".into()))
            .strict_only()
            .bad("wrong_type"),
        case(
            "typ with application in front",
            &make("typ", "application/license+jwt".into()),
        )
        .strict_only()
        .bad("wrong_type"),
        case("kid missing", &make("kid", Value::Null))
            .strict_only()
            .bad("unknown_key"),
        case("kid as a number", &make("kid", 7.into())).bad("unknown_key"),
        case(
            "a key of its own in the header",
            &signed(&stranger, &with_jwk, &payload),
        )
        .bad("bad_signature"),
        case("a critical extension", &make("crit", json!(["exp"]))).bad("critical_header"),
        case("an unknown header member", &make("cty", "x".into())).good(&claims::license_file())?,
        case(
            "a header member twice",
            &signed(&seeds::document(), &twice, &payload),
        )
        .strict_only()
        .bad("duplicate_member"),
        case(
            "a header that is no object",
            &signed(&seeds::document(), "[]", &payload),
        )
        .bad("malformed_header"),
        case(
            "a header that is no JSON",
            &signed(&seeds::document(), "{", &payload),
        )
        .bad("malformed_header"),
    ])
}
