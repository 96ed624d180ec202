//! Who sent a webhook: Stripe's signature over the raw bytes of its body.
//!
//! `Stripe-Signature: t=<unix>,v1=<hex>[,v1=…][,v0=…]`, where
//! `v1 = HMAC-SHA256(secret, "{t}.{body}")`. Several `v1` stand there while a secret is being
//! replaced; other schemes say nothing.

use data_encoding::HEXLOWER_PERMISSIVE;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::clock::Timestamp;

/// Seconds a delivery may be older or newer than our clock: bounds how long a recorded one can be
/// sent again.
const TOLERANCE: i64 = 300;

/// Why a delivery is not believed. The caller is told the same in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not of the form above, or without exactly one time.
    #[error("the signature header is malformed")]
    Malformed,
    /// Too old, or from the future.
    #[error("the signature's time is outside of the tolerance")]
    Stale,
    /// Made by none of the secrets, or over another body.
    #[error("no signature fits")]
    Mismatch,
}

/// Checks a header against the body and every configured secret.
pub fn verify(
    header: &str,
    body: &[u8],
    secrets: &[SecretString],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let header = Header::parse(header).ok_or(SignatureError::Malformed)?;
    if now.unix().abs_diff(header.unix) > TOLERANCE.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    let fits = secrets.iter().any(|secret| header.fits(body, secret));
    fits.then_some(()).ok_or(SignatureError::Mismatch)
}

struct Header<'a> {
    /// As sent: this text is what was signed.
    time: &'a str,
    unix: i64,
    signatures: Vec<Vec<u8>>,
}

impl<'a> Header<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut time = None;
        let mut signatures = Vec::new();
        for part in text.split(',') {
            let (scheme, value) = part.trim().split_once('=')?;
            match scheme {
                "t" if time.is_some() => return None,
                "t" => time = Some(value),
                // One that is no hexadecimal text fits nothing; another may.
                "v1" => signatures.extend(HEXLOWER_PERMISSIVE.decode(value.as_bytes())),
                _ => {}
            }
        }
        let time = time.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        let unix = time.parse().ok()?;
        Some(Self {
            time,
            unix,
            signatures,
        })
    }

    fn fits(&self, body: &[u8], secret: &SecretString) -> bool {
        let key = secret.expose_secret().as_bytes();
        // An empty secret is one that anybody has.
        let Some(Ok(mut mac)) = (!key.is_empty()).then(|| Hmac::<Sha256>::new_from_slice(key))
        else {
            return false;
        };
        mac.update(self.time.as_bytes());
        mac.update(b".");
        mac.update(body);
        self.signatures
            .iter()
            .any(|signature| mac.clone().verify_slice(signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const TIME: i64 = 1_700_000_000;
    // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test_secret
    const KNOWN: &str = "248a374f50f943a28b0f6ab50faf9a7e7e29b710fa26df9fb1618b9bf8ea9c9a";

    fn check(header: &str, body: &[u8], secrets: &[&str], at: i64) -> Result<(), SignatureError> {
        let secrets: Vec<_> = secrets.iter().map(|s| SecretString::from(*s)).collect();
        verify(header, body, &secrets, Timestamp::from_unix(at).unwrap())
    }

    fn simple(header: &str) -> Result<(), SignatureError> {
        check(header, BODY, &["whsec_test_secret"], TIME)
    }

    #[test]
    fn a_signature_made_by_another_program_is_accepted() {
        assert_eq!(simple(&format!("t={TIME},v1={KNOWN}")), Ok(()));
        let upper = KNOWN.to_uppercase();
        assert_eq!(simple(&format!("t={TIME}, v1={upper}")), Ok(()));
    }

    #[test]
    fn any_v1_and_any_secret_will_do() {
        let wrong = "00".repeat(32);
        let header = format!("t={TIME},v1={wrong},v1=short,v0={wrong},v1={KNOWN},v2=x");
        assert_eq!(simple(&header), Ok(()));
        let both = ["whsec_new", "whsec_test_secret"];
        assert_eq!(check(&header, BODY, &both, TIME), Ok(()));
        assert_eq!(
            check(&header, BODY, &["whsec_new"], TIME),
            Err(SignatureError::Mismatch)
        );
    }

    #[test]
    fn a_v0_alone_says_nothing() {
        let header = format!("t={TIME},v0={KNOWN}");
        assert_eq!(simple(&header), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_changed_body_or_time_is_refused() {
        let header = format!("t={TIME},v1={KNOWN}");
        let secrets = ["whsec_test_secret"];
        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(check(&header, b"{}", &secrets, TIME), mismatch);
        let later = format!("t={},v1={KNOWN}", TIME + 1);
        assert_eq!(check(&later, BODY, &secrets, TIME), mismatch);
        let cut: String = KNOWN.chars().take(62).collect();
        assert_eq!(simple(&format!("t={TIME},v1={cut}")), mismatch);
    }

    #[test]
    fn five_minutes_are_tolerated_both_ways() {
        let header = format!("t={TIME},v1={KNOWN}");
        let at = |seconds| check(&header, BODY, &["whsec_test_secret"], TIME + seconds);
        for fine in [-300, 300] {
            assert_eq!(at(fine), Ok(()), "{fine}");
        }
        for off in [-301, 301] {
            assert_eq!(at(off), Err(SignatureError::Stale), "{off}");
        }
    }

    #[test]
    fn a_missing_or_repeated_time_is_refused() {
        for header in [
            String::new(),
            "t=".to_owned(),
            format!("v1={KNOWN}"),
            format!("t={TIME},t={TIME},v1={KNOWN}"),
            format!("t=+{TIME},v1={KNOWN}"),
            format!("t=99999999999999999999,v1={KNOWN}"),
            format!("t={TIME},{KNOWN}"),
        ] {
            assert_eq!(simple(&header), Err(SignatureError::Malformed), "{header}");
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let empty = "0544cee61c7f21c4f8ddaa03818d769214fe1cee99d6a47c009139d400184359";
        let header = format!("t={TIME},v1={empty}");
        assert_eq!(
            check(&header, BODY, &[""], TIME),
            Err(SignatureError::Mismatch)
        );
        assert_eq!(
            check(&header, BODY, &[], TIME),
            Err(SignatureError::Mismatch)
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "[tv01=, a-f0-9é]{0,80}", body: Vec<u8>) {
            let _ = check(&header, &body, &["whsec_test_secret"], TIME);
        }

        #[test]
        fn no_text_is_believed_by_chance(header in any::<String>(), body: Vec<u8>) {
            prop_assert!(check(&header, &body, &["whsec_test_secret"], TIME).is_err());
        }
    }
}
