//! The way to Stripe.
//!
//! Events are hints: what counts is the object as the API shows it now. The generated client stays
//! inside this file and its folder; outside of it there are only our own types.

mod checkout;

use std::time::Duration;

use secrecy::ExposeSecret;
use stripe::{Client, ClientBuilder, RequestStrategy, StripeError};

use super::model::Checkout;
use crate::config::StripeConfig;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Attempts of one call, a second apart. The outbox tries again after that, over days.
const ATTEMPTS: u32 = 2;

/// A client of Stripe's API.
#[derive(Clone)]
pub struct StripeApi(Client);

impl std::fmt::Debug for StripeApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StripeApi([redacted])")
    }
}

/// Why Stripe could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StripeSetupError {
    /// A field is refused. The value, which may be secret, is not repeated.
    #[error("stripe.secret_key or stripe.api_url cannot be used in a request")]
    Field,
}

/// Why an object could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer.
    #[error("Stripe cannot be reached: {0}")]
    Unreachable(String),
    /// An answer that is no object.
    #[error("Stripe's answer cannot be read: {0}")]
    Unreadable(String),
    /// A refusal.
    #[error("Stripe answered {status} ({code})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Stripe's code, or nothing.
        code: String,
    },
    /// The id is not one of Stripe's.
    #[error("no id of a Checkout Session")]
    BadId,
    /// A list that does not end.
    #[error("the Checkout Session has too many lines")]
    TooManyLines,
}

impl FetchError {
    /// Whether trying again is pointless. A wrong key is not (401, 403, and 404 for one of another
    /// account): the operator mends it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Unreadable(_) => false,
            Self::Refused { status, .. } => matches!(status, 400 | 410),
            Self::BadId | Self::TooManyLines => true,
        }
    }
}

impl From<StripeError> for FetchError {
    /// Leaves out what Stripe wrote in words: it may repeat ids of customers and parts of keys.
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Stripe(body, status) => Self::Refused {
                status,
                code: body
                    .code
                    .map(|code| code.as_str().to_owned())
                    .unwrap_or_default(),
            },
            StripeError::JSONDeserialize(reason) => Self::Unreadable(reason),
            StripeError::ClientError(reason) | StripeError::ConfigError(reason) => {
                Self::Unreachable(reason)
            }
            StripeError::Timeout => Self::Unreachable("no answer in time".to_owned()),
        }
    }
}

impl StripeApi {
    /// The client, if a key is configured.
    pub fn from_config(config: &StripeConfig) -> Result<Option<Self>, StripeSetupError> {
        let Some(key) = &config.secret_key else {
            return Ok(None);
        };
        // The client asks rustls for the process's provider; whoever was first chose the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut base = config.api_url.to_string();
        if !base.ends_with('/') {
            base.push('/');
        }
        let client = ClientBuilder::new(key.expose_secret().trim())
            .url(base)
            .timeout(TIMEOUT)
            .request_strategy(RequestStrategy::ExponentialBackoff(ATTEMPTS))
            .build()
            .map_err(|_repeats_the_url| StripeSetupError::Field)?;
        Ok(Some(Self(client)))
    }

    /// A Checkout Session and all of its lines, as they are now.
    pub async fn fetch_checkout(&self, session_id: &str) -> Result<Checkout, FetchError> {
        checkout::fetch(&self.0, session_id).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_key_shows_nowhere() {
        let config = StripeConfig {
            secret_key: Some("sk_test_planted".into()),
            ..StripeConfig::default()
        };
        let api = StripeApi::from_config(&config).unwrap().unwrap();
        assert!(!format!("{api:?}").contains("planted"));
        let config = StripeConfig {
            secret_key: Some("sk_test_planted\nx".into()),
            ..config
        };
        let error = StripeApi::from_config(&config).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("planted"));
    }

    #[test]
    fn only_what_nobody_can_mend_is_final() {
        let refused = |status| FetchError::Refused {
            status,
            code: String::new(),
        };
        for status in [401, 403, 409, 429, 500, 503] {
            assert!(!refused(status).is_final(), "{status}");
        }
        assert!(!refused(404).is_final(), "perhaps a key of another account");
        assert!(!FetchError::Unreachable(String::new()).is_final());
    }
}
