//! The installation's signing keys: who signs what now, who did, who will.
//!
//! Purposes are `license_key`, `document`, `artifact` and `root`. A key moves
//! `published → active → retiring → retired`, or to `compromised` from anywhere:
//!
//! - Each purpose has exactly one active key at any moment, at most one published one.
//! - A key is published before it signs, so that readers know it; after a theft it signs at once.
//! - Private halves are sealed. They go when a key ends; the root key's may be kept elsewhere.
//! - Every change is planned and signed outside, then written in one transaction that also raises the
//!   ring's version, on condition that nobody else raised it. Whoever loses plans anew.
//! - The signed ring and `jwks.json` list what is needed to verify everything that may still be
//!   valid, and what is compromised. Checkpoints of the audit log never end and are for the vendor
//!   alone: they are verified with every key there ever was, listed or not.

mod change;
mod examine;
mod export_root;
mod keep;
pub mod model;
mod open;
mod operate;
mod sign;
mod store;

pub use change::{ChangeError, Custody};
pub use examine::{Examination, RingStanding, examine};
pub use export_root::{export_root, remove_root};
pub use keep::{keep, refresh, upkeep};
pub use open::{KeyRing, KeyRingError, ensure, load};
pub use operate::{Order, compromise, retire, rotate, sign_ring};
