//! Signatures of files, good and bad.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kitward_keys::{
    FileComment, FileSignature, KeyState, MinisignKey, Prehash, SigningKey, sign_file,
};
use serde_json::{Value, json};

use crate::{Outcome, seeds};

const BYTES: &str = "the bytes of a kit\n";
const COMMENT: FileComment<'static> = FileComment {
    timestamp: 1_800_000_000,
    file: "feedback-widget-1.3.0.zip",
    version: "1.3.0",
    kit: "feedback-widget",
    channel: "stable",
};

fn signed(key: &SigningKey, bytes: &str, comment: &FileComment<'_>) -> Outcome<FileSignature> {
    Ok(sign_file(key, &Prehash::of(bytes.as_bytes()), comment)?)
}

fn case(name: &str, signature: &str, result: &str) -> Value {
    json!({
        "name": name,
        "bytes": BYTES,
        "signature": signature,
        "file": COMMENT.file,
        "version": COMMENT.version,
        "result": result,
    })
}

/// The text with one line of another.
fn with_line(text: &str, at: usize, other: &str) -> Outcome<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    *lines.get_mut(at).ok_or("beyond the text")? =
        other.lines().nth(at).ok_or("beyond the other")?;
    Ok(lines.join("\n") + "\n")
}

pub(crate) fn file() -> Outcome<Value> {
    let good = signed(&seeds::artifact(), BYTES, &COMMENT)?.to_string();
    let older = FileComment {
        version: "1.2.0",
        ..COMMENT
    };
    let older_bytes = signed(&seeds::artifact(), "older bytes\n", &older)?.to_string();
    let older_comment = signed(&seeds::artifact(), BYTES, &older)?.to_string();
    let unknown = signed(&seeds::unknown_artifact(), BYTES, &COMMENT)?.to_string();
    let whole = format!(
        "untrusted comment: x\n{}",
        STANDARD.encode([&b"Ed"[..], &[0; 72]].concat())
    );
    let cases = vec![
        case("a signature", &good, "ok"),
        case(
            "a signature with lines of Windows",
            &good.replace('\n', "\r\n"),
            "ok",
        ),
        case(
            "a signature without its last line end",
            good.trim_end(),
            "ok",
        ),
        case("a signature of other bytes", &older_bytes, "bad_signature"),
        case(
            "a genuine comment of another file",
            &with_line(&with_line(&good, 2, &older_bytes)?, 3, &older_bytes)?,
            "bad_comment",
        ),
        case(
            "a changed comment",
            &good.replace("1.3.0\tkit", "1.4.0\tkit"),
            "bad_comment",
        ),
        case(
            "an older version of the same bytes",
            &older_comment,
            "other_file",
        ),
        case("a signature with an unknown key", &unknown, "unknown_key"),
        case(
            "a signature over the whole file",
            &with_line(&good, 1, &whole)?,
            "not_prehashed",
        ),
        case(
            "a signature cut off",
            &good.lines().take(3).collect::<Vec<_>>().join("\n"),
            "malformed",
        ),
        case("no signature", "", "malformed"),
    ];
    let key = MinisignKey::of(&seeds::artifact().public(KeyState::Active)).ok_or("a key")?;
    Ok(json!({
        "description": "Signatures of files; the fields are described in README.md",
        "public_key": key.to_string(),
        "cases": cases,
    }))
}
