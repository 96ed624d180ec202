//! The claims that the vectors sign.

use kitward_keys::{
    ActivationClaims, ArtifactClaims, Audience, CheckpointClaims, DocumentClaims, LicenseClaims,
    LicenseTextClaims, ReleaseClaims, Scope, SeatsClaims, StampClaims, StampedClaims, UpdateClaims,
};

pub(crate) const ISSUER: &str = "inst_01jz8q4x6vf5htd2m9c0k7r3we";
pub(crate) const KIT: &str = "feedback-widget";
pub(crate) const ALIAS: &str = "feedback-kit";
pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUED: i64 = NOW - 3_600;
pub(crate) const ENDS: i64 = ISSUED + 14 * 86_400;

const LICENSE: &str = "lic_01jz8q4x6vf5htd2m9c0k7r3wf";

fn license() -> LicenseClaims {
    LicenseClaims {
        id: LICENSE.to_owned(),
        key_hint: "q7m3xa".to_owned(),
        edition: "Team".to_owned(),
        status: "active".to_owned(),
        scope: Scope::Kits(vec![KIT.to_owned()]),
        valid_until: None,
        updates_until: Some("2027-06-30T00:00:00Z".to_owned()),
        entitlements: vec!["white-label".to_owned()],
        seats: SeatsClaims {
            kind: "device".to_owned(),
            used: 1,
            limit: Some(5),
        },
    }
}

/// A license file for one device.
pub(crate) fn license_file() -> DocumentClaims {
    DocumentClaims {
        iss: ISSUER.to_owned(),
        aud: Audience::One(KIT.to_owned()),
        sub: LICENSE.to_owned(),
        iat: ISSUED,
        exp: ENDS,
        nonce: None,
        jti: "01jz8q4x6vf5htd2m9c0k7r3wg".to_owned(),
        code: "VALID".to_owned(),
        valid: true,
        license: Some(license()),
        activation: Some(ActivationClaims {
            id: "act_01jz8q4x6vf5htd2m9c0k7r3wh".to_owned(),
            kind: "device".to_owned(),
            identity: "Küche-7f3a".to_owned(),
        }),
    }
}

/// A license file that covers every kit on any number of seats.
pub(crate) fn unlimited_file() -> DocumentClaims {
    let seats = SeatsClaims {
        kind: "none".to_owned(),
        used: 0,
        limit: None,
    };
    let license = LicenseClaims {
        scope: Scope::All,
        seats,
        updates_until: None,
        ..license()
    };
    DocumentClaims {
        aud: Audience::of(KIT, ALIAS),
        license: Some(license),
        activation: None,
        ..license_file()
    }
}

/// The verdict on a known key, bound to a nonce.
pub(crate) fn verdict() -> DocumentClaims {
    DocumentClaims {
        exp: ISSUED + 600,
        nonce: Some("n-5f2c".to_owned()),
        ..license_file()
    }
}

/// The verdict on an unknown key.
pub(crate) fn refusal() -> DocumentClaims {
    DocumentClaims {
        sub: "-".to_owned(),
        code: "NOT_FOUND".to_owned(),
        valid: false,
        license: None,
        activation: None,
        ..verdict()
    }
}

/// A signature file as minisign writes it; vectors of its own tell what it has to hold.
const SIGNATURE: &str = "untrusted comment: signature from kitward\nRUQ=\ntrusted comment: timestamp:1800000000\nAA==\n";

/// A manifest that offers a release.
pub(crate) fn update() -> UpdateClaims {
    let artifact = ArtifactClaims {
        name: "feedback-widget-1.3.0.zip".to_owned(),
        kind: "zip".to_owned(),
        platform: None,
        arch: None,
        size: 482_113,
        sha256: "5f".repeat(32),
        sha512: "c4".repeat(64),
        signature: Some(SIGNATURE.to_owned()),
        stamped: false,
        url: "https://licenses.example.com/v1/kits/feedback-widget/releases/1.3.0/artifacts/feedback-widget-1.3.0.zip".to_owned(),
    };
    let release = ReleaseClaims {
        version: "1.3.0".to_owned(),
        channel: "stable".to_owned(),
        severity: "security".to_owned(),
        published_at: "2027-01-14T09:30:00Z".to_owned(),
        notes: Some("- Escapes names in the inbox\n- Fewer requests".to_owned()),
        minimum_version: Some("1.1.0".to_owned()),
        artifacts: vec![artifact],
    };
    UpdateClaims {
        iss: ISSUER.to_owned(),
        aud: Audience::One(KIT.to_owned()),
        sub: LICENSE.to_owned(),
        iat: ISSUED,
        exp: ISSUED + 86_400,
        nonce: None,
        jti: "01jz8q4x6vf5htd2m9c0k7r3wj".to_owned(),
        available: true,
        release: Some(release),
        compare_url: Some(
            "https://licenses.example.com/v1/kits/feedback-widget/compare/1.2.4...1.3.0".to_owned(),
        ),
        last_entitled_version: None,
        updates_until: Some("2027-06-30T00:00:00Z".to_owned()),
        renew_url: None,
    }
}

/// A manifest of an open kit, for who shows no license, with files for one machine.
pub(crate) fn anonymous_update() -> UpdateClaims {
    let mut claims = UpdateClaims {
        sub: "-".to_owned(),
        updates_until: None,
        ..update()
    };
    let artifacts = claims.release.iter_mut().flat_map(|it| &mut it.artifacts);
    for artifact in artifacts {
        artifact.platform = Some("linux".to_owned());
        artifact.arch = Some("x86_64".to_owned());
    }
    claims
}

/// A checkpoint of the audit log.
pub(crate) fn checkpoint() -> CheckpointClaims {
    CheckpointClaims {
        iss: ISSUER.to_owned(),
        iat: ISSUED,
        seq: 4_711,
        hash: "5f".repeat(32),
    }
}

/// A stamp.
pub(crate) fn stamp() -> StampClaims {
    StampClaims {
        iss: ISSUER.to_owned(),
        aud: KIT.to_owned(),
        sub: "lic_01jz8q4x6vf5htd2m9c0k7r3wj".to_owned(),
        iat: ISSUED,
        nonce: "dGhlIG5vbmNlIG9mIDE2IQ".to_owned(),
        customer: "cus_01jz8q4x6vf5htd2m9c0k7r3wk".to_owned(),
        order: Some("ord_01jz8q4x6vf5htd2m9c0k7r3wm".to_owned()),
        license_text: Some(LicenseTextClaims {
            name: "standard".to_owned(),
            version: 2,
        }),
        artifact: StampedClaims {
            name: "feedback-widget-1.3.0.zip".to_owned(),
            version: "1.3.0".to_owned(),
            sha256: "2c".repeat(32),
        },
    }
}

/// A manifest that says there is nothing newer.
pub(crate) fn no_update() -> UpdateClaims {
    UpdateClaims {
        available: false,
        release: None,
        compare_url: None,
        last_entitled_version: Some("1.2.4".to_owned()),
        renew_url: Some("https://licenses.example.com/licenses/renew".to_owned()),
        nonce: Some("n-77".to_owned()),
        ..update()
    }
}
