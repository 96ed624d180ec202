//! Tokens as the crate would never make them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use kitward_keys::SigningKey;
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::{Outcome, seeds};

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The header of a license file under the active key, with one member changed or removed.
pub(crate) fn header_with(member: &str, value: Value) -> String {
    let kid = seeds::document().kid().to_string();
    let standard = [
        ("alg", "EdDSA".into()),
        ("kid", kid.into()),
        ("typ", "license+jwt".into()),
    ];
    let mut header: Map<String, Value> = standard
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    if value.is_null() {
        header.remove(member);
    } else {
        header.insert(member.to_owned(), value);
    }
    let mut header = Value::from(header);
    header.sort_all_objects();
    header.to_string()
}

/// A real signature over any header and payload.
pub(crate) fn signed(key: &SigningKey, header: &str, payload: &str) -> String {
    signed_parts(key, &base64url(header), &base64url(payload))
}

/// A real signature over two parts that are already encoded.
pub(crate) fn signed_parts(key: &SigningKey, header: &str, payload: &str) -> String {
    let input = format!("{header}.{payload}");
    let signature = ed25519_dalek::SigningKey::from_bytes(&key.to_bytes()).sign(input.as_bytes());
    format!("{input}.{}", base64url(signature.to_bytes()))
}

/// HMAC-SHA256 with the public key as the secret, as in the confusion of algorithms.
pub(crate) fn hs256(key: &SigningKey, header: &str, payload: &str) -> Outcome<String> {
    let input = format!("{}.{}", base64url(header), base64url(payload));
    let public = key.public(kitward_keys::KeyState::Active);
    let mut mac = Hmac::<Sha256>::new_from_slice(public.bytes())?;
    mac.update(input.as_bytes());
    Ok(format!(
        "{input}.{}",
        base64url(mac.finalize().into_bytes())
    ))
}

/// The three parts, decoded.
pub(crate) fn parts(token: &str) -> Outcome<[Vec<u8>; 3]> {
    let parts: Result<Vec<_>, _> = token
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part))
        .collect();
    <[Vec<u8>; 3]>::try_from(parts?).map_err(|parts| format!("{} parts", parts.len()).into())
}

/// The same token with one bit of one decoded part changed.
pub(crate) fn with_bit(token: &str, part: usize, at: usize, flip: u8) -> Outcome<String> {
    let mut decoded = parts(token)?;
    let byte = decoded.get_mut(part).and_then(|bytes| bytes.get_mut(at));
    *byte.ok_or("beyond the token")? ^= flip;
    Ok(decoded.map(base64url).join("."))
}

/// The second form of a signature: its scalar plus the order of the group (RFC 8032 section 8.4).
pub(crate) fn malleable(token: &str) -> Outcome<String> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let [header, payload, mut signature] = parts(token)?;
    let mut carry = 0_u16;
    for (byte, order) in signature.iter_mut().skip(32).zip(ORDER) {
        let [low, high] = (u16::from(*byte) + u16::from(order) + carry).to_le_bytes();
        *byte = low;
        carry = u16::from(high);
    }
    Ok([header, payload, signature].map(base64url).join("."))
}
