//! Secrets at rest: the master key wraps random keys, and those encrypt single cells.
//!
//! A sealed cell is bound to its table, column and row (the AAD), so that a cell moved to another
//! row does not open. The look-up pepper and the MAC keys of license keys are wrapped keys of their
//! own: changing the master key rewraps them and never touches what they were used for.

mod bootstrap;
mod master;
mod store;
mod token_text;
mod vault;

pub use bootstrap::{BootstrapError, Installation, open};
pub use master::{MasterKey, MasterKeyError};
pub use token_text::{TokenKind, TokenText};
pub use vault::{Cell, SealError, Vault};
