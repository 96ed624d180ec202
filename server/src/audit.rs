//! The audit log: who changed what, hash-chained, written with the change.
//!
//! Operations buffer entries in their [`WriteTx`](crate::db::WriteTx). The executor, last before
//! COMMIT, locks the chain's head, numbers, hashes and inserts what the jobs that succeeded left.
//! Chained rows hold ids, field names and salted commitments; personal values and salts stand in
//! `audit_details`, which can be erased without breaking the chain.
//!
//! The database refuses to change or remove entries. Against whoever can lift that, a signed
//! checkpoint says now and then what the log was: [`verify`] then finds a log that was written anew
//! or cut off, and names the first entry that is not as it was.

pub mod admin;
mod checkpoint;
mod model;
mod store;
mod verify;

pub use checkpoint::{CheckpointError, checkpoint, run};
pub use model::{Actor, Broken, Entry, Flaw, GENESIS, Link};
pub(crate) use store::append;
pub use store::{AuditRow, all, head, newest_time, of_subject};
pub use verify::{AuditError, Verified, verify};
