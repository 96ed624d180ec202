//! Downloads: what a license may have, and the files themselves.
//!
//! Every way in ends at the predicate of [`releases`](crate::releases). A ticket is the right to
//! fetch one file for ten minutes without other credentials; it is stored as a digest, and the
//! license is looked at again when it is used.

pub mod api;
pub mod authorize;
pub mod listing;
pub mod model;
pub mod newest;
pub mod pages;
pub mod store;
pub mod tickets;
pub mod view;
