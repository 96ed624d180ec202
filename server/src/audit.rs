//! The audit log: who changed what, hash-chained, written with the change.
//!
//! Operations buffer entries in their [`WriteTx`](crate::db::WriteTx). The executor, last before
//! COMMIT, locks the chain's head, numbers, hashes and inserts what the jobs that succeeded left.
//! Chained rows hold ids, field names and salted commitments; personal values and salts stand in
//! `audit_details`, which can be erased without breaking the chain.

mod model;
mod store;

pub use model::{Actor, Entry, GENESIS, Link};
pub(crate) use store::append;
pub use store::{AuditRow, all, head, newest_time, of_subject};
