//! Fields of an edit where null has a meaning.

use serde::{Deserialize, Deserializer};

/// What an edit says of a field that may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Given<T> {
    /// Nothing: it stays as it is.
    #[default]
    Absent,
    /// This; `None` empties it.
    As(Option<T>),
}

impl<T> Given<T> {
    /// Whether anything is said.
    pub fn is_given(&self) -> bool {
        matches!(self, Self::As(_))
    }

    /// What the field is then.
    pub fn or(self, present: Option<T>) -> Option<T> {
        match self {
            Self::Absent => present,
            Self::As(value) => value,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::As)
    }
}
