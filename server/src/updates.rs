//! Update checks: the newest release a license may have, as a signed manifest.
//!
//! "There is no update" is signed too, so that nobody on the way can hide one for longer than the
//! manifest lives.

pub mod api;
pub mod check_update;
pub mod manifest;
pub mod newer_version;
