//! Tokens that were cut, changed, re-encoded, or say one thing twice.

use kitward_keys::DocumentType::License;
use serde_json::Value;

use super::case::Case;
use super::license_token;
use crate::tokens::{base64url, header_with, malleable, parts, signed, signed_parts, with_bit};
use crate::{Outcome, claims, seeds};

pub(crate) fn cases() -> Outcome<Vec<Value>> {
    let mut cases = changed()?;
    cases.extend(cut()?);
    cases.extend(encoded_otherwise()?);
    cases.extend(said_twice()?);
    cases.push(swollen()?);
    Ok(cases)
}

fn refused(name: &str, token: &str, reason: &str) -> Value {
    Case::new(name, License, token).bad(reason)
}

fn strictly_refused(name: &str, token: &str, reason: &str) -> Value {
    Case::new(name, License, token).strict_only().bad(reason)
}

/// Rightly signed, and larger than a reader has to take.
fn swollen() -> Outcome<Value> {
    let padding = serde_json::json!({ "padding": "x".repeat(50_000) });
    let claims = super::case::with_members(&claims::license_file(), &padding)?;
    let token = signed(
        &seeds::document(),
        &header_with("alg", "EdDSA".into()),
        &claims.to_string(),
    );
    Ok(strictly_refused(
        "more than 65536 bytes",
        &token,
        "too_large",
    ))
}

fn changed() -> Outcome<Vec<Value>> {
    let token = license_token()?;
    let [header, _, signature] = parts(&token)?;
    let forever = serde_json::to_string(&kitward_keys::DocumentClaims {
        exp: i64::from(u32::MAX),
        ..claims::license_file()
    })?;
    let longer = [header, forever.into_bytes(), signature]
        .map(base64url)
        .join(".");
    Ok(vec![
        refused(
            "one bit changed in the claims",
            &with_bit(&token, 1, 12, 1)?,
            "bad_signature",
        ),
        refused(
            "one bit changed in the signature",
            &with_bit(&token, 2, 0, 1)?,
            "bad_signature",
        ),
        refused(
            "last bit changed in the signature",
            &with_bit(&token, 2, 63, 0x80)?,
            "bad_signature",
        ),
        refused("end moved into the future", &longer, "bad_signature"),
        refused(
            "second form of the signature",
            &malleable(&token)?,
            "bad_signature",
        ),
    ])
}

fn cut() -> Outcome<Vec<Value>> {
    let token = license_token()?;
    let (unsigned, _) = token.rsplit_once('.').ok_or("no dots")?;
    let keep = |count: usize| token.chars().take(count).collect::<String>();
    Ok(vec![
        refused("empty", "", "malformed_token"),
        refused("no dots", "license", "malformed_token"),
        refused("one dot", unsigned, "malformed_token"),
        refused("three dots", &format!("{token}.AAAA"), "malformed_token"),
        refused("signature empty", &format!("{unsigned}."), "bad_signature"),
        refused(
            "truncated by four characters",
            &keep(token.len() - 4),
            "bad_signature",
        ),
        refused(
            "truncated in the claims",
            &keep(unsigned.len() - 20),
            "malformed_token",
        ),
    ])
}

fn encoded_otherwise() -> Outcome<Vec<Value>> {
    let token = license_token()?;
    let [header, payload, _] = parts(&token)?;
    let key = seeds::document();
    let padded_payload = format!("{}=", base64url(&payload));
    let last_bits = set_last_bits(&token)?;
    Ok(vec![
        strictly_refused("signature padded", &format!("{token}=="), "malformed_token"),
        strictly_refused(
            "claims padded, and signed so",
            &signed_parts(&key, &base64url(&header), &padded_payload),
            "malformed_token",
        ),
        strictly_refused(
            "line end at the end",
            &format!("{token}\n"),
            "malformed_token",
        ),
        strictly_refused(
            "non-canonical last character",
            &last_bits,
            "malformed_token",
        ),
    ])
}

/// The same signature bytes, written with the unused bits of the last character set.
fn set_last_bits(token: &str) -> Outcome<String> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = token.chars().last().ok_or("empty")?;
    let at = ALPHABET.find(last).ok_or("not base64url")?;
    let other = ALPHABET.chars().nth(at + 1).ok_or("already set")?;
    let rest: String = token.chars().take(token.len() - 1).collect();
    Ok(format!("{rest}{other}"))
}

fn said_twice() -> Outcome<Vec<Value>> {
    let header = header_with("typ", "license+jwt".into());
    let payload = serde_json::to_string(&claims::license_file())?;
    let make = |payload: &str| signed(&seeds::document(), &header, payload);
    let valid_twice = payload.replacen(r#""valid":true"#, r#""valid":false,"valid":true"#, 1);
    let seats_twice = payload.replacen(r#""limit":5"#, r#""limit":5,"limit":500"#, 1);
    let escaped = payload.replacen(r#""exp":"#, r#""\u0065xp":4294967295,"exp":"#, 1);
    Ok(vec![
        strictly_refused("a claim twice", &make(&valid_twice), "duplicate_member"),
        strictly_refused(
            "a nested claim twice",
            &make(&seats_twice),
            "duplicate_member",
        ),
        strictly_refused(
            "a claim twice, once escaped",
            &make(&escaped),
            "duplicate_member",
        ),
        refused("claims that are a list", &make("[]"), "malformed_claims"),
        refused("claims that are no JSON", &make("{"), "malformed_claims"),
    ])
}
