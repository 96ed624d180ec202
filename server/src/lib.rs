//! Kitward: license server and kit distribution backend.
//!
//! Reading order: [`config`] → [`app`] (the parts of one installation) → [`db`] (the door to the
//! database) → the feature folders → [`http`] (what they share towards the network) → [`cli`].

pub mod activations;
pub mod app;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod comparisons;
pub mod config;
pub mod csv;
pub mod customers;
pub mod db;
pub mod downloads;
pub mod entropy;
pub mod http;
pub mod idempotency;
pub mod key_ring;
pub mod kits;
pub mod licenses;
pub mod limits;
pub mod logging;
pub mod mail;
pub mod metrics;
pub mod notices;
pub mod outbox;
pub mod payments;
pub mod people;
pub mod releases;
pub mod reports;
pub mod run;
pub mod secrets;
pub mod staff;
pub mod storage;
pub mod updates;
