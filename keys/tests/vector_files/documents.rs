//! License files, verdicts, update manifests and checkpoints, good and bad.

pub(crate) mod case;
mod checkpoints;
mod clocks;
mod headers;
mod stamps;
mod texts;
mod verdicts;

use kitward_keys::DocumentType::{License, Update, Verdict};
use kitward_keys::jws::sign;
use serde_json::{Value, json};

use crate::claims::{self, ALIAS, ISSUED, ISSUER};
use crate::{Outcome, seeds};
use case::Case;

pub(crate) fn documents_file() -> Outcome<Value> {
    let mut cases = genuine()?;
    cases.extend(verdicts::cases()?);
    cases.extend(other_expectations()?);
    cases.extend(clocks::cases()?);
    cases.extend(other_keys()?);
    cases.extend(headers::cases()?);
    cases.extend(texts::cases()?);
    Ok(file("License files and verdicts", &cases))
}

pub(crate) fn updates_file() -> Outcome<Value> {
    let offer = sign(Update, &seeds::document(), &claims::update())?;
    let anonymous = sign(Update, &seeds::document(), &claims::anonymous_update())?;
    let nothing = sign(Update, &seeds::document(), &claims::no_update())?;
    let as_license = sign(License, &seeds::document(), &claims::update())?;
    let ends = claims::update().exp;
    let cases = vec![
        Case::new("a manifest with a release", Update, &offer).good(&claims::update())?,
        Case::new("a manifest without a release", Update, &nothing)
            .nonce("n-77")
            .good(&claims::no_update())?,
        Case::new("a manifest for nobody in particular", Update, &anonymous)
            .good(&claims::anonymous_update())?,
        Case::new("an expired manifest", Update, &offer)
            .at(ends, 0)
            .bad("expired"),
        Case::new("a manifest for another kit", Update, &offer)
            .audience("changelog")
            .bad("wrong_audience"),
        Case::new("a manifest with another nonce", Update, &nothing)
            .nonce("n-78")
            .bad("wrong_nonce"),
        Case::new("a manifest signed as a license file", Update, &as_license).bad("wrong_type"),
        Case::new(
            "one bit changed in the claims",
            Update,
            &crate::tokens::with_bit(&offer, 1, 40, 1)?,
        )
        .bad("bad_signature"),
    ];
    Ok(file("Update manifests", &cases))
}

pub(crate) fn checkpoints_file() -> Outcome<Value> {
    Ok(file("Checkpoints of the audit log", &checkpoints::cases()?))
}

pub(crate) fn stamps_file() -> Outcome<Value> {
    Ok(file("Stamps of downloaded archives", &stamps::cases()?))
}

fn file(what: &str, cases: &[Value]) -> Value {
    json!({
        "description": format!("{what}; the fields are described in README.md"),
        "key_set": "jwks.json",
        "cases": cases,
    })
}

fn license_token() -> Outcome<String> {
    Ok(sign(License, &seeds::document(), &claims::license_file())?)
}

fn genuine() -> Outcome<Vec<Value>> {
    let unlimited = sign(License, &seeds::document(), &claims::unlimited_file())?;
    let verdict = sign(Verdict, &seeds::document(), &claims::verdict())?;
    let refusal = sign(Verdict, &seeds::document(), &claims::refusal())?;
    let retired = sign(License, &seeds::retired_document(), &claims::license_file())?;
    let next = sign(License, &seeds::next_document(), &claims::license_file())?;
    let at = ISSUED + 5;
    Ok(vec![
        Case::new("a license file", License, &license_token()?).good(&claims::license_file())?,
        Case::new("a license file, issuer known", License, &license_token()?)
            .issuer(ISSUER)
            .good(&claims::license_file())?,
        Case::new("a license file for every kit, by slug", License, &unlimited)
            .good(&claims::unlimited_file())?,
        Case::new(
            "a license file for every kit, by alias",
            License,
            &unlimited,
        )
        .audience(ALIAS)
        .good(&claims::unlimited_file())?,
        Case::new("a verdict", Verdict, &verdict)
            .at(at, 0)
            .nonce("n-5f2c")
            .good(&claims::verdict())?,
        Case::new("a verdict whose nonce nobody asks for", Verdict, &verdict)
            .at(at, 0)
            .good(&claims::verdict())?,
        Case::new("a verdict that refuses", Verdict, &refusal)
            .at(at, 0)
            .nonce("n-5f2c")
            .good(&claims::refusal())?,
        Case::new("signed with a retired key", License, &retired).good(&claims::license_file())?,
        Case::new("signed with a key still marked published", License, &next)
            .good(&claims::license_file())?,
    ])
}

fn other_expectations() -> Outcome<Vec<Value>> {
    let token = license_token()?;
    let verdict = sign(Verdict, &seeds::document(), &claims::verdict())?;
    let nobody = json!({ "aud": [] });
    let nobody = sign(
        License,
        &seeds::document(),
        &case::with_members(&claims::license_file(), &nobody)?,
    )?;
    let at = ISSUED + 5;
    Ok(vec![
        Case::new("wrong audience", License, &token)
            .audience("changelog")
            .bad("wrong_audience"),
        Case::new("audience in other case", License, &token)
            .audience("Feedback-Widget")
            .bad("wrong_audience"),
        Case::new("no audience at all", License, &nobody).bad("wrong_audience"),
        Case::new("wrong issuer", License, &token)
            .issuer("inst_other")
            .bad("wrong_issuer"),
        Case::new("wrong nonce", Verdict, &verdict)
            .at(at, 0)
            .nonce("n-5f2d")
            .bad("wrong_nonce"),
        Case::new("nonce missing", License, &token)
            .nonce("n-5f2c")
            .bad("wrong_nonce"),
        Case::new("a license file where a verdict is due", Verdict, &token).bad("wrong_type"),
        Case::new("a verdict where a license file is due", License, &verdict)
            .at(at, 0)
            .bad("wrong_type"),
    ])
}

fn other_keys() -> Outcome<Vec<Value>> {
    let claims = claims::license_file();
    let payload = serde_json::to_string(&claims)?;
    let named = |key: &kitward_keys::SigningKey| {
        crate::tokens::header_with("kid", key.kid().as_str().into())
    };
    let wrong_key = crate::tokens::signed(
        &seeds::unknown_document(),
        &named(&seeds::document()),
        &payload,
    );
    let unknown = sign(License, &seeds::unknown_document(), &claims)?;
    let compromised = sign(License, &seeds::compromised_document(), &claims)?;
    let license = crate::tokens::signed(&seeds::license(), &named(&seeds::license()), &payload);
    let artifact = crate::tokens::signed(&seeds::artifact(), &named(&seeds::artifact()), &payload);
    Ok(vec![
        Case::new("wrong key", License, &wrong_key).bad("bad_signature"),
        Case::new("unknown kid", License, &unknown).bad("unknown_key"),
        Case::new("compromised kid", License, &compromised).bad("key_compromised"),
        Case::new("signed with a key for license keys", License, &license).bad("wrong_purpose"),
        Case::new("signed with a key for artifacts", License, &artifact).bad("wrong_purpose"),
    ])
}
