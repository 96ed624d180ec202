//! What all features share towards the network: routes, errors, extractors, headers, sessions.

pub mod cookies;
pub mod csrf;
pub mod error;
pub mod extract;
pub mod form;
pub mod headers;
pub mod host;
pub mod pages;
pub mod return_to;
