//! The words for a key's purpose and state, as stored and as published.

use std::str::FromStr;

use crate::error::KeyError;

/// What a key may sign; a signature by a key of another purpose is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// License keys.
    LicenseKey,
    /// License files, verdicts and update manifests.
    Document,
    /// Files of releases.
    Artifact,
    /// The key ring itself.
    Root,
}

impl KeyPurpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::LicenseKey, Self::Document, Self::Artifact, Self::Root];

    /// The word that is stored and published.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LicenseKey => "license_key",
            Self::Document => "document",
            Self::Artifact => "artifact",
            Self::Root => "root",
        }
    }
}

impl std::fmt::Display for KeyPurpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyPurpose {
    type Err = KeyError;

    fn from_str(word: &str) -> Result<Self, KeyError> {
        let found = Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == word);
        found.ok_or(KeyError::UnknownPurpose)
    }
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Public, so that readers learn it, yet not signing.
    Published,
    /// Signing.
    Active,
    /// Being replaced: a newer key signs, this one stays until readers have learned that.
    Retiring,
    /// No longer signing; its signatures stay good.
    Retired,
    /// In foreign hands; nothing signed with it counts any more.
    Compromised,
}

impl KeyState {
    /// Every state, in the order of a key's life.
    pub const ALL: [Self; 5] = [
        Self::Published,
        Self::Active,
        Self::Retiring,
        Self::Retired,
        Self::Compromised,
    ];

    /// The word that is stored and published.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Compromised => "compromised",
        }
    }
}

impl std::fmt::Display for KeyState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyState {
    type Err = KeyError;

    fn from_str(word: &str) -> Result<Self, KeyError> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or(KeyError::UnknownState)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for purpose in KeyPurpose::ALL {
            assert_eq!(purpose.as_str().parse(), Ok(purpose));
        }
        for state in KeyState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!(
            "Document".parse::<KeyPurpose>(),
            Err(KeyError::UnknownPurpose)
        );
        assert_eq!("".parse::<KeyState>(), Err(KeyError::UnknownState));
    }
}
