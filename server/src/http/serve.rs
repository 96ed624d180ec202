//! The listening server.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};

use super::{host, path_token, rate_limit, routes, stalled, telemetry};
use crate::app::App;

/// How many seconds a shutdown waits for requests under way.
const SHUTDOWN_SECONDS: u64 = 10;
/// How long the head of a request may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may wait for its next request.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Files the process opens for other things: the database, its log.
const OTHER_FILES: usize = 64;
/// Files of a connection: itself, and the stored file or the connection to the storage it reads from.
const FILES_PER_CONNECTION: usize = 2;
/// Connections of the metrics listener; one scraper needs one.
const METRICS_CONNECTIONS: usize = 8;

/// Serves `app` on `listener` until the returned server is stopped.
pub fn serve(app: &Arc<App>, listener: TcpListener, workers: usize) -> std::io::Result<Server> {
    let data = web::Data::from(Arc::clone(app));
    let workers = workers.max(1);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(data.clone())
            .wrap(from_fn(rate_limit::around))
            .wrap(from_fn(path_token::take))
            .wrap(from_fn(host::check))
            .wrap(from_fn(telemetry::around))
            .configure(routes::mount)
    })
    .workers(workers)
    .max_connections(connections_per_worker(open_files(), workers))
    .client_request_timeout(HEAD_PATIENCE)
    .on_connect(stalled::end_when_stalled)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

/// Where no file is left, accepting fails for everybody, the database included: connections beyond
/// these wait in the listener's queue instead.
fn connections_per_worker(open_files: usize, workers: usize) -> usize {
    let spare = open_files.saturating_sub(OTHER_FILES + METRICS_CONNECTIONS + 1);
    // Actix's own default is the upper end.
    (spare / FILES_PER_CONNECTION / workers).clamp(1, 25_600)
}

/// The soft limit on open files; that of most systems where it cannot be read.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    soft_open_files(&limits).unwrap_or(1024)
}

fn soft_open_files(limits: &str) -> Option<usize> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

/// Serves `/metrics` on its own listener.
pub fn serve_metrics(app: &Arc<App>, listener: TcpListener) -> std::io::Result<Server> {
    let data = web::Data::from(Arc::clone(app));
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(data.clone())
            .route("/metrics", web::get().to(metrics))
    })
    .workers(1)
    .max_connections(METRICS_CONNECTIONS)
    .client_request_timeout(HEAD_PATIENCE)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

async fn metrics(app: web::Data<App>) -> actix_web::HttpResponse {
    actix_web::HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(app.metrics.render(app.db.waiting_writes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_together_leave_files_for_the_rest() {
        for (files, workers) in [(1024, 1), (1024, 4), (1024, 7), (65_536, 2)] {
            let all = connections_per_worker(files, workers) * workers;
            assert!(
                2 * all < files - 64 && all > files / 3,
                "{files} {workers}: {all}"
            );
        }
        assert_eq!(connections_per_worker(10, 4), 1);
        assert_eq!(connections_per_worker(usize::MAX, 4), 25_600);
    }

    #[test]
    fn the_soft_limit_is_the_first_number() {
        let text = "Limit   Soft Limit  Hard Limit  Units\n\
                    Max processes  5  6  processes\n\
                    Max open files            1024                 4096                 files\n";
        assert_eq!(soft_open_files(text), Some(1024));
        assert_eq!(
            soft_open_files("Max open files  unlimited  unlimited  files"),
            Some(usize::MAX)
        );
        assert_eq!(soft_open_files(""), None);
        assert!(open_files() > 0);
    }
}
