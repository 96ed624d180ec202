//! The same license file at other times, and claims about time that are none.

use kitward_keys::DocumentType::License;
use kitward_keys::jws::sign;
use serde_json::{Value, json};

use super::case::{Case, with_members};
use super::license_token;
use crate::claims::{self, ENDS, ISSUED};
use crate::{Outcome, seeds};

pub(crate) fn cases() -> Outcome<Vec<Value>> {
    let mut cases = clocks()?;
    cases.extend(no_times()?);
    Ok(cases)
}

fn clocks() -> Outcome<Vec<Value>> {
    let token = license_token()?;
    let good = claims::license_file();
    let case = |name| Case::new(name, License, &token);
    Ok(vec![
        case("expired long ago")
            .at(ENDS + 86_400, 60)
            .bad("expired"),
        case("one second before its end")
            .at(ENDS - 1, 0)
            .good(&good)?,
        case("at its end").at(ENDS, 0).bad("expired"),
        case("after its end, within the leeway")
            .at(ENDS + 59, 60)
            .good(&good)?,
        case("after its end, as much as the leeway")
            .at(ENDS + 60, 60)
            .bad("expired"),
        case("at its beginning").at(ISSUED, 0).good(&good)?,
        case("one second before its beginning")
            .at(ISSUED - 1, 0)
            .bad("issued_in_future"),
        case("before its beginning, as much as the leeway")
            .at(ISSUED - 60, 60)
            .good(&good)?,
        case("before its beginning, more than the leeway")
            .at(ISSUED - 61, 60)
            .bad("issued_in_future"),
    ])
}

fn no_times() -> Outcome<Vec<Value>> {
    let changed = |changes: Value| -> Outcome<String> {
        let claims = with_members(&claims::license_file(), &changes)?;
        Ok(sign(License, &seeds::document(), &claims)?)
    };
    let without_end = changed(json!({ "exp": null }))?;
    let without_beginning = changed(json!({ "iat": null }))?;
    let end_as_text = changed(json!({ "exp": ENDS.to_string() }))?;
    let without_verdict = changed(json!({ "valid": null }))?;
    let unknown_claim = json!({ "added_later": { "a": 1 } });
    let with_unknown = changed(unknown_claim.clone())?;
    Ok(vec![
        Case::new("no end", License, &without_end).bad("malformed_claims"),
        Case::new("no beginning", License, &without_beginning).bad("malformed_claims"),
        Case::new("an end written as text", License, &end_as_text)
            .strict_only()
            .bad("malformed_claims"),
        Case::new("neither valid nor invalid", License, &without_verdict)
            .strict_only()
            .bad("malformed_claims"),
        Case::new("a claim that a later version added", License, &with_unknown)
            .good(&with_members(&claims::license_file(), &unknown_claim)?)?,
    ])
}
