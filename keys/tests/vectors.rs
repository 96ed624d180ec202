//! The public test vectors, read as any client library reads them: files in, verdicts out.

#![forbid(unsafe_code)]

use data_encoding::HEXLOWER;
use kitward_keys::{
    DocumentType, Expected, ExpectedRing, FileComment, FileSignature, Jwks, KeyPrefix, KnownRing,
    LicenseKey, MacKey, MinisignKey, Prehash, PublicKeys, VerifyError, lookup_digest,
    verify_checkpoint, verify_document, verify_stamp, verify_update,
};
use serde::Deserialize;
use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn keys() -> Outcome<PublicKeys> {
    let jwks: Jwks = serde_json::from_str(include_str!("vectors/jwks.json"))?;
    Ok(PublicKeys::from_jwks(&jwks)?)
}

fn bytes<const N: usize>(hex: &str) -> Outcome<[u8; N]> {
    let decoded = HEXLOWER.decode(hex.as_bytes())?;
    <[u8; N]>::try_from(decoded).map_err(|wrong| format!("{} bytes", wrong.len()).into())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenseKeyFile {
    #[serde(rename = "description")]
    _description: String,
    #[serde(rename = "key_set")]
    _key_set: String,
    mac_keys: Vec<String>,
    pepper: String,
    cases: Vec<LicenseKeyCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenseKeyCase {
    name: String,
    text: String,
    prefix: String,
    expect: LicenseKeyExpectation,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum LicenseKeyExpectation {
    Parsed {
        #[serde(rename = "parse")]
        _parse: String,
        canonical: String,
        key_id: String,
        hint: String,
        lookup_input: String,
        lookup_digest: String,
        mac: bool,
        signature: String,
    },
    Refused {
        parse: String,
    },
}

#[test]
fn every_license_key_vector_holds() -> Outcome<()> {
    let file: LicenseKeyFile = serde_json::from_str(include_str!("vectors/license_keys.json"))?;
    let keys = keys()?;
    let macs: Outcome<Vec<MacKey>> = file
        .mac_keys
        .iter()
        .map(|hex| Ok(MacKey::from_bytes(bytes(hex)?)))
        .collect();
    let (macs, pepper) = (macs?, bytes(&file.pepper)?);
    assert!(file.cases.len() > 30);
    for case in &file.cases {
        check_license_key(case, &keys, &macs, &pepper)?;
    }
    Ok(())
}

fn check_license_key(
    case: &LicenseKeyCase,
    keys: &PublicKeys,
    macs: &[MacKey],
    pepper: &[u8; 32],
) -> Outcome<()> {
    let name = &case.name;
    let parsed = LicenseKey::parse(&case.text, &KeyPrefix::parse(&case.prefix)?);
    match &case.expect {
        LicenseKeyExpectation::Refused { parse } => {
            assert_eq!(
                parsed.err().map(|reason| reason.code()),
                Some(parse.as_str()),
                "{name}"
            );
        }
        LicenseKeyExpectation::Parsed {
            canonical,
            key_id,
            hint,
            lookup_input,
            lookup_digest: digest,
            mac,
            signature,
            ..
        } => {
            let key = parsed.map_err(|reason| format!("{name}: {reason}"))?;
            let input = key.lookup_input();
            assert_eq!(key.reveal().as_str(), canonical, "{name}");
            assert_eq!(HEXLOWER.encode(&key.key_id()), *key_id, "{name}");
            assert_eq!(key.hint(), *hint, "{name}");
            assert_eq!(HEXLOWER.encode(&input), *lookup_input, "{name}");
            assert_eq!(
                HEXLOWER.encode(&lookup_digest(pepper, &input)),
                *digest,
                "{name}"
            );
            assert_eq!(key.has_valid_mac(macs), *mac, "{name}");
            assert_eq!(
                key.verify(keys).map_or_else(|e| e.code(), |()| "ok"),
                signature,
                "{name}"
            );
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct DocumentFile {
    cases: Vec<DocumentCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentCase {
    name: String,
    typ: String,
    token: String,
    issuer: Option<String>,
    audience: Option<String>,
    now: i64,
    leeway: i64,
    nonce: Option<String>,
    #[serde(rename = "strict_only")]
    _strict_only: bool,
    result: String,
    claims: Option<Value>,
}

impl DocumentCase {
    /// The claims as this version knows them.
    fn read(&self, keys: &PublicKeys) -> Outcome<Result<Value, VerifyError>> {
        let expected = Expected {
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref().unwrap_or_default(),
            now: self.now,
            leeway: self.leeway,
            nonce: self.nonce.as_deref(),
        };
        let document = |typ| verify_document(&self.token, typ, keys, &expected);
        let read = match self.typ.as_str() {
            "license+jwt" => document(DocumentType::License).map(serde_json::to_value),
            "verdict+jwt" => document(DocumentType::Verdict).map(serde_json::to_value),
            "update+jwt" => verify_update(&self.token, keys, &expected).map(serde_json::to_value),
            "checkpoint+jwt" => {
                verify_checkpoint(&self.token, keys, expected.issuer).map(serde_json::to_value)
            }
            "stamp+jwt" => {
                verify_stamp(&self.token, keys, expected.issuer).map(serde_json::to_value)
            }
            other => return Err(format!("unknown type {other}").into()),
        };
        Ok(match read {
            Ok(claims) => Ok(claims?),
            Err(reason) => Err(reason),
        })
    }
}

fn check_documents(json: &str) -> Outcome<usize> {
    let file: DocumentFile = serde_json::from_str(json)?;
    let keys = keys()?;
    for case in &file.cases {
        let read = case.read(&keys)?;
        let result = read.as_ref().map_or_else(VerifyError::code, |_| "ok");
        assert_eq!(result, case.result, "{}", case.name);
        let expected = case.claims.clone().map(without_later_claims);
        assert_eq!(read.ok(), expected, "{}", case.name);
    }
    Ok(file.cases.len())
}

/// Claims added later are ignored, so they are not in what this version read.
fn without_later_claims(mut claims: Value) -> Value {
    claims
        .as_object_mut()
        .map(|members| members.remove("added_later"));
    claims
}

#[test]
fn every_document_vector_holds() -> Outcome<()> {
    assert!(check_documents(include_str!("vectors/documents.json"))? > 50);
    Ok(())
}

#[test]
fn every_update_vector_holds() -> Outcome<()> {
    assert!(check_documents(include_str!("vectors/updates.json"))? > 5);
    Ok(())
}

#[test]
fn every_checkpoint_vector_holds() -> Outcome<()> {
    assert!(check_documents(include_str!("vectors/checkpoints.json"))? > 5);
    Ok(())
}

#[test]
fn every_stamp_vector_holds() -> Outcome<()> {
    assert!(check_documents(include_str!("vectors/stamps.json"))? > 10);
    Ok(())
}

#[test]
fn every_vector_of_a_files_signature_holds() -> Outcome<()> {
    #[derive(Deserialize)]
    struct Case {
        name: String,
        bytes: String,
        signature: String,
        file: String,
        version: String,
        result: String,
    }
    #[derive(Deserialize)]
    struct File {
        public_key: String,
        cases: Vec<Case>,
    }
    let file: File = serde_json::from_str(include_str!("vectors/minisign.json"))?;
    let keys = [MinisignKey::parse(&file.public_key)?];
    assert!(file.cases.len() > 10);
    for case in &file.cases {
        let asked = FileComment {
            timestamp: 0,
            file: &case.file,
            version: &case.version,
            kit: "feedback-widget",
            channel: "stable",
        };
        let read = FileSignature::parse(&case.signature).and_then(|signature| {
            let comment = signature.verify(&keys, &Prehash::of(case.bytes.as_bytes()))?;
            asked.check(comment)
        });
        let result = read.map_or_else(|error| error.code(), |()| "ok");
        assert_eq!(result, case.result, "{}", case.name);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RingCase {
    name: String,
    #[serde(rename = "typ")]
    _typ: String,
    token: String,
    issuer: Option<String>,
    known_version: u64,
    now: i64,
    leeway: i64,
    #[serde(rename = "strict_only")]
    _strict_only: bool,
    result: String,
    claims: Option<Value>,
}

#[test]
fn every_key_ring_vector_holds() -> Outcome<()> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<RingCase>,
    }
    let file: File = serde_json::from_str(include_str!("vectors/key_rings.json"))?;
    assert!(file.cases.len() > 20);
    for case in &file.cases {
        let known = KnownRing::new(case.known_version, keys()?);
        let expected = ExpectedRing {
            issuer: case.issuer.as_deref(),
            now: case.now,
            leeway: case.leeway,
        };
        let read = known.follow(&case.token, &expected);
        let result = read.as_ref().map_or_else(VerifyError::code, |_| "ok");
        assert_eq!(result, case.result, "{}", case.name);
        let read = read.ok();
        let listed = read
            .as_ref()
            .map(|ring| serde_json::to_value(ring.keys().to_jwks()));
        let claimed = case.claims.as_ref();
        assert_eq!(
            listed.transpose()?.as_ref().map(|jwks| &jwks["keys"]),
            claimed.map(|claims| &claims["keys"]),
            "{}",
            case.name
        );
        assert_eq!(
            read.map(|ring| ring.version()),
            claimed.and_then(|claims| claims["version"].as_u64()),
            "{}",
            case.name
        );
    }
    Ok(())
}

#[test]
fn a_reader_that_followed_the_ring_refuses_what_the_stolen_key_signed() -> Outcome<()> {
    let rings: Value = serde_json::from_str(include_str!("vectors/key_rings.json"))?;
    let documents: Value = serde_json::from_str(include_str!("vectors/documents.json"))?;
    let text = |file: &Value| file["cases"][0]["token"].as_str().map(str::to_owned);
    let expected = ExpectedRing {
        issuer: None,
        now: 1_800_000_000,
        leeway: 0,
    };
    let shipped = KnownRing::new(0, keys()?);
    let followed = shipped.follow(&text(&rings).ok_or("no ring")?, &expected)?;
    let file = text(&documents).ok_or("no license file")?;
    let read = |ring: &KnownRing| {
        let expected = Expected {
            issuer: None,
            audience: "feedback-widget",
            now: 1_800_000_000,
            leeway: 0,
            nonce: None,
        };
        let read = verify_document(&file, DocumentType::License, ring.keys(), &expected);
        read.map(|_claims| ())
    };
    assert_eq!(read(&shipped), Ok(()));
    assert_eq!(read(&followed), Err(VerifyError::KeyCompromised));
    Ok(())
}

/// Every reason for which a reader may refuse, as the words of `VerifyError`.
const REASONS: [&str; 18] = [
    "too_large",
    "malformed_token",
    "malformed_header",
    "duplicate_member",
    "wrong_algorithm",
    "critical_header",
    "wrong_type",
    "unknown_key",
    "wrong_purpose",
    "key_compromised",
    "bad_signature",
    "malformed_claims",
    "wrong_issuer",
    "wrong_audience",
    "issued_in_future",
    "expired",
    "wrong_nonce",
    "older_version",
];

#[test]
fn every_reason_for_a_refusal_has_a_vector() -> Outcome<()> {
    let files = [
        include_str!("vectors/documents.json"),
        include_str!("vectors/updates.json"),
        include_str!("vectors/key_rings.json"),
        include_str!("vectors/checkpoints.json"),
    ];
    let mut seen = std::collections::BTreeSet::new();
    for file in files {
        let file: Value = serde_json::from_str(file)?;
        let cases = file["cases"].as_array().ok_or("cases")?.clone();
        seen.extend(
            cases
                .iter()
                .filter_map(|case| case["result"].as_str().map(str::to_owned)),
        );
    }
    let mut expected: std::collections::BTreeSet<String> =
        REASONS.iter().map(|&reason| reason.to_owned()).collect();
    expected.insert("ok".to_owned());
    assert_eq!(seen, expected);
    Ok(())
}
