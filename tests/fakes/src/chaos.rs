//! A TCP proxy that stands between a client and its server and can go wrong.

mod link;
mod proxy;

pub use proxy::ChaosProxy;
