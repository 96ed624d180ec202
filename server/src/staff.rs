//! The vendor's people and their management tokens.
//!
//! For now tokens only: `kwa_…`, scoped, expiring, stored as a digest.

pub mod admin;
mod authenticate;
mod create_token;
mod model;
mod revoke_token;
mod store;

pub use authenticate::authenticate;
pub use create_token::{
    CreateToken, CreateTokenError, CreatedToken, create_token, create_token_once,
};
pub use model::{Scope, TokenHolder, TokenId};
pub use revoke_token::{RevokeTokenError, revoke_token};
