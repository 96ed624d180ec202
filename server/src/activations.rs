//! Activations: who occupies the seats of a license.
//!
//! Idempotent: the same license and identity is the same activation. The limit holds under any
//! concurrency, on one process or many, because it is written before anything is counted on.

pub mod activate;
pub mod api;
pub mod clear;
pub mod deactivate;
pub mod free;
pub mod model;
pub mod store;
