//! How often something may happen: counted in the memory of this process.
//!
//! A row for each miss would be the attack itself, so nothing is stored; several processes count
//! apart. Wrong keys are counted by the network they come from and only ever turn further wrong keys
//! away: an office behind one address goes on working while somebody in it guesses.

mod buckets;
mod network;

pub use buckets::{Buckets, Standing};
pub use network::Network;

use crate::config::LimitsConfig;
use crate::staff::TokenId;

/// What one process counts.
#[derive(Debug)]
pub struct Limits {
    /// Keys and tokens nobody has, by the network of the caller.
    pub misses: Buckets<Network>,
    /// Requests to the management API, by token.
    pub requests: Buckets<TokenId>,
}

impl Limits {
    /// With nothing counted yet.
    pub fn new(config: &LimitsConfig) -> Self {
        let (misses, burst) = (config.key_misses_per_minute, config.key_misses_burst);
        let requests = config.token_requests_per_minute;
        Self {
            misses: Buckets::new(misses, burst),
            requests: Buckets::new(requests, requests),
        }
    }
}
