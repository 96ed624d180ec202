//! Activations: who occupies the seats of a license.
//!
//! Idempotent: the same license and identity is the same activation. The limit holds under any
//! concurrency, on one process or many, because it is written before anything is counted on.
//!
//! A seat is held until it is freed, or, where it floats, until its lease ends: whether it is held
//! follows from its row and the time. Whoever claims a seat frees ended leases first, in the same
//! unit of work; [`sweep`] does it for licenses nobody calls about.

pub mod activate;
pub mod api;
mod claim;
pub mod deactivate;
pub mod free;
pub mod hand;
pub mod heartbeat;
pub mod model;
pub mod offline_file;
pub mod seen;
pub mod store;
pub mod sweep;
