//! The outbox: mails and jobs, written in the same transaction as their cause.
//!
//! A row is due, reserved by one worker (`reservation_version`), tried, and then done, due again
//! later, or dead. Effects happen at least once; each carries something that makes repeating it
//! harmless (a stable Message-ID, a business key). Lanes keep a hanging mail server away from
//! everything else.

mod model;
mod store;
mod waiting;
mod worker;

pub use model::{Failure, Job, Lane, Lanes, OutboxId, Prepared, prepare};
pub use store::{OutboxRow, insert, list};
pub use waiting::waits;
pub use worker::{drain, run};
