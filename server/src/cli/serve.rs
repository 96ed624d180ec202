//! `kitward serve`.

use std::net::TcpListener;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::output::Failed;
use crate::app::{App, Parts};
use crate::{config, logging, run};

pub(super) async fn run(path: Option<&Path>) -> Result<(), Failed> {
    let config = config::from_process(path)?;
    logging::start(&config);
    let listener = bind(&config.listen)?;
    let app = App::build(config, Parts::default()).await?;
    if !app.can_mail() {
        tracing::warn!("mail.smtp_url is not set: mails wait in the outbox");
    }
    let running = run::start(&app, listener, run::Options::default())?;
    tracing::info!(listen = %app.config.listen, public_url = %app.public_url(), "serving");
    until_told().await?;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

pub(super) fn bind(address: &std::net::SocketAddr) -> Result<TcpListener, Failed> {
    TcpListener::bind(address)
        .map_err(|error| Failed::new(format!("cannot listen on {address}: {error}")))
}

/// Until SIGTERM or SIGINT.
pub(super) async fn until_told() -> Result<(), Failed> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
