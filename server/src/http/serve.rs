//! The listening server.

use std::net::TcpListener;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};

use super::{host, routes, telemetry};
use crate::app::App;

/// How many seconds a shutdown waits for requests under way.
const SHUTDOWN_SECONDS: u64 = 30;

/// Serves `app` on `listener` until the returned server is stopped.
pub fn serve(app: &Arc<App>, listener: TcpListener, workers: usize) -> std::io::Result<Server> {
    let data = web::Data::from(Arc::clone(app));
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(data.clone())
            .wrap(from_fn(host::check))
            .wrap(from_fn(telemetry::around))
            .configure(routes::mount)
    })
    .workers(workers.max(1))
    .shutdown_timeout(SHUTDOWN_SECONDS)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
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
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

async fn metrics(app: web::Data<App>) -> actix_web::HttpResponse {
    actix_web::HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(app.metrics.render(app.db.waiting_writes()))
}
