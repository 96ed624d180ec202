//! What the pages, the mails and the embedded files promise.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the impossible should fail with its reason"
)]

mod budgets;
mod contrast;
mod facts;
mod hostile;
mod mails;
mod markup;
mod sources;
mod structure;
