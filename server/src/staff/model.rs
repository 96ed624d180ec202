//! Tokens and their scopes.

use crate::clock::Timestamp;
use crate::db::types::{WordList, text_enum, typed_id};

typed_id!(
    /// A management token.
    TokenId, "tok"
);

text_enum! {
    /// What a management token may do.
    pub enum Scope {
        /// Everything.
        Admin = "admin",
        /// Read everything that is no secret.
        Read = "read",
        /// Create releases and upload artifacts.
        Publish = "publish",
    }
}

/// Whoever holds a valid token.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// The token's id, for the audit log.
    pub id: TokenId,
    scopes: WordList,
}

impl TokenHolder {
    /// From a stored row.
    pub fn new(id: TokenId, scopes: WordList) -> Self {
        Self { id, scopes }
    }

    /// `admin` includes every other scope.
    pub fn has(&self, scope: Scope) -> bool {
        let words = self.scopes.words();
        words
            .iter()
            .any(|word| word == Scope::Admin.as_str() || word == scope.as_str())
    }

    /// The holder in the audit log.
    pub fn actor(&self) -> crate::audit::Actor {
        crate::audit::Actor::Token(self.id.to_string())
    }
}

/// Whether a token is good now.
pub(super) fn is_live(
    now: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
) -> bool {
    revoked_at.is_none() && expires_at.is_none_or(|end| now < end)
}
