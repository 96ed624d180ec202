//! License keys, good and bad.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use kitward_keys::{KeyPrefix, LicenseKey, MacKey, SigningKey, lookup_digest};
use serde_json::{Value, json};

use crate::{Outcome, seeds};

/// What a reader must find for one text.
enum Expect {
    /// Refused when parsed, for this reason.
    Refused(&'static str),
    /// Parsed; MAC and signature as given, `ok` or the reason.
    Parsed { mac: bool, signature: &'static str },
}

const GENUINE: Expect = Expect::Parsed {
    mac: true,
    signature: "ok",
};

pub(crate) fn file() -> Outcome<Value> {
    let mut cases = genuine_cases()?;
    cases.extend(pasted_cases()?);
    cases.extend(forged_cases()?);
    cases.extend(malformed_cases()?);
    Ok(json!({
        "description": "License keys; the fields are described in README.md",
        "key_set": "jwks.json",
        "mac_keys": [HEXLOWER.encode(&seeds::MAC)],
        "pepper": HEXLOWER.encode(&seeds::PEPPER),
        "cases": cases,
    }))
}

fn case(name: &str, text: &str, prefix: &str, expect: &Expect) -> Outcome<Value> {
    let expect = match expect {
        Expect::Refused(reason) => json!({ "parse": reason }),
        Expect::Parsed { mac, signature } => {
            let key = LicenseKey::parse(text, &KeyPrefix::parse(prefix)?)?;
            let input = key.lookup_input();
            json!({
                "parse": "ok",
                "canonical": key.reveal().as_str(),
                "key_id": HEXLOWER.encode(&key.key_id()),
                "hint": key.hint(),
                "lookup_input": HEXLOWER.encode(&input),
                "lookup_digest": HEXLOWER.encode(&lookup_digest(&seeds::PEPPER, &input)),
                "mac": mac,
                "signature": signature,
            })
        }
    };
    Ok(json!({ "name": name, "text": text, "prefix": prefix, "expect": expect }))
}

fn issue(prefix: &str, signing: &SigningKey, mac: &MacKey, random: u8) -> Outcome<String> {
    let key = LicenseKey::issue(&KeyPrefix::parse(prefix)?, signing, mac, [random; 16])?;
    Ok(key.reveal().to_string())
}

fn genuine() -> Outcome<String> {
    issue("kwl", &seeds::license(), &seeds::mac(), 0x5c)
}

fn genuine_cases() -> Outcome<Vec<Value>> {
    let acme = issue("acme2024", &seeds::license(), &seeds::mac(), 0x5c)?;
    let zeros = issue("kwl", &seeds::license(), &seeds::mac(), 0)?;
    let ones = issue("kwl", &seeds::license(), &seeds::mac(), 0xff)?;
    let retired = issue("kwl", &seeds::retired_license(), &seeds::mac(), 0x5c)?;
    Ok(vec![
        case("genuine", &genuine()?, "kwl", &GENUINE)?,
        case("genuine, random part all zero", &zeros, "kwl", &GENUINE)?,
        case("genuine, random part all one", &ones, "kwl", &GENUINE)?,
        case(
            "genuine, a vendor's own prefix",
            &acme,
            "acme2024",
            &GENUINE,
        )?,
        case(
            "genuine, signed with a retired key",
            &retired,
            "kwl",
            &GENUINE,
        )?,
    ])
}

fn pasted_cases() -> Outcome<Vec<Value>> {
    let text = genuine()?;
    let wrapped = grouped(&text, 60, "\r\n  ");
    let hyphens = grouped(&text, 5, "-").to_uppercase();
    let dashes = grouped(&text, 5, "\u{2011}\u{2013}\u{2014}\u{2212}");
    let invisible = grouped(
        &text,
        7,
        "\u{200b}\u{feff}\u{ad}\u{2060}\u{a0}\u{3000}\u{85}\u{2028}",
    );
    let mixed: String = text
        .chars()
        .enumerate()
        .map(|(at, letter)| {
            if at % 2 == 0 {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect();
    Ok(vec![
        case("pasted in capitals", &text.to_uppercase(), "kwl", &GENUINE)?,
        case("pasted in mixed case", &mixed, "kwl", &GENUINE)?,
        case("pasted with wrapped lines", &wrapped, "kwl", &GENUINE)?,
        case(
            "pasted with hyphens, in capitals",
            &hyphens,
            "kwl",
            &GENUINE,
        )?,
        case("pasted with typographic dashes", &dashes, "kwl", &GENUINE)?,
        case(
            "pasted with invisible characters",
            &invisible,
            "kwl",
            &GENUINE,
        )?,
        case(
            "pasted in straight quotes",
            &format!(" \"'`{text}`'\"\n"),
            "kwl",
            &GENUINE,
        )?,
        case(
            "pasted in typographic quotes",
            &format!("\u{201e}\u{ab}{text}\u{bb}\u{201c}"),
            "kwl",
            &GENUINE,
        )?,
        case(
            "pasted with a wrap inside the prefix",
            &text.replacen("kwl_", "k\nw l_", 1),
            "kwl",
            &GENUINE,
        )?,
    ])
}

fn forged_cases() -> Outcome<Vec<Value>> {
    let text = genuine()?;
    let bad = |mac, signature| Expect::Parsed { mac, signature };
    let other_mac = MacKey::from_bytes(seeds::OTHER_MAC);
    let unknown = issue("kwl", &seeds::unknown_license(), &seeds::mac(), 0x5c)?;
    let compromised = issue("kwl", &seeds::compromised_license(), &seeds::mac(), 0x5c)?;
    let foreign_mac = issue("kwl", &seeds::license(), &other_mac, 0x5c)?;
    let relabeled =
        issue("acme", &seeds::license(), &seeds::mac(), 0x5c)?.replacen("acme", "kwl", 1);
    let invalid = bad(false, "bad_signature");
    let bit = |at, flip| with_bits(&text, at, flip);
    Ok(vec![
        case(
            "one bit changed in the key id",
            &bit(1, 1)?,
            "kwl",
            &bad(false, "unknown_key"),
        )?,
        case(
            "one bit changed in the random part",
            &bit(20, 1)?,
            "kwl",
            &invalid,
        )?,
        case(
            "one bit changed in the MAC",
            &bit(21, 0x80)?,
            "kwl",
            &bad(false, "ok"),
        )?,
        case(
            "one bit changed in the signature",
            &bit(29, 1)?,
            "kwl",
            &invalid,
        )?,
        case(
            "last bit changed in the signature",
            &bit(92, 1)?,
            "kwl",
            &invalid,
        )?,
        case("MAC of another key", &foreign_mac, "kwl", &bad(false, "ok"))?,
        case("issued under another prefix", &relabeled, "kwl", &invalid)?,
        case(
            "signed with an unknown key",
            &unknown,
            "kwl",
            &bad(true, "unknown_key"),
        )?,
        case(
            "signed with a compromised key",
            &compromised,
            "kwl",
            &bad(true, "key_compromised"),
        )?,
    ])
}

fn malformed_cases() -> Outcome<Vec<Value>> {
    let text = genuine()?;
    let refused =
        |name: &str, text: &str, reason| case(name, text, "kwl", &Expect::Refused(reason));
    let truncated: String = text.chars().take(text.len() - 1).collect();
    let half: String = text.chars().take(80).collect();
    Ok(vec![
        refused("empty", "", "wrong_prefix")?,
        refused(
            "another vendor's prefix",
            &text.replacen("kwl_", "acme_", 1),
            "wrong_prefix",
        )?,
        refused("no prefix", &text.replacen("kwl_", "", 1), "wrong_prefix")?,
        refused(
            "a longer word before the underscore",
            &format!("x{text}"),
            "wrong_prefix",
        )?,
        refused(
            "a key of another system",
            "A1B2C3D4-E5F6A7B8-C9D0E1F2-A3B4C5D6",
            "wrong_prefix",
        )?,
        refused("prefix alone", "kwl_", "bad_length")?,
        refused("last character missing", &truncated, "bad_length")?,
        refused("second half missing", &half, "bad_length")?,
        refused("one character more", &format!("{text}a"), "bad_length")?,
        refused("padded", &format!("{text}==="), "bad_length")?,
        refused("pasted twice", &format!("{text} {text}"), "bad_length")?,
        refused(
            "a digit outside the alphabet",
            &text.replacen("kwl_a", "kwl_0", 1),
            "bad_character",
        )?,
        refused(
            "a letter that looks alike",
            &text.replacen("kwl_a", "kwl_\u{430}", 1),
            "bad_character",
        )?,
        refused(
            "non-canonical trailing bit",
            &with_trailing_bit(&text)?,
            "trailing_bits",
        )?,
        refused(
            "a later version",
            &with_bits(&text, 0, 3)?,
            "unknown_version",
        )?,
        refused("version zero", &with_bits(&text, 0, 1)?, "unknown_version")?,
        refused("too long", &text.repeat(7), "too_long")?,
    ])
}

fn grouped(text: &str, size: usize, between: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let groups: Vec<String> = letters
        .chunks(size)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(between)
}

fn bytes_of(text: &str) -> Outcome<Vec<u8>> {
    let encoded = text.strip_prefix("kwl_").ok_or("not a key")?;
    Ok(BASE32_NOPAD.decode(encoded.to_uppercase().as_bytes())?)
}

fn with_bits(text: &str, at: usize, flip: u8) -> Outcome<String> {
    let mut bytes = bytes_of(text)?;
    *bytes.get_mut(at).ok_or("beyond the key")? ^= flip;
    Ok(format!(
        "kwl_{}",
        BASE32_NOPAD.encode(&bytes).to_lowercase()
    ))
}

/// The same bytes, written with the unused bit of the last character set.
fn with_trailing_bit(text: &str) -> Outcome<String> {
    let mut bytes = bytes_of(text)?;
    bytes.push(0x80);
    let longer = BASE32_NOPAD.encode(&bytes).to_lowercase();
    let encoded: String = longer.chars().take(text.len() - "kwl_".len()).collect();
    Ok(format!("kwl_{encoded}"))
}
