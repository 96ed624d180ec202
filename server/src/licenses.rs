//! Licenses: the right of one customer to a scope under snapshotted terms.
//!
//! States: `pending → active → ended` from the order; suspended = at least one open hold, revoked =
//! at least one open revocation. Status is derived, never stored. A license key is the secret a kit
//! presents: signed, with a MAC that refuses forgeries before any database access, stored sealed
//! and looked up by a keyed digest.

pub mod admin;
pub mod answer;
pub mod apply_terms;
mod basis;
pub mod change;
pub mod edit;
pub mod extend;
pub mod facts;
pub mod find;
pub mod holds;
pub mod import_key;
pub mod issue;
pub mod issue_by_staff;
pub mod keys;
pub mod listing;
pub mod merge;
pub mod model;
pub mod note;
pub mod overview;
pub mod pages;
pub mod renew;
pub mod reveal;
pub mod rotate;
pub mod set_policy;
pub mod store;
pub mod tokens;
pub mod transfer;
pub mod validate;
pub mod words;
