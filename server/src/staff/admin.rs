//! Management of management tokens.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::create_token::{CreateToken, CreateTokenError, NAME_MAX, SCOPES_MAX, create_token_once};
use super::model::{Scope, TokenId};
use super::revoke_token::{RevokeTokenError, revoke_token};
use super::store::{self, Token};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Page;
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made_with_secret};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Code, Query};

/// Routes of this file, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/tokens").on(Method::POST, create).get(list))
        .service(resource("/tokens/{token}").get(show))
        .service(resource("/tokens/{token}/revoke").on(Method::POST, revoke));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(create, list, show, revoke))]
pub struct Paths;

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateTokenRequest)]
struct CreateRequest {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "Releases from CI")]
    name: String,
    /// What it may do.
    #[schema(min_items = 1, max_items = 20)]
    scopes: Vec<Scope>,
    /// A time to come; until revoked where left out.
    expires_at: Option<Timestamp>,
}

/// A token with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreatedToken)]
struct CreatedView {
    #[serde(flatten)]
    view: Token,
    /// Shown once; for a day again to the same request with its `Idempotency-Key`.
    #[schema(example = "kwa_…")]
    token: Option<String>,
}

/// Makes a token.
#[utoipa::path(
    post,
    path = "/v1/admin/tokens",
    operation_id = "create_token",
    tag = "tokens",
    request_body = CreateRequest,
    security(("management_token" = ["admin"])),
    responses(
        (status = 201, description = "Made.", body = CreatedView, headers(("Location" = String))),
    ),
)]
async fn create(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let (request, claim) = once.read::<CreateRequest>(&app, &holder, body).await?;
    let input = CreateToken {
        name: request.name,
        scopes: request.scopes,
        expires_at: request.expires_at,
        actor: holder.actor(),
    };
    let once = create_token_once(&app, input, claim).await?;
    let parts = |new: super::CreatedToken| (new.id.to_string(), new.secret);
    let (id, secret) = made_with_secret(&app, once, parts)?;
    let view = find(&app, &id).await?;
    let token = secret.map(|secret: SecretString| secret.expose_secret().to_owned());
    Ok(created(&app, "/v1/admin/tokens", &id).json(CreatedView { view, token }))
}

/// All tokens, without their secrets.
#[utoipa::path(
    get,
    path = "/v1/admin/tokens",
    operation_id = "list_tokens",
    tag = "tokens",
    params(PageQuery),
    security(("management_token" = ["read"])),
    responses((status = 200, description = "A page of them.", body = Page<Token>)),
)]
async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let id = |token: &Token| token.id.to_string();
    query.window()?.page(&app, store::list, id).await
}

/// One token, without its secret.
#[utoipa::path(
    get,
    path = "/v1/admin/tokens/{token}",
    operation_id = "get_token",
    tag = "tokens",
    params(("token" = TokenId, Path)),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The token.", body = Token),
        (status = 404, description = "`not_found`: there is no such token."),
    ),
)]
async fn show(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    Ok(HttpResponse::Ok().json(find(&app, &path).await?))
}

/// Ends a token. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/tokens/{token}/revoke",
    operation_id = "revoke_token",
    tag = "tokens",
    params(("token" = TokenId, Path)),
    security(("management_token" = ["admin"])),
    responses(
        (status = 200, description = "It has ended.", body = Token),
        (status = 404, description = "`not_found`: there is no such token."),
    ),
)]
async fn revoke(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let id = TokenId::parse(&path).ok_or_else(no_such_token)?;
    revoke_token(&app, id, holder.actor()).await?;
    Ok(HttpResponse::Ok().json(find(&app, &path).await?))
}

async fn find(app: &App, id: &str) -> Result<Token, ApiError> {
    let id = TokenId::parse(id).ok_or_else(no_such_token)?;
    let found = app.db.read(move |conn| store::find(conn, &id)).await?;
    found.ok_or_else(no_such_token)
}

fn no_such_token() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such token.")
}

impl From<CreateTokenError> for ApiError {
    fn from(error: CreateTokenError) -> Self {
        match error {
            CreateTokenError::Db(error) => error.into(),
            CreateTokenError::Seal(error) => Self::internal(error),
            CreateTokenError::Name => {
                let detail = format!("The name must be 1 to {NAME_MAX} printable characters.");
                Self::field("name", detail)
            }
            CreateTokenError::Scopes => {
                let detail = format!("Name 1 to {SCOPES_MAX} scopes.");
                Self::field("scopes", detail)
            }
            CreateTokenError::Expired => {
                Self::field("expires_at", "The end must be a time to come.")
            }
        }
    }
}

impl From<RevokeTokenError> for ApiError {
    fn from(error: RevokeTokenError) -> Self {
        match error {
            RevokeTokenError::Db(error) => error.into(),
            RevokeTokenError::NotFound => no_such_token(),
        }
    }
}
