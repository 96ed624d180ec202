//! Digests under which keys are found.
//!
//! Keys made here are decided by their own MAC, without any database access. Any other text may be
//! a key of another system that was imported: it is looked for under every source at once.

use kitward_keys::license_key::clean;
use kitward_keys::{KeyPrefix, LicenseKey};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::app::App;
use crate::licenses::model::KeySource;
use crate::secrets::TokenKind;

/// Shortest imported key, in characters that count.
pub(super) const IMPORTED_MIN: usize = 8;
/// Longest imported key, in bytes.
pub(super) const IMPORTED_MAX: usize = 2_048;

/// Digests under which a presented key may be found: one for a key made here, one a source for any
/// other text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests(Vec<Vec<u8>>);

impl Digests {
    /// The digests, never none.
    pub fn all(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// The digest of a key made here.
    pub fn only(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [digest] => Some(digest),
            _ => None,
        }
    }
}

/// Where a presented key is looked up; `None` for what cannot be a key of this installation.
pub fn digests(app: &App, presented: &SecretString) -> Option<Digests> {
    let text = presented.expose_secret();
    if text.len() > IMPORTED_MAX {
        return None;
    }
    let cleaned = Zeroizing::new(clean(text));
    match own_prefix(app, &cleaned) {
        Some(prefix) => own(app, &cleaned, &prefix).map(|digest| Digests(vec![digest])),
        None => imported(app, &cleaned),
    }
}

/// The word new keys start with.
pub fn key_prefix(app: &App) -> KeyPrefix {
    KeyPrefix::parse(&app.config.vendor.key_prefix).unwrap_or_default()
}

/// The accepted prefix a cleaned text starts with; `kwl` always is one.
fn own_prefix(app: &App, cleaned: &str) -> Option<KeyPrefix> {
    let vendor = &app.config.vendor;
    let own = [vendor.key_prefix.as_str(), "kwl"].into_iter();
    let former = vendor.former_key_prefixes.iter().map(String::as_str);
    own.chain(former)
        .find(|prefix| starts_with(cleaned, prefix))
        .and_then(|prefix| KeyPrefix::parse(prefix).ok())
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.starts_with('_'))
}

fn own(app: &App, cleaned: &str, prefix: &KeyPrefix) -> Option<Vec<u8>> {
    let key = LicenseKey::parse(cleaned, prefix).ok()?;
    key.has_valid_mac(app.vault.license_macs())
        .then(|| app.vault.license_lookup(&key.lookup_input()))
}

/// Whether a text begins like a key or token of this installation, genuine or not.
pub fn begins_like_ours(app: &App, text: &str) -> bool {
    let cleaned = Zeroizing::new(clean(text));
    own_prefix(app, &cleaned).is_some() || is_token(&cleaned)
}

fn is_token(cleaned: &str) -> bool {
    let mut kinds = TokenKind::ALL.iter();
    kinds.any(|kind| starts_with(cleaned, kind.prefix()))
}

fn imported(app: &App, cleaned: &str) -> Option<Digests> {
    let too_short = cleaned.chars().count() < IMPORTED_MIN;
    if too_short || is_token(cleaned) {
        return None;
    }
    let sources = KeySource::ALL.iter().copied();
    let sources = sources.filter(|source| *source != KeySource::Own);
    let digests = sources.map(|source| imported_digest(app, source, cleaned));
    Some(Digests(digests.collect()))
}

/// Where a key of another system is to be found: its own digest, and those of the same text under
/// every source. `None` for keys and tokens of ours, and for what is too short or long.
pub fn imported_digests(app: &App, source: KeySource, text: &str) -> Option<(Vec<u8>, Digests)> {
    let cleaned = Zeroizing::new(clean(text));
    if text.len() > IMPORTED_MAX || own_prefix(app, &cleaned).is_some() {
        return None;
    }
    let all = imported(app, &cleaned)?;
    Some((imported_digest(app, source, &cleaned), all))
}

/// Digest of an imported key. The source's length stands first, so that none flows into the text.
fn imported_digest(app: &App, source: KeySource, cleaned: &str) -> Vec<u8> {
    let source = source.as_str().as_bytes();
    let length = u8::try_from(source.len()).unwrap_or(u8::MAX);
    let input = [&[0, length], source, cleaned.as_bytes()].concat();
    app.vault.license_lookup(&Zeroizing::new(input))
}
