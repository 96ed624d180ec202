//! What all features share towards the network: routes, errors, extractors, headers, sessions.

pub mod client_address;
pub mod code;
pub mod conditional;
pub mod cookies;
pub mod credentials;
pub mod csrf;
pub mod error;
pub mod export;
pub mod extract;
pub mod form;
pub mod headers;
pub mod host;
pub mod idempotency;
pub mod openapi;
pub mod pages;
pub mod paging;
pub mod path_token;
pub mod rate_limit;
pub mod reference;
pub mod return_to;
pub mod routes;
pub mod serve;
pub mod session;
mod stalled;
pub mod status;
pub mod telemetry;

pub use error::{ApiError, Code, PageError};
pub use extract::{Json, Query};
