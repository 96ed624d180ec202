//! Requests that are sent again make nothing twice.
//!
//! Whoever creates something may send an `Idempotency-Key`. The row of that key is written in the
//! same unit of work as the effect: after a crash there are both or neither. It holds the id of what
//! was made and digests of the key and the request; a secret that is shown once stands in it
//! encrypted. Rows live for a day. Simultaneous requests meet at the primary key: the second waits
//! for the first and then sees its row.
//!
//! An operation takes a [`Claim`] and runs its effect through [`Claim::once`]; a handler makes the
//! claim and the answer with `http::idempotency`.

mod claim;
mod store;
mod sweep;

pub use claim::{Claim, Earlier, Once};
pub use sweep::sweep;
