//! The vendor's people and their management tokens.
//!
//! For now tokens only: `kwa_…`, scoped, expiring, stored as a digest.

mod create_token;
mod model;
mod store;

pub use create_token::{CreateToken, CreateTokenError, CreatedToken, authenticate, create_token};
pub use model::{Scope, TokenHolder, TokenId};
