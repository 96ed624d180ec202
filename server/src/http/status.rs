//! Health, readiness and discovery.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::error::{ApiError, Code, chain};
use super::extract::AppData;
use super::openapi::words::WebAddress;
use super::routes::resource;
use crate::app::App;
use crate::db::DbError;
use crate::key_ring;
use crate::releases::sign::file_keys;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/healthz").get(health))
        .service(resource("/readyz").get(ready))
        .service(resource("/.well-known/jwks.json").get(jwks))
        .service(resource("/.well-known/kitward-keyring.jwt").get(key_ring_document))
        .service(resource("/.well-known/kitward.json").get(discovery));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(health, ready, jwks, key_ring_document, discovery))]
pub(super) struct Paths;

/// Where the server stands.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok` or `ready`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// The process lives.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "discovery",
    responses((status = 200, description = "It lives.", body = Health)),
)]
async fn health() -> HttpResponse {
    HttpResponse::Ok().json(Health { status: "ok" })
}

/// The process can serve: its database answers and it is not shutting down.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "discovery",
    responses((status = 200, description = "It can serve.", body = Health)),
)]
async fn ready(app: AppData) -> Result<HttpResponse, ApiError> {
    if app.is_stopping() {
        return Err(ApiError::unavailable("shutting down"));
    }
    app.db
        .read_slow(|conn| crate::audit::head(conn).map_err(DbError::from))
        .await?;
    Ok(HttpResponse::Ok().json(Health { status: "ready" }))
}

const PUBLIC_FIVE_MINUTES: (&str, &str) = ("cache-control", "public, max-age=300");

/// Public keys (RFC 7517).
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes kitward_keys::Jwks, which knows nothing of HTTP"
)]
struct JwkSet {
    keys: Vec<Jwk>,
}

/// One public key. Readers pass over those they do not understand.
#[derive(Debug, ToSchema)]
#[expect(
    dead_code,
    reason = "describes kitward_keys::Jwk, which knows nothing of HTTP"
)]
struct Jwk {
    /// Key type.
    #[schema(example = "OKP")]
    kty: String,
    /// Curve.
    #[schema(example = "Ed25519")]
    crv: String,
    /// The key's 32 bytes in base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    x: String,
    /// The key's RFC 7638 thumbprint.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    kid: String,
    /// Use.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    key_use: String,
    /// Algorithm.
    #[schema(example = "EdDSA")]
    alg: String,
    /// What the key signs: `license_key`, `document`, `artifact` or `root`.
    kitward_purpose: String,
    /// `published`, `active`, `retiring`, `retired` or `compromised`.
    kitward_state: String,
}

/// Public keys of all signed documents (RFC 7517).
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "discovery",
    responses((status = 200, description = "The keys.", body = JwkSet)),
)]
async fn jwks(app: AppData) -> HttpResponse {
    follow(&app).await;
    let keys = app.keys.load();
    HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .json(keys.public.to_jwks())
}

/// The same, signed by the root key.
#[utoipa::path(
    get,
    path = "/.well-known/kitward-keyring.jwt",
    tag = "discovery",
    responses(
        (status = 200, description = "The signed key ring.", body = String, content_type = "application/jwt"),
        (status = 404, description = "It was never signed."),
    ),
)]
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
#[derive(Debug, Serialize, ToSchema)]
struct Discovery {
    /// `iss` of every signed document.
    issuer: String,
    #[schema(value_type = WebAddress)]
    jwks_uri: String,
    #[schema(value_type = WebAddress)]
    keyring_uri: String,
    #[schema(value_type = WebAddress)]
    activate: String,
    #[schema(value_type = WebAddress)]
    validate: String,
    #[schema(value_type = WebAddress)]
    deactivate: String,
    /// Template: `{kit}` stands for the slug.
    updates: String,
    /// Public keys that sign files, as minisign prints them: the server's, then the vendor's own.
    minisign_keys: Vec<String>,
    /// Where customers sign in.
    #[schema(value_type = WebAddress)]
    portal: String,
}

/// Where things are, for clients that know only the address.
#[utoipa::path(
    get,
    path = "/.well-known/kitward.json",
    tag = "discovery",
    responses((status = 200, description = "The addresses.", body = Discovery)),
)]
async fn discovery(app: AppData) -> HttpResponse {
    follow(&app).await;
    let at = |path: &str| app.link(path);
    HttpResponse::Ok()
        .insert_header(PUBLIC_FIVE_MINUTES)
        .json(Discovery {
            issuer: app.installation_id.clone(),
            jwks_uri: at("/.well-known/jwks.json"),
            keyring_uri: at("/.well-known/kitward-keyring.jwt"),
            activate: at("/v1/licenses/activate"),
            validate: at("/v1/licenses/validate"),
            deactivate: at("/v1/licenses/deactivate"),
            updates: at("/v1/kits/{kit}/updates"),
            minisign_keys: file_keys(&app).iter().map(ToString::to_string).collect(),
            portal: at("/"),
        })
}
