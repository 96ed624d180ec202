//! `kitward serve`.

use std::net::TcpListener;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use super::output::Failed;
use crate::app::{App, Parts};
use crate::{config, logging, run};

/// Files that two workers with as many connections as they take may open. Systems often allow a program
/// 1024 until it asks for more, for the sake of old programs.
const OPEN_FILES: u64 = 65_536;

pub(super) async fn run(path: Option<&Path>) -> Result<(), Failed> {
    let config = config::from_process(path)?;
    logging::start(&config);
    if let Err(error) = rlimit::increase_nofile_limit(OPEN_FILES) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
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
