//! The way to Stripe.

use crate::config::StripeConfig;

/// A client of Stripe's API.
#[derive(Debug, Clone)]
pub struct StripeApi;

/// Why Stripe could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StripeSetupError {}

impl StripeApi {
    /// The client, if a key is configured.
    pub fn from_config(_config: &StripeConfig) -> Result<Option<Self>, StripeSetupError> {
        Ok(None)
    }
}
