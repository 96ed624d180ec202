//! The log: readable or JSON, on stderr, without secrets.
//!
//! Nothing secret is ever passed to it: secrets are `SecretString`, requests are logged by route
//! pattern, bodies and headers never.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Starts the log of this process. A second start in one process is ignored.
pub fn start(config: &Config) {
    let filter =
        EnvFilter::try_new(&config.log).unwrap_or_else(|_unparsable| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "the log was started before");
    }
}
