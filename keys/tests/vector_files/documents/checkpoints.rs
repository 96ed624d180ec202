//! Checkpoints of the audit log.

use kitward_keys::DocumentType::{Checkpoint, Update};
use kitward_keys::jws::sign;
use serde_json::{Value, json};

use super::case::{Case, with_members};
use crate::claims::{self, ISSUER};
use crate::{Outcome, seeds, tokens};

pub(super) fn cases() -> Outcome<Vec<Value>> {
    let claims = claims::checkpoint();
    let token = sign(Checkpoint, &seeds::document(), &claims)?;
    let case = |name: &str, token: &str| Case::new(name, Checkpoint, token).no_audience();
    let signed_by = |key: &kitward_keys::SigningKey| sign(Checkpoint, key, &claims);
    let as_manifest = sign(Update, &seeds::document(), &claims)?;
    let without_seq = with_members(&claims, &json!({ "seq": null }))?;
    let without_seq = sign(Checkpoint, &seeds::document(), &without_seq)?;
    Ok(vec![
        case("a checkpoint", &token).good(&claims)?,
        case("a checkpoint, issuer known", &token)
            .issuer(ISSUER)
            .good(&claims)?,
        case(
            "a checkpoint signed with a retired key",
            &signed_by(&seeds::retired_document())?,
        )
        .good(&claims)?,
        case("a checkpoint of another installation", &token)
            .issuer("inst_other")
            .bad("wrong_issuer"),
        case("a manifest where a checkpoint is due", &as_manifest).bad("wrong_type"),
        Case::new("a checkpoint where a manifest is due", Update, &token).bad("wrong_type"),
        case(
            "a checkpoint signed with an unknown key",
            &signed_by(&seeds::unknown_document())?,
        )
        .bad("unknown_key"),
        case(
            "a checkpoint signed with a compromised key",
            &signed_by(&seeds::compromised_document())?,
        )
        .bad("key_compromised"),
        case(
            "one bit changed in the claims of a checkpoint",
            &tokens::with_bit(&token, 1, 40, 1)?,
        )
        .bad("bad_signature"),
        case("a checkpoint without a number", &without_seq)
            .strict_only()
            .bad("malformed_claims"),
    ])
}
