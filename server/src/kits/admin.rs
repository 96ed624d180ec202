//! Management of kits; those of policies stand in `policies`.

pub mod policies;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::create_kit::{CreateKit, CreateKitError, create_kit};
use super::edit_kit::{EditKit, EditKitError, edit_kit};
use super::model::KitStatus;
use super::store::{self, Kit};
use super::texts::Fault;
use crate::app::App;
use crate::db::DbError;
use crate::http::conditional::{changed_meanwhile, expected_version, version_tag};
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Code, Query};
use crate::staff::Scope;

/// Routes of this file and its child, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/kits").on(Method::POST, create).get(list))
        .service(resource("/kits/{kit}").get(show).on(Method::PATCH, edit))
        .configure(policies::routes);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    slug: String,
    name: String,
    #[serde(default)]
    description: String,
    homepage: Option<String>,
    #[serde(default)]
    ecosystems: Vec<String>,
    status: Option<KitStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EditRequest {
    slug: Option<String>,
    name: Option<String>,
    description: Option<String>,
    homepage: Option<String>,
    status: Option<KitStatus>,
}

#[derive(Debug, Serialize)]
struct KitView {
    #[serde(flatten)]
    kit: Kit,
    /// Former slugs; they go on answering.
    aliases: Vec<String>,
}

async fn create(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let (request, claim) = once.read::<CreateRequest>(&app, &holder, body).await?;
    let input = CreateKit {
        slug: request.slug,
        name: request.name,
        description: request.description,
        homepage: request.homepage,
        ecosystems: request.ecosystems,
        status: request.status.unwrap_or(KitStatus::Queued),
        actor: holder.actor(),
    };
    let id = made(create_kit(&app, input, claim).await?)?;
    let view = find(&app, id.clone()).await?;
    Ok(created(&app, "/v1/admin/kits", &id)
        .insert_header(version_tag(view.kit.version))
        .json(view))
}

async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let id = |kit: &Kit| kit.id.to_string();
    query.window()?.page(&app, store::list_kits, id).await
}

async fn show(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let view = find(&app, path.into_inner()).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(view.kit.version))
        .json(view))
}

async fn edit(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<String>,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let request: EditRequest = body.read().await?;
    let present = find(&app, path.into_inner()).await?;
    let input = EditKit {
        id: present.kit.id,
        expected_version: expected_version(&http)?,
        slug: request.slug,
        name: request.name,
        description: request.description,
        homepage: request.homepage,
        status: request.status,
        actor: holder.actor(),
    };
    let kit = edit_kit(&app, input).await?;
    let view = find(&app, kit.id.to_string()).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(view.kit.version))
        .json(view))
}

async fn find(app: &App, name: String) -> Result<KitView, ApiError> {
    let found = app
        .db
        .read_snapshot(move |conn| -> Result<_, DbError> {
            let Some(kit) = store::find_kit_by_name(conn, &name)? else {
                return Ok(None);
            };
            let aliases = store::aliases_of(conn, &kit.id)?;
            Ok(Some(KitView { kit, aliases }))
        })
        .await?;
    found.ok_or_else(no_such_kit)
}

fn no_such_kit() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such kit.")
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        Self::field(fault.field, format!("{} {}.", fault.field, fault.reason))
    }
}

fn slug_taken() -> ApiError {
    let detail = "Another kit has this slug, or had it before.";
    ApiError::new(Code::Conflict, detail).with("field", "slug")
}

impl From<CreateKitError> for ApiError {
    fn from(error: CreateKitError) -> Self {
        match error {
            CreateKitError::Db(error) => error.into(),
            CreateKitError::Field(fault) => fault.into(),
            CreateKitError::SlugTaken => slug_taken(),
        }
    }
}

impl From<EditKitError> for ApiError {
    fn from(error: EditKitError) -> Self {
        match error {
            EditKitError::Db(error) => error.into(),
            EditKitError::Field(fault) => fault.into(),
            EditKitError::NotFound => no_such_kit(),
            EditKitError::SlugTaken => slug_taken(),
            EditKitError::Changed { version } => changed_meanwhile("kit", version),
        }
    }
}
