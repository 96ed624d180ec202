//! A verdict for each code of the closed list, and one that is not on it yet.

use kitward_keys::DocumentType::{License, Verdict};
use kitward_keys::jws::sign;
use kitward_keys::{DocumentClaims, LicenseClaims};
use serde_json::Value;

use super::case::Case;
use crate::claims::{self, ISSUED};
use crate::{Outcome, seeds};

/// Code, whether the kit may run, the license's status, whether a seat is held.
const CODES: [(&str, bool, &str, bool); 15] = [
    ("KIT_MISMATCH", false, "active", false),
    ("KEY_REPLACED", false, "active", false),
    ("MERGED", false, "merged", false),
    ("REVOKED", false, "revoked", true),
    ("SUSPENDED", false, "suspended", true),
    ("NOT_STARTED", false, "pending", false),
    ("EXPIRED", false, "expired", true),
    ("ENTITLEMENT_MISSING", false, "active", true),
    ("VERSION_NOT_COVERED", false, "lapsed", true),
    ("IDENTITY_REQUIRED", false, "active", false),
    ("NOT_ACTIVATED", false, "active", false),
    ("SEATS_EXHAUSTED", false, "active", false),
    ("OVER_LIMIT", true, "active", true),
    ("GRACE", true, "grace", true),
    // Readers branch on `valid`, never on a list of codes of their own.
    ("TOMORROWS_CODE", true, "tomorrows_status", true),
];

pub(super) fn cases() -> Outcome<Vec<Value>> {
    let mut cases = Vec::new();
    for (code, valid, status, seated) in CODES {
        let claims = verdict(code, valid, status, seated);
        let token = sign(Verdict, &seeds::document(), &claims)?;
        let name = format!("a verdict that says {code}");
        cases.push(
            Case::new(&name, Verdict, &token)
                .at(ISSUED + 5, 0)
                .nonce("n-5f2c")
                .good(&claims)?,
        );
        if !valid {
            let name = format!("{code} where a license file is due");
            cases.push(
                Case::new(&name, License, &token)
                    .at(ISSUED + 5, 0)
                    .bad("wrong_type"),
            );
        }
    }
    Ok(cases)
}

fn verdict(code: &str, valid: bool, status: &str, seated: bool) -> DocumentClaims {
    let claims = claims::verdict();
    let license = claims.license.map(|license| LicenseClaims {
        status: status.to_owned(),
        ..license
    });
    DocumentClaims {
        code: code.to_owned(),
        valid,
        license,
        activation: claims.activation.filter(|_| seated),
        ..claims::verdict()
    }
}
