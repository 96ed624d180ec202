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

mod applied_terms;
mod archives;
mod audit;
mod bad_input;
mod catalogs;
mod child;
mod cli;
mod cli_support;
mod comparisons;
mod crash;
mod crash_points;
mod database;
mod deliveries;
mod downloads;
mod drills;
mod ended_rights;
mod exports;
mod grouped;
mod http;
mod idempotency;
mod key_ring;
mod layers;
mod leaks;
mod license_lists;
mod license_tokens;
mod license_verbs;
mod licensing;
mod limits;
mod long_lists;
mod looks;
mod model;
mod notices;
mod object_storage;
mod offers;
mod openapi;
mod order_mails;
mod outages;
mod outbox;
mod packaging;
mod payments;
mod people;
mod policies;
mod portal;
mod publishing;
mod releases;
mod reports;
mod schema;
mod seat_races;
mod seats;
mod secrets;
mod signatures;
mod sites;
mod stamps;
mod tokens;
mod uploads;
mod verdicts;
