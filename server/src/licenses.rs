//! Licenses: the right of one customer to a scope under snapshotted terms.
//!
//! States: `pending → active → ended` from the order; suspended = at least one open hold, revoked =
//! at least one open revocation. Status is derived, never stored. A license key is the secret a kit
//! presents: signed, with a MAC that refuses forgeries before any database access, stored sealed
//! and looked up by a keyed digest.

pub mod answer;
pub mod apply_terms;
pub mod facts;
pub mod issue;
pub mod keys;
pub mod model;
pub mod overview;
pub mod pages;
pub mod reveal;
pub mod store;
pub mod tokens;
pub mod validate;
pub mod words;
