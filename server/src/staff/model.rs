//! Tokens and their scopes.

use crate::clock::Timestamp;
use crate::db::types::{WordList, text_enum, typed_id};

typed_id!(
    /// A management token.
    TokenId, "tok"
);

text_enum! {
    /// What a management token may do.
    pub enum Scope as "TokenScope" => {
        /// Everything.
        Admin = "admin",
        /// Read everything that is no secret.
        Read = "read",
        /// Create releases and upload artifacts.
        Publish = "publish",
        /// Look things up and act on licenses; no edits of the catalog, of tokens or of keys.
        Support = "support",
    }
}

impl Scope {
    fn includes(self, wanted: Self) -> bool {
        match self {
            Self::Admin => true,
            Self::Support => matches!(wanted, Self::Support | Self::Read),
            Self::Read | Self::Publish => self == wanted,
        }
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

    /// `admin` includes every other scope, `support` includes `read`.
    pub fn has(&self, scope: Scope) -> bool {
        let given = self.scopes.words().iter();
        let mut given = given.filter_map(|word| Scope::parse(word));
        given.any(|given| given.includes(scope))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_no_more_than_it_says() {
        let may = |given: Scope| {
            let all = Scope::ALL.iter().copied();
            all.filter(|wanted| given.includes(*wanted))
                .collect::<Vec<_>>()
        };
        assert_eq!(may(Scope::Admin), Scope::ALL);
        assert_eq!(may(Scope::Read), [Scope::Read]);
        assert_eq!(may(Scope::Publish), [Scope::Publish]);
        assert_eq!(may(Scope::Support), [Scope::Read, Scope::Support]);
    }
}
