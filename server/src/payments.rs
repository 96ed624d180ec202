//! Payments: provider events become orders, licenses and mails.
//!
//! Each event is a hint: stored raw, acknowledged, then the current object is fetched and reduced
//! to state. Effects are idempotent on business keys and do not depend on order.

pub mod admin;
pub mod api;
pub mod complete;
pub mod create_price;
pub mod fulfil;
pub mod mail;
mod mapping;
pub mod model;
pub mod receive;
pub mod reduce;
pub mod resend_mail;
pub mod signature;
pub mod store;
pub mod stripe;
