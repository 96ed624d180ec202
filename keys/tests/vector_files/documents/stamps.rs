//! Stamps of downloaded archives.

use kitward_keys::DocumentType::{License, Stamp};
use kitward_keys::SigningKey;
use kitward_keys::jws::sign;
use serde_json::{Value, json};

use super::case::{Case, with_members};
use crate::claims::{self, ISSUER};
use crate::{Outcome, seeds, tokens};

pub(super) fn cases() -> Outcome<Vec<Value>> {
    let claims = claims::stamp();
    let signed_by = |key: &SigningKey| sign(Stamp, key, &claims);
    let token = signed_by(&seeds::artifact())?;
    let case = |name: &str, token: &str| Case::new(name, Stamp, token);
    let by_document = tokens::signed(
        &seeds::document(),
        &tokens::header_with("typ", "stamp+jwt".into()),
        &serde_json::to_string(&claims)?,
    );
    let as_license = sign(License, &seeds::document(), &claims)?;
    let bare = with_members(&claims, &json!({ "order": null, "license_text": null }))?;
    let of_a_gift = kitward_keys::StampClaims {
        order: None,
        license_text: None,
        ..claims.clone()
    };
    let without_file = with_members(&claims, &json!({ "artifact": null }))?;
    let without_file = sign(Stamp, &seeds::artifact(), &without_file)?;
    Ok(vec![
        case("a stamp", &token).good(&claims)?,
        case("a stamp, issuer known", &token)
            .issuer(ISSUER)
            .good(&claims)?,
        case(
            "a stamp without order and text",
            &sign(Stamp, &seeds::artifact(), &of_a_gift)?,
        )
        .good(&of_a_gift)?,
        case(
            "a stamp that leaves them out",
            &sign(Stamp, &seeds::artifact(), &bare)?,
        )
        .strict_only()
        .good(&of_a_gift)?,
        case(
            "a stamp signed with a retired key",
            &signed_by(&seeds::retired_artifact())?,
        )
        .good(&claims)?,
        case("a stamp of another installation", &token)
            .issuer("inst_other")
            .bad("wrong_issuer"),
        case("a license file where a stamp is due", &as_license).bad("wrong_type"),
        case("a stamp signed with a key for documents", &by_document).bad("wrong_purpose"),
        case(
            "a stamp signed with an unknown key",
            &signed_by(&seeds::unknown_artifact())?,
        )
        .bad("unknown_key"),
        case(
            "a stamp signed with a compromised key",
            &signed_by(&seeds::compromised_artifact())?,
        )
        .bad("key_compromised"),
        case(
            "one bit changed in the claims of a stamp",
            &tokens::with_bit(&token, 1, 40, 1)?,
        )
        .bad("bad_signature"),
        case("a stamp without its file", &without_file)
            .strict_only()
            .bad("malformed_claims"),
    ])
}
