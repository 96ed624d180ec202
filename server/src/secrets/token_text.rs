//! Texts of tokens: a prefix that says what the token is for, 32 random bytes, a checksum.
//!
//! `kwa_` and 56 characters of base32 (RFC 4648 section 6, lower case, no padding) for 35 bytes: the
//! random ones, then the first 3 of SHA-256 over `"kitward token v1" ‖ prefix ‖ random`. A mistyped
//! token is refused by its checksum, without any database access.

use data_encoding::BASE32_NOPAD;
use kitward_keys::license_key::clean;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Vault;
use crate::entropy::{Entropy, bytes};

const CONTEXT: &[u8] = b"kitward token v1";
const RANDOM_LEN: usize = 32;
const CHECKSUM_LEN: usize = 3;
/// Most bytes of text that are looked at, as for license keys.
const TEXT_MAX: usize = 1024;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The management API.
    Management,
    /// Downloads of one license or customer.
    Download,
    /// Builds: works wherever a license key does.
    Ci,
    /// Browser kits: names a license and is no secret.
    Publishable,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [
        Self::Management,
        Self::Download,
        Self::Ci,
        Self::Publishable,
    ];

    /// What the text starts with, before the underscore.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Management => "kwa",
            Self::Download => "kwd",
            Self::Ci => "kwc",
            Self::Publishable => "kwp",
        }
    }

    /// Keeps digests of equal texts of different kinds apart.
    fn purpose(self) -> &'static str {
        match self {
            Self::Management => "management token",
            Self::Download => "download token",
            Self::Ci => "ci token",
            Self::Publishable => "publishable id",
        }
    }

    /// The kind a presented text claims to be, by its prefix alone.
    pub fn of(text: &str) -> Option<Self> {
        // So much may surround the prefix when it was pasted.
        let start: String = text.chars().take(64).collect();
        let start = Zeroizing::new(clean(&start));
        let (prefix, _) = start.split_once('_')?;
        Self::ALL.into_iter().find(|kind| kind.prefix() == prefix)
    }
}

/// A token whose form and checksum are right; whether anybody made it, only the database knows.
#[derive(Debug)]
pub struct TokenText {
    kind: TokenKind,
    /// In the one spelling that is digested.
    text: SecretString,
}

impl TokenText {
    /// A new token.
    pub fn new(kind: TokenKind, entropy: &dyn Entropy) -> Self {
        let random: Zeroizing<[u8; RANDOM_LEN]> = Zeroizing::new(bytes(entropy));
        let checksum = checksum(kind, random.as_slice());
        let all = Zeroizing::new([random.as_slice(), &checksum].concat());
        let encoded = Zeroizing::new(BASE32_NOPAD.encode(&all).to_ascii_lowercase());
        let text = SecretString::from(format!("{}_{}", kind.prefix(), encoded.as_str()));
        Self { kind, text }
    }

    /// Reads a token of one kind as pasted; `None` for another prefix, other characters or a wrong
    /// checksum.
    pub fn parse(kind: TokenKind, pasted: &str) -> Option<Self> {
        if pasted.len() > TEXT_MAX {
            return None;
        }
        let text = SecretString::from(clean(pasted));
        let encoded = text.expose_secret().strip_prefix(kind.prefix())?;
        let encoded = Zeroizing::new(encoded.strip_prefix('_')?.to_ascii_uppercase());
        let all = Zeroizing::new(BASE32_NOPAD.decode(encoded.as_bytes()).ok()?);
        let (random, given) = all.split_at_checked(RANDOM_LEN)?;
        (given == checksum(kind, random)).then_some(Self { kind, text })
    }

    /// Digest under which it is stored and looked up.
    pub fn digest(&self, vault: &Vault) -> Vec<u8> {
        let text = self.text.expose_secret();
        vault.digest(self.kind.purpose(), text.as_bytes())
    }

    /// The text, for whoever may see it.
    pub fn into_secret(self) -> SecretString {
        self.text
    }
}

fn checksum(kind: TokenKind, random: &[u8]) -> [u8; CHECKSUM_LEN] {
    let digest = Sha256::new()
        .chain_update(CONTEXT)
        .chain_update(kind.prefix())
        .chain_update(random)
        .finalize();
    let mut first = [0; CHECKSUM_LEN];
    for (to, from) in first.iter_mut().zip(digest) {
        *to = from;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn token(kind: TokenKind) -> String {
        let text = TokenText::new(kind, &SeededEntropy::new(7));
        text.into_secret().expose_secret().to_owned()
    }

    fn read(kind: TokenKind, text: &str) -> Option<String> {
        let read = TokenText::parse(kind, text)?;
        Some(read.into_secret().expose_secret().to_owned())
    }

    #[test]
    fn a_token_is_read_as_its_own_kind_only() {
        for kind in TokenKind::ALL {
            let text = token(kind);
            assert_eq!(text.len(), 60);
            assert_eq!(TokenKind::of(&text), Some(kind));
            for other in TokenKind::ALL {
                assert_eq!(read(other, &text).is_some(), other == kind, "{text}");
                let renamed = text.replacen(kind.prefix(), other.prefix(), 1);
                assert_eq!(read(other, &renamed).is_some(), other == kind, "{renamed}");
            }
        }
        assert_eq!(TokenKind::of("kwl_aaaa"), None);
        assert_eq!(TokenKind::of("kwa"), None);
    }

    #[test]
    fn any_changed_missing_or_added_character_is_refused() {
        let text = token(TokenKind::Management);
        let characters: Vec<char> = text.chars().collect();
        for at in 0..characters.len() {
            for other in ['a', '7', '1', '_', 'é'] {
                let mut changed = characters.clone();
                changed[at] = other;
                let same = changed == characters;
                let changed: String = changed.iter().collect();
                let found = read(TokenKind::Management, &changed);
                assert_eq!(found.is_some(), same, "{changed}");
            }
            let cut: String = characters[..at].iter().collect();
            assert!(read(TokenKind::Management, &cut).is_none(), "{cut}");
        }
        assert!(read(TokenKind::Management, &format!("{text}a")).is_none());
        let long = format!("{text}{}", " ".repeat(TEXT_MAX));
        assert!(read(TokenKind::Management, &long).is_none());
    }

    #[test]
    fn what_pasting_adds_is_ignored() {
        let text = token(TokenKind::Ci);
        let (start, end) = text.split_at(20);
        let pasted = format!(" \u{201c}{start}\n{}\u{201d}", end.to_uppercase());
        assert_eq!(TokenKind::of(&pasted), Some(TokenKind::Ci));
        assert_eq!(read(TokenKind::Ci, &pasted), Some(text));
    }
}
