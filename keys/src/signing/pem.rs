//! A private key as a file: PKCS#8 in PEM (RFC 8410, RFC 7468), as OpenSSL reads and writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::{KeyPurpose, SigningKey};
use crate::error::KeyError;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// What stands before the 32 secret bytes: version 0, algorithm Ed25519, an octet string within an
/// octet string (RFC 8410 section 7). The form has no optional part, so it is always these bytes.
const HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

impl SigningKey {
    /// The private key as PKCS#8 PEM; the copy is wiped when dropped. The purpose is not part of it.
    pub fn to_pem(&self) -> Zeroizing<String> {
        let secret = self.to_bytes();
        let der = Zeroizing::new([&HEAD[..], secret.as_slice()].concat());
        let body = Zeroizing::new(STANDARD.encode(der.as_slice()));
        Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", body.as_str()))
    }

    /// Reads what [`to_pem`](Self::to_pem) or OpenSSL wrote; white space around the parts is ignored.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidPem`] for anything else.
    pub fn from_pem(purpose: KeyPurpose, text: &str) -> Result<Self, KeyError> {
        let body = text
            .trim()
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(END))
            .ok_or(KeyError::InvalidPem)?;
        let der = STANDARD.decode(body.trim()).map(Zeroizing::new);
        let Ok(der) = der else {
            return Err(KeyError::InvalidPem);
        };
        let secret = der.strip_prefix(&HEAD[..]).unwrap_or_default();
        match <&[u8; 32]>::try_from(secret) {
            Ok(secret) => Ok(Self::from_bytes(purpose, secret)),
            Err(_) => Err(KeyError::InvalidPem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410 section 10.3.
    const OF_THE_RFC: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";

    #[test]
    fn the_example_of_rfc_8410_is_read_and_written() -> Result<(), KeyError> {
        let key = SigningKey::from_pem(KeyPurpose::Root, OF_THE_RFC)?;
        assert_eq!(key.to_bytes()[..4], [0xd4, 0xee, 0x72, 0xdb]);
        assert_eq!(key.to_pem().as_str(), OF_THE_RFC);
        let with_line_ends = OF_THE_RFC.replace('\n', "\r\n");
        let again = SigningKey::from_pem(KeyPurpose::Root, &with_line_ends)?;
        assert_eq!(again.kid(), key.kid());
        Ok(())
    }

    #[test]
    fn anything_else_is_refused() {
        let cut = OF_THE_RFC.replace("dVhC", "");
        let other_algorithm = OF_THE_RFC.replace("K2Vw", "K2Vx");
        let other_kind = OF_THE_RFC.replace("PRIVATE", "PUBLIC");
        let longer = OF_THE_RFC.replace("dVhC", "dVhCAAAA");
        for text in ["", "MC4C", &cut, &other_algorithm, &other_kind, &longer] {
            let read = SigningKey::from_pem(KeyPurpose::Root, text);
            assert_eq!(read.err(), Some(KeyError::InvalidPem), "{text}");
        }
    }
}
