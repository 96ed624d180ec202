//! A running installation: the listening server, the workers of its outbox, its checkpoints, the sweep
//! of seats.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use tokio::task::JoinHandle;

use crate::activations::{seen, sweep};
use crate::app::App;
use crate::audit;
use crate::downloads;
use crate::http::serve::{serve, serve_metrics};
use crate::idempotency;
use crate::key_ring;
use crate::outbox::{self, Lane};
use crate::releases;
use crate::reports::checks;

/// How long a shutdown waits for attempts of the outbox that are under way.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// How often what is over is deleted.
const SWEEP_EVERY: std::time::Duration = std::time::Duration::from_hours(1);

/// How to run.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// HTTP workers.
    pub workers: usize,
    /// Whether this process works on the outbox and on what is due in the key ring, makes checkpoints
    /// of the audit log and sweeps seats.
    pub outbox: bool,
}

impl Default for Options {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            workers: cores,
            outbox: true,
        }
    }
}

/// A running installation.
#[derive(Debug)]
pub struct Running {
    app: Arc<App>,
    servers: Vec<ServerHandle>,
    tasks: Vec<JoinHandle<()>>,
    keeper: JoinHandle<()>,
    sweepers: Vec<JoinHandle<()>>,
}

/// Starts serving on a listener that is bound already.
pub fn start(app: &Arc<App>, listener: TcpListener, options: Options) -> std::io::Result<Running> {
    let server = serve(app, listener, options.workers)?;
    let mut servers = vec![server.handle()];
    let mut tasks = vec![spawn_server(server)];
    if let Some(address) = app.config.metrics_listen {
        let metrics = serve_metrics(app, TcpListener::bind(address)?)?;
        servers.push(metrics.handle());
        tasks.push(spawn_server(metrics));
    }
    if options.outbox {
        for lane in Lane::ALL {
            tasks.push(tokio::spawn(outbox::run(Arc::clone(app), *lane)));
        }
        tasks.push(tokio::spawn(audit::run(Arc::clone(app))));
        tasks.push(tokio::spawn(sweep::run(Arc::clone(app))));
        tasks.push(tokio::spawn(checks::run(Arc::clone(app))));
    }
    let mut sweepers = Vec::new();
    if options.outbox {
        sweepers.push(tokio::spawn(forget(Arc::clone(app))));
        sweepers.push(tokio::spawn(releases::sweep::run(Arc::clone(app))));
    }
    Ok(Running {
        app: Arc::clone(app),
        servers,
        tasks,
        keeper: tokio::spawn(key_ring::keep(Arc::clone(app), options.outbox)),
        sweepers,
    })
}

async fn forget(app: Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        if let Err(error) = idempotency::sweep(&app).await {
            tracing::warn!(%error, "old idempotency keys could not be deleted");
        }
        if let Err(error) = downloads::record::sweep(&app).await {
            tracing::warn!(%error, "what downloads left behind on former days could not be deleted");
        }
    }
}

fn spawn_server(server: actix_web::dev::Server) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::error!(%error, "the server ended");
        }
    })
}

impl Running {
    /// Not ready first, then requests under way, then the outbox, then what is in memory only, then
    /// the database's queues.
    pub async fn stop(self) {
        self.app.stop();
        // Nothing waits for them, and what they leave the next ones delete.
        for sweeper in &self.sweepers {
            sweeper.abort();
        }
        for server in &self.servers {
            server.stop(true).await;
        }
        // What it writes is one transaction: there or not.
        self.keeper.abort();
        for lane in Lane::ALL {
            self.app.lanes.wake(*lane);
        }
        self.app.seen.ring();
        self.app.checks.ring();
        let end = tokio::time::Instant::now() + PATIENCE;
        for mut task in self.tasks {
            // A worker that panicked has ended too. One that hangs is dropped: its rows are fenced.
            if tokio::time::timeout_at(end, &mut task).await.is_err() {
                task.abort();
            }
        }
        if let Err(error) = seen::flush(&self.app).await {
            tracing::warn!(%error, "when seats were last seen was not written");
        }
        if let Err(error) = checks::flush(&self.app).await {
            tracing::warn!(%error, "update checks were not counted");
        }
        let db = self.app.db.clone();
        // Closing waits for threads.
        let _ = tokio::task::spawn_blocking(move || db.close()).await;
    }
}
