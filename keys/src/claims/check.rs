//! The checks that every signed document gets after its signature.

use super::values::Audience;
use crate::error::VerifyError;

/// What the reader expects of a signed document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The installation's id, where the reader knows it.
    pub issuer: Option<&'a str>,
    /// The slug of the reader's kit, one of the document's audience.
    pub audience: &'a str,
    /// The present time in Unix seconds.
    pub now: i64,
    /// By how many seconds the two clocks may differ; below 0 counts as 0.
    pub leeway: i64,
    /// The nonce that was sent; with none, the document's nonce is not looked at.
    pub nonce: Option<&'a str>,
}

/// The claims that all documents share.
pub(super) struct Registered<'a> {
    pub(super) iss: &'a str,
    pub(super) aud: &'a Audience,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) nonce: Option<&'a str>,
}

impl Registered<'_> {
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<(), VerifyError> {
        let leeway = expected.leeway.max(0);
        if expected.issuer.is_some_and(|issuer| issuer != self.iss) {
            return Err(VerifyError::WrongIssuer);
        }
        if !self.aud.contains(expected.audience) {
            return Err(VerifyError::WrongAudience);
        }
        if self.iat > expected.now.saturating_add(leeway) {
            return Err(VerifyError::IssuedInFuture);
        }
        // RFC 7519 section 4.1.4: on `exp` itself the document no longer counts.
        if self.exp <= expected.now.saturating_sub(leeway) {
            return Err(VerifyError::Expired);
        }
        if expected.nonce.is_some() && expected.nonce != self.nonce {
            return Err(VerifyError::WrongNonce);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected<'_> = Expected {
        issuer: Some("inst_1"),
        audience: "widget",
        now: 1_000,
        leeway: 60,
        nonce: Some("n"),
    };

    fn check(change: impl FnOnce(&mut Registered<'_>)) -> Result<(), VerifyError> {
        let aud = Audience::One("widget".to_owned());
        let mut claims = Registered {
            iss: "inst_1",
            aud: &aud,
            iat: 900,
            exp: 1_100,
            nonce: Some("n"),
        };
        change(&mut claims);
        claims.check(&EXPECTED)
    }

    #[test]
    fn each_claim_has_its_own_refusal() {
        assert_eq!(check(|_| ()), Ok(()));
        assert_eq!(
            check(|claims| claims.iss = "inst_2"),
            Err(VerifyError::WrongIssuer)
        );
        assert_eq!(
            check(|claims| claims.nonce = Some("m")),
            Err(VerifyError::WrongNonce)
        );
        assert_eq!(
            check(|claims| claims.nonce = None),
            Err(VerifyError::WrongNonce)
        );
        let nobody = Audience::Many(Vec::new());
        let registered = Registered {
            iss: "inst_1",
            aud: &nobody,
            iat: 0,
            exp: 2_000,
            nonce: None,
        };
        assert_eq!(registered.check(&EXPECTED), Err(VerifyError::WrongAudience));
    }

    #[test]
    fn times_count_to_the_second_with_the_leeway() {
        assert_eq!(check(|claims| claims.iat = 1_060), Ok(()));
        assert_eq!(
            check(|claims| claims.iat = 1_061),
            Err(VerifyError::IssuedInFuture)
        );
        assert_eq!(check(|claims| claims.exp = 941), Ok(()));
        assert_eq!(check(|claims| claims.exp = 940), Err(VerifyError::Expired));
        assert_eq!(
            check(|claims| claims.exp = i64::MIN),
            Err(VerifyError::Expired)
        );
        assert_eq!(
            check(|claims| claims.iat = i64::MAX),
            Err(VerifyError::IssuedInFuture)
        );
    }

    #[test]
    fn extreme_expectations_do_not_overflow() {
        let aud = Audience::One("widget".to_owned());
        let claims = Registered {
            iss: "inst_1",
            aud: &aud,
            iat: 0,
            exp: 1,
            nonce: Some("n"),
        };
        for now in [i64::MIN, i64::MAX] {
            for leeway in [i64::MIN, 0, i64::MAX] {
                let expected = Expected {
                    now,
                    leeway,
                    ..EXPECTED
                };
                let late_but_patient = now == i64::MAX && leeway == i64::MAX;
                assert_eq!(claims.check(&expected).is_ok(), late_but_patient);
            }
        }
    }
}
