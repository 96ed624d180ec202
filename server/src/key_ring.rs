//! The installation's signing keys: one active key per purpose, private halves sealed.

mod open;
mod store;

pub use open::{KeyRing, KeyRingError, load};
