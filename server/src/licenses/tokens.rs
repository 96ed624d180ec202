//! Tokens derived from a license key: for CI, for downloads, and ids that may be published.
//!
//! Each does less than its key and ends with it: it hangs on the key it was made under, and what
//! refuses that key or the license refuses the token. Digests are stored; the text is shown once.
//! Every use asks the database, so that a revoked token is refused at the next request, by every
//! process. How often a token is used is counted in the memory of each process.

pub mod admin;
pub mod create;
pub mod model;
pub mod pages;
pub mod revoke;
pub mod store;
pub mod usage;
