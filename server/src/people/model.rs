//! People, pending sign-ins, sessions: words, lifetimes, and what secrets look like.

use data_encoding::BASE32_NOPAD;
use secrecy::SecretString;

use crate::clock::Timestamp;
use crate::db::types::typed_id;
use crate::entropy::{Entropy, bytes};

typed_id!(
    /// Someone who signs in.
    PersonId, "per"
);
typed_id!(
    /// A pending sign-in.
    SignInId, "sig"
);

/// Minutes for which a link and its code work.
pub const SIGN_IN_MINUTES: u32 = 10;
/// Wrong codes after which a pending sign-in is dead.
pub const TRIES_MAX: i32 = 10;
/// Mails to one address within [`ADDRESS_SECONDS`].
pub const MAILS_PER_ADDRESS: i64 = 3;
/// Seconds over which the mails to one address are counted.
pub const ADDRESS_SECONDS: i64 = 60 * 60;
/// Mails asked for by one browser within [`BROWSER_SECONDS`].
pub const MAILS_PER_BROWSER: i64 = 20;
/// Seconds over which the mails of one browser are counted.
pub const BROWSER_SECONDS: i64 = 10 * 60;
/// Days after which a session ends whatever happens.
pub const SESSION_DAYS: i64 = 30;

/// When a sign-in that starts now is over.
pub fn sign_in_end(now: Timestamp) -> Timestamp {
    now.plus_seconds(i64::from(SIGN_IN_MINUTES) * 60)
}

/// When a session that starts now is over.
pub fn session_end(now: Timestamp) -> Timestamp {
    now.plus_seconds(SESSION_DAYS * 24 * 60 * 60)
}

/// Whether one more mail may be sent, after so many to the address and from the browser.
pub fn may_mail(to_address: i64, from_browser: i64) -> bool {
    to_address < MAILS_PER_ADDRESS && from_browser < MAILS_PER_BROWSER
}

/// Characters of a secret made by [`new_secret`].
pub const SECRET_LEN: usize = 52;

/// A bearer secret of 256 bits: links, sessions, browsers.
pub fn new_secret(entropy: &dyn Entropy) -> SecretString {
    let random: [u8; 32] = bytes(entropy);
    SecretString::from(BASE32_NOPAD.encode(&random).to_lowercase())
}

/// Whether a text can be such a secret; anything else is refused before any look-up.
pub fn is_secret(text: &str) -> bool {
    text.len() == SECRET_LEN && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

/// Digits and capitals that cannot be taken for one another: no 0, O, 1, I, L.
const CODE_ALPHABET: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Characters of a code.
pub const CODE_LEN: usize = 8;

/// A code to type.
pub fn new_code(entropy: &dyn Entropy) -> SecretString {
    // The largest multiple of the alphabet's length in a byte, so that no character is favored.
    const FAIR: u8 = 248;
    let mut code = String::with_capacity(CODE_LEN);
    while code.len() < CODE_LEN {
        let random: [u8; CODE_LEN] = bytes(entropy);
        let fair = random.into_iter().filter(|byte| *byte < FAIR);
        let symbols = fair.filter_map(|byte| CODE_ALPHABET.get(usize::from(byte % 31)).copied());
        let missing = CODE_LEN - code.len();
        code.extend(symbols.take(missing).map(char::from));
    }
    SecretString::from(code)
}

/// A code as typed: capitals, spaces and hyphens do not matter. `None` when it cannot be one.
pub fn read_code(typed: &str) -> Option<SecretString> {
    let plain = |c: &char| !c.is_whitespace() && *c != '-';
    let code: String = typed
        .chars()
        .filter(plain)
        .take(CODE_LEN + 1)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let fits = code.len() == CODE_LEN && code.bytes().all(|b| CODE_ALPHABET.contains(&b));
    fits.then(|| SecretString::from(code))
}

/// An address as it is kept for display: as typed, where that differs in ASCII case only. Other
/// spellings that normalize alike could pass for somebody else's address.
pub fn display_address(typed: &str, normalized: &str) -> String {
    let typed = typed.trim();
    if typed.eq_ignore_ascii_case(normalized) {
        typed.to_owned()
    } else {
        normalized.to_owned()
    }
}

/// An address shortened for a page that somebody else may see: `b…r@example.com`.
pub fn address_hint(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let mut characters = local.chars();
    let first = characters.next().unwrap_or('…');
    match characters.next_back() {
        Some(last) if local.chars().count() > 2 => format!("{first}…{last}@{domain}"),
        _ => format!("{first}…@{domain}"),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn a_code_has_eight_characters_that_cannot_be_confused() {
        let entropy = SeededEntropy::new(7);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            let code = new_code(&entropy);
            let code = code.expose_secret();
            assert_eq!(code.len(), CODE_LEN);
            assert!(!code.contains(['0', 'O', '1', 'I', 'L']), "{code}");
            seen.extend(code.bytes());
        }
        assert_eq!(seen.len(), CODE_ALPHABET.len(), "every character comes up");
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for typed in ["7KQM4XTR", " 7kqm 4xtr\n", "7kqm-4xtr"] {
            let code = read_code(typed).unwrap();
            assert_eq!(code.expose_secret(), "7KQM4XTR", "{typed:?}");
        }
        for bad in [
            "",
            "7KQM4XT",
            "7KQM4XTRR",
            "7KQM4XT0",
            "7KQM4XTé",
            "7KQM4XTR7KQM4XTR",
        ] {
            assert!(read_code(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn secrets_have_256_bits_and_one_form() {
        let entropy = SeededEntropy::new(7);
        let (one, two) = (new_secret(&entropy), new_secret(&entropy));
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert!(is_secret(one.expose_secret()));
        for bad in ["", "a", &"A".repeat(52), &"1".repeat(52), &"a".repeat(53)] {
            assert!(!is_secret(bad), "{bad}");
        }
    }

    #[test]
    fn an_address_that_only_looks_alike_is_not_kept() {
        assert_eq!(
            display_address(" Buyer@Example.com ", "buyer@example.com"),
            "Buyer@Example.com"
        );
        assert_eq!(
            display_address("buyer@bücher.example", "buyer@xn--bcher-kva.example"),
            "buyer@xn--bcher-kva.example"
        );
        // U+212A, the Kelvin sign, lower-cases to an ordinary k.
        assert_eq!(
            display_address("jac\u{212a}@example.com", "jack@example.com"),
            "jack@example.com"
        );
    }

    #[test]
    fn a_hint_shows_the_ends_of_a_name() {
        assert_eq!(address_hint("buyer@example.com"), "b…r@example.com");
        assert_eq!(address_hint("al@example.com"), "a…@example.com");
        assert_eq!(address_hint("é@example.com"), "é…@example.com");
    }

    #[test]
    fn mails_are_limited_by_address_and_by_browser() {
        assert!(may_mail(2, 19));
        assert!(!may_mail(3, 0));
        assert!(!may_mail(0, 20));
    }
}
