//! Health, readiness and discovery.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::error::{ApiError, markdown};
use super::extract::AppData;
use super::routes::resource;
use crate::db::DbError;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz").get(health))
        .service(resource("/readyz").get(ready))
        .service(resource("/.well-known/jwks.json").get(jwks))
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
    let keys = app.keys.load();
    HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .json(keys.public.to_jwks())
}

/// Where things are, for clients that know only the address.
async fn discovery(app: AppData) -> HttpResponse {
    let at = |path: &str| app.link(path);
    HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .json(json!({
            "issuer": app.installation_id,
            "jwks_uri": at("/.well-known/jwks.json"),
            "activate": at("/v1/licenses/activate"),
            "validate": at("/v1/licenses/validate"),
            "deactivate": at("/v1/licenses/deactivate"),
            "updates": at("/v1/kits/{kit}/updates"),
            "portal": at("/"),
        }))
}
