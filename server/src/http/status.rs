//! Health, readiness and discovery.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::error::{ApiError, Code, chain, markdown};
use super::extract::AppData;
use super::routes::resource;
use crate::app::App;
use crate::db::DbError;
use crate::key_ring;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz").get(health))
        .service(resource("/readyz").get(ready))
        .service(resource("/.well-known/jwks.json").get(jwks))
        .service(resource("/.well-known/kitward-keyring.jwt").get(key_ring_document))
        .service(resource("/.well-known/kitward.json").get(discovery))
        .service(resource("/docs/errors").get(error_codes));
}

/// The process lives.
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "ok" }))
}

/// The process can serve: its database answers and it is not shutting down.
async fn ready(app: AppData) -> Result<HttpResponse, ApiError> {
    if app.is_stopping() {
        return Err(ApiError::unavailable("shutting down"));
    }
    app.db
        .read_slow(|conn| crate::audit::head(conn).map_err(DbError::from))
        .await?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}

const PUBLIC_FIVE_MINUTES: (&str, &str) = ("cache-control", "public, max-age=300");

/// The page `type` of every problem leads to.
async fn error_codes() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .content_type("text/plain; charset=utf-8")
        .body(markdown())
}

/// Public keys of all signed documents (RFC 7517).
async fn jwks(app: AppData) -> HttpResponse {
    follow(&app).await;
    let keys = app.keys.load();
    HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .json(keys.public.to_jwks())
}

/// The same, signed by the root key.
async fn key_ring_document(app: AppData) -> Result<HttpResponse, ApiError> {
    follow(&app).await;
    let keys = app.keys.load();
    let signed = keys.signed.clone().ok_or_else(|| {
        ApiError::new(
            Code::NotFound,
            "The key ring of this server was never signed.",
        )
    })?;
    Ok(HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .content_type("application/jwt")
        .body(signed))
}

/// Whatever another process signed with, readers find here: it was written before it signed.
async fn follow(app: &App) {
    if let Err(error) = key_ring::refresh(app).await {
        // What is known still verifies nearly everything.
        let error = chain(&error);
        tracing::warn!(error, "the key ring could not be read");
    }
}

/// Where things are, for clients that know only the address.
async fn discovery(app: AppData) -> HttpResponse {
    let at = |path: &str| app.link(path);
    HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .json(json!({
            "issuer": app.installation_id,
            "jwks_uri": at("/.well-known/jwks.json"),
            "keyring_uri": at("/.well-known/kitward-keyring.jwt"),
            "activate": at("/v1/licenses/activate"),
            "validate": at("/v1/licenses/validate"),
            "deactivate": at("/v1/licenses/deactivate"),
            "updates": at("/v1/kits/{kit}/updates"),
            "portal": at("/"),
        }))
}
