//! Update checks: signed statements of the newest release a license may have.

pub mod api;
