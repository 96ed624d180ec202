//! Management of kits; those of policies stand in `policies`.

mod errors;
pub mod policies;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::create_kit::{CreateKit, create_kit};
use super::edit_kit::{EditKit, edit_kit};
use super::model::KitStatus;
use super::store::{self, Kit};
use crate::app::App;
use crate::db::{DbError, Page};
use crate::http::conditional::{expected_version, version_tag};
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::openapi::words::{KitName, Slug};
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Query};
use crate::staff::Scope;
use errors::no_such_kit;

/// Routes of this file and its child, relative to the management API.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/kits").on(Method::POST, create).get(list))
        .service(resource("/kits/{kit}").get(show).on(Method::PATCH, edit))
        .configure(policies::routes);
}

/// What this file and its child add to the document of the API.
#[derive(OpenApi)]
#[openapi(paths(
    create,
    list,
    show,
    edit,
    policies::create,
    policies::list,
    policies::show,
    policies::edit,
    policies::versions,
    policies::templates,
    policies::texts::add,
    policies::texts::list,
    policies::texts::show,
))]
pub struct Paths;

/// A new kit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateKitRequest)]
struct CreateRequest {
    #[schema(value_type = Slug)]
    slug: String,
    #[schema(min_length = 1, max_length = 100, example = "Feedback Widget Kit")]
    name: String,
    /// One or two sentences.
    #[serde(default)]
    #[schema(max_length = 2000)]
    description: String,
    /// An http or https address.
    #[schema(max_length = 2000)]
    homepage: Option<String>,
    /// Package ecosystems it is made for, such as `npm`.
    #[serde(default)]
    #[schema(value_type = Vec<Slug>, max_items = 10)]
    ecosystems: Vec<String>,
    /// `queued` where nothing is said.
    status: Option<KitStatus>,
    /// Whether everybody may have it, without a key.
    #[serde(default)]
    is_open: bool,
    /// Whether archives that customers download carry a stamp that names their license.
    #[serde(default)]
    stamps: bool,
}

/// What shall change; members that are left out stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EditKitRequest)]
struct EditRequest {
    /// The present slug stays an alias.
    #[schema(value_type = Option<Slug>)]
    slug: Option<String>,
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// An empty text takes it away.
    #[schema(max_length = 2000)]
    homepage: Option<String>,
    status: Option<KitStatus>,
    /// Whether everybody may have it, without a key.
    is_open: Option<bool>,
    /// Whether archives that customers download carry a stamp that names their license.
    stamps: Option<bool>,
}

/// A kit with its former slugs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KitDetail)]
struct KitView {
    #[serde(flatten)]
    kit: Kit,
    /// Former slugs; they go on answering.
    aliases: Vec<String>,
}

/// Adds a kit.
#[utoipa::path(
    post,
    path = "/v1/admin/kits",
    operation_id = "create_kit",
    tag = "kits",
    request_body = CreateRequest,
    security(("management_token" = ["admin"])),
    responses(
        (status = 201, description = "Added.", body = KitView, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "`conflict`: another kit has this slug, or had it before."),
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
    let input = CreateKit {
        slug: request.slug,
        name: request.name,
        description: request.description,
        homepage: request.homepage,
        ecosystems: request.ecosystems,
        status: request.status.unwrap_or(KitStatus::Queued),
        is_open: request.is_open,
        stamps: request.stamps,
        actor: holder.actor(),
    };
    let id = made(create_kit(&app, input, claim).await?)?;
    let view = find(&app, id.clone()).await?;
    Ok(created(&app, "/v1/admin/kits", &id)
        .insert_header(version_tag(view.kit.version))
        .json(view))
}

/// All kits.
#[utoipa::path(
    get,
    path = "/v1/admin/kits",
    operation_id = "list_kits",
    tag = "kits",
    params(PageQuery),
    security(("management_token" = ["read"])),
    responses((status = 200, description = "A page of them.", body = Page<Kit>)),
)]
async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let id = |kit: &Kit| kit.id.to_string();
    query.window()?.page(&app, store::list_kits, id).await
}

/// One kit.
#[utoipa::path(
    get,
    path = "/v1/admin/kits/{kit}",
    operation_id = "get_kit",
    tag = "kits",
    params(("kit" = KitName, Path, description = "Slug, former slug, or id.")),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The kit.", body = KitView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such kit."),
    ),
)]
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

/// Changes a kit.
#[utoipa::path(
    patch,
    path = "/v1/admin/kits/{kit}",
    operation_id = "edit_kit",
    tag = "kits",
    params(
        ("kit" = KitName, Path, description = "Slug, former slug, or id."),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the kit as it was read, or `*`."),
    ),
    request_body = EditRequest,
    security(("management_token" = ["admin"])),
    responses(
        (status = 200, description = "Changed.", body = KitView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such kit."),
        (status = 409, description = "`conflict`: another kit has this slug, or had it before."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
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
        is_open: request.is_open,
        stamps: request.stamps,
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
