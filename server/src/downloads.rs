//! Downloads: what a license may have, and the files themselves.
//!
//! Every way in ends at the predicate of [`releases`](crate::releases). A ticket is the right to
//! fetch one file for ten minutes without other credentials; it is stored as a digest, belongs to the
//! network that uses it first, gives a few times the bytes of its file, and the license is looked at
//! again when it is used. Every delivery is a row, written and counted against the limits of the
//! license's terms before the first byte leaves.

pub mod admin;
pub mod api;
pub mod authorize;
pub mod content;
pub mod listing;
pub mod model;
pub mod named;
pub mod newest;
pub mod pages;
pub mod record;
pub mod stamp;
pub mod store;
pub mod tickets;
pub mod view;
