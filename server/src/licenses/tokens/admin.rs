//! Management of derived tokens.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::create::{CreateLicenseToken, CreateLicenseTokenError, create_license_token};
use super::model::{DerivedKind, LicenseTokenId};
use super::revoke::{RevokeLicenseToken, revoke_license_token};
use super::store::{self, TokenRow};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::types::WordList;
use crate::db::{AnyConn, DbError, Page};
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, mismatch};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Code, Query};
use crate::idempotency::Once;
use crate::licenses::admin::{known_license, no_such_license};
use crate::licenses::model::{LicenseId, LicenseKeyId};
use crate::people::model::PersonId;
use crate::staff::Scope;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    let all = resource("/licenses/{license}/tokens").get(list);
    let revoke = resource("/licenses/{license}/tokens/{token}/revoke");
    config
        .service(all.on(Method::POST, create))
        .service(revoke.on(Method::POST, post_revoke));
}

/// What this file adds to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(create, list, post_revoke))]
pub struct Paths;

/// A new token of a license.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateLicenseTokenRequest)]
struct CreateRequest {
    kind: DerivedKind,
    /// Where it is used.
    #[schema(min_length = 1, max_length = 100, example = "Nightly builds")]
    name: String,
    /// From where a publishable id may be used, at most 20; none for the others.
    #[serde(default)]
    origins: Vec<String>,
    /// A time to come; until revoked, or as long as its key, where left out.
    expires_at: Option<Timestamp>,
}

/// A token derived from a license key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LicenseToken)]
struct TokenView {
    id: LicenseTokenId,
    license_id: LicenseId,
    /// The key it ends with.
    license_key_id: Option<LicenseKeyId>,
    /// Whose own it is.
    person_id: Option<PersonId>,
    kind: DerivedKind,
    name: String,
    /// Last six characters.
    hint: String,
    origins: WordList,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    /// Since when it runs like a workstation.
    flagged_at: Option<Timestamp>,
    /// The token itself, in the answer to who made it.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Makes a token of a license. Its text is shown once.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/tokens",
    operation_id = "create_license_token",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = CreateRequest,
    security(("management_token" = ["admin"])),
    responses(
        (status = 201, description = "Made.", body = TokenView, headers(("Location" = String))),
        (status = 404, description = "`not_found`: there is no such license."),
        (status = 409, description = "`conflict`: the license is refused, or has 200 tokens."),
    ),
)]
async fn create(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    path: web::Path<String>,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let (request, claim) = once.read::<CreateRequest>(&app, &holder, body).await?;
    let license = LicenseId::parse(&path).ok_or_else(no_such_license)?;
    let input = CreateLicenseToken {
        license: license.clone(),
        kind: request.kind,
        name: request.name,
        origins: request.origins,
        expires_at: request.expires_at,
        owner: None,
        person: None,
        actor: holder.actor(),
    };
    let made = create_license_token(&app, input, claim).await?;
    let (id, secret) = shown_once(&app, made.made, made.secret)?;
    let mut view = TokenView::from(find(&app, license.clone(), id).await?);
    let list = format!("/v1/admin/licenses/{license}/tokens");
    let mut response = created(&app, &list, view.id.as_str());
    view.token = secret.map(|secret| secret.expose_secret().to_owned());
    Ok(response.json(view))
}

/// The id, and the text that goes with it: the new one, or the one an equal request was given.
fn shown_once(
    app: &App,
    made: Once<LicenseTokenId>,
    new: SecretString,
) -> Result<(LicenseTokenId, Option<SecretString>), ApiError> {
    match made {
        Once::New(id) => Ok((id, Some(new))),
        Once::Mismatch => Err(mismatch()),
        Once::Before(earlier) => {
            let id = LicenseTokenId::parse(&earlier.resource);
            let id = id.ok_or_else(|| ApiError::internal("a kept id is none"))?;
            let secret = earlier.secret(app).map_err(ApiError::internal)?;
            Ok((id, secret))
        }
    }
}

/// Tokens of a license, without their texts.
#[utoipa::path(
    get,
    path = "/v1/admin/licenses/{license}/tokens",
    operation_id = "list_license_tokens",
    tag = "licenses",
    params(("license" = LicenseId, Path), PageQuery),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<TokenView>),
        (status = 404, description = "`not_found`: there is no such license."),
    ),
)]
async fn list(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let window = query.window()?;
    let license = known_license(&app, &path).await?;
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        let rows = store::of_license(conn, &license, after, rows)?;
        Ok(rows.into_iter().map(TokenView::from).collect())
    };
    let id = |view: &TokenView| view.id.to_string();
    window.page(&app, read, id).await
}

/// Ends a token of a license. Repeating it changes nothing.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/tokens/{token}/revoke",
    operation_id = "revoke_license_token",
    tag = "licenses",
    params(("license" = LicenseId, Path), ("token" = LicenseTokenId, Path)),
    security(("management_token" = ["admin"])),
    responses(
        (status = 200, description = "It has ended.", body = TokenView),
        (status = 404, description = "`not_found`: this license has no such token."),
    ),
)]
async fn post_revoke(
    app: AppData,
    admin: Admin,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let (license, token) = path.into_inner();
    let input = RevokeLicenseToken {
        license: LicenseId::parse(&license).ok_or_else(no_such_token)?,
        token: LicenseTokenId::parse(&token).ok_or_else(no_such_token)?,
        own: None,
        actor: holder.actor(),
    };
    let row = revoke_license_token(&app, input).await?;
    let row = row.ok_or_else(no_such_token)?;
    Ok(HttpResponse::Ok().json(TokenView::from(row)))
}

async fn find(app: &App, license: LicenseId, id: LicenseTokenId) -> Result<TokenRow, ApiError> {
    let found = app
        .db
        .read(move |conn| -> Result<_, DbError> { store::find(conn, &license, &id) })
        .await?;
    found.ok_or_else(no_such_token)
}

fn no_such_token() -> ApiError {
    ApiError::new(Code::NotFound, "This license has no such token.")
}

impl From<TokenRow> for TokenView {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            license_id: row.license_id,
            license_key_id: row.license_key_id,
            person_id: row.person_id,
            kind: row.kind,
            name: row.name,
            hint: row.hint,
            origins: row.origins,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            flagged_at: row.flagged_at,
            token: None,
        }
    }
}

impl From<CreateLicenseTokenError> for ApiError {
    fn from(error: CreateLicenseTokenError) -> Self {
        match error {
            CreateLicenseTokenError::Db(error) => error.into(),
            CreateLicenseTokenError::Seal(error) => Self::internal(error),
            CreateLicenseTokenError::Field(fault) => fault.into(),
            CreateLicenseTokenError::NotFound => no_such_license(),
            CreateLicenseTokenError::Refused(code) => {
                Self::new(Code::Conflict, code.detail()).with("verdict", code.as_str())
            }
            CreateLicenseTokenError::NoCiUse => {
                Self::field("kind", "The terms of this license include no CI tokens.")
            }
            CreateLicenseTokenError::TooMany => {
                let detail = "This license has 200 tokens. Revoke those that are no longer used.";
                Self::new(Code::Conflict, detail)
            }
        }
    }
}
