//! People: who signs in, by a mailed link or code, and their sessions.
//!
//! A sign-in is pending for ten minutes: `asked → consumed`, or over, or dead after ten wrong
//! codes. Looking at its link changes nothing (mail scanners do); one conditional update consumes
//! it, so that it makes at most one session. Link and code are bound to the browser that asked;
//! links made by an operator are not. Only digests of secrets are stored. Whether an address is
//! known can be told neither from the answer nor from the work done for it.

pub mod complete_sign_in;
pub mod mail;
pub mod model;
pub mod pages;
mod secrets;
pub mod session;
pub mod start_sign_in;
pub mod store;

pub use start_sign_in::{OperatorLinkError, operator_link};
