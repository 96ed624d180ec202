//! Customers: who owns orders and licenses, and the people who belong to them.
//!
//! An order attaches only to the holder of its verified address, otherwise to a stub that is
//! claimed by the first sign-in with that address.

pub mod admin;
pub mod advance_order;
pub mod claim;
pub mod model;
pub mod named;
pub mod record_order;
pub mod rename;
pub mod resolve;
pub mod store;
