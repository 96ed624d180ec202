//! The one integration binary: it links once and runs everything on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "tests"
)]

mod child;
mod cli;
mod crash;
mod database;
mod downloads;
mod http;
mod idempotency;
mod layers;
mod leaks;
mod licensing;
mod outages;
mod outbox;
mod packaging;
mod payments;
mod people;
mod policies;
mod portal;
mod schema;
mod secrets;
mod tokens;
