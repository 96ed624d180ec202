//! Management of policies.

mod errors;
pub(super) mod texts;
mod views;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use self::views::{PolicyView, TemplateView, VersionView};
use crate::app::App;
use crate::db::{AnyConn, DbError, Page};
use crate::http::conditional::{expected_version, version_tag};
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::openapi::words::KitName;
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Code, Query};
use crate::kits::create_policy::{CreatePolicy, create_policy};
use crate::kits::edit_policy::{EditPolicy, edit_policy};
use crate::kits::model::{PolicyId, Template};
use crate::kits::overlay::Given;
use crate::kits::store::{self, PolicyTerms, Terms};
use crate::staff::Scope;

/// Routes of this file and its child.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    let one = resource("/policies/{policy}").get(show);
    config
        .service(resource("/policy-templates").get(templates))
        .service(resource("/policies").on(Method::POST, create).get(list))
        .service(resource("/policies/{policy}/versions").get(versions))
        .service(one.on(Method::PATCH, edit))
        .configure(texts::routes);
}

/// A new policy. All other members are terms; those left out are the template's.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CreatePolicyRequest)]
pub(super) struct CreateRequest {
    /// Name among the policies.
    #[schema(
        min_length = 1,
        max_length = 100,
        example = "Personal, one year of updates"
    )]
    name: String,
    template: Option<Template>,
    /// Where its licenses are renewed; without one, on their own pages.
    #[serde(default)]
    renew_url: Option<String>,
    /// The kits it covers; none where the scope is `all`.
    #[serde(default)]
    #[schema(value_type = Vec<KitName>, max_items = 500)]
    kits: Vec<String>,
    #[serde(flatten)]
    #[schema(value_type = Terms)]
    terms: Given,
}

/// What shall change; members that are left out stay as they are. All other members are terms.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EditPolicyRequest)]
pub(super) struct EditRequest {
    #[schema(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// An empty text takes it away.
    renew_url: Option<String>,
    /// Slugs or ids.
    #[schema(value_type = Option<Vec<KitName>>, max_items = 500)]
    kits: Option<Vec<String>>,
    #[serde(flatten)]
    #[schema(value_type = Terms)]
    terms: Given,
}

/// Terms to start from, all on one page.
#[utoipa::path(
    get,
    path = "/v1/admin/policy-templates",
    operation_id = "list_policy_templates",
    tag = "policies",
    security(("management_token" = ["read"])),
    responses((status = 200, description = "All of them.", body = Page<TemplateView>)),
)]
pub(super) async fn templates(admin: Admin) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let all = Template::ALL.iter().copied();
    Ok(HttpResponse::Ok().json(Page {
        items: all.map(TemplateView::from).collect(),
        next_cursor: None,
    }))
}

/// Adds a policy.
#[utoipa::path(
    post,
    path = "/v1/admin/policies",
    operation_id = "create_policy",
    tag = "policies",
    request_body = CreateRequest,
    security(("management_token" = ["admin"])),
    responses(
        (status = 201, description = "Added.", body = PolicyView, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "`conflict`: another policy has this name."),
    ),
)]
pub(super) async fn create(
    app: AppData,
    admin: Admin,
    once: Idempotency,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let (request, claim) = once.read::<CreateRequest>(&app, &holder, body).await?;
    let base = request
        .template
        .map_or_else(Terms::default, Template::terms);
    let input = CreatePolicy {
        name: request.name,
        template: request.template,
        terms: request.terms.over(&base)?,
        renew_url: request.renew_url.unwrap_or_default(),
        kits: request.kits,
        actor: holder.actor(),
    };
    let id = made(create_policy(&app, input, claim).await?)?;
    let view = view(&app, id.clone()).await?;
    Ok(created(&app, "/v1/admin/policies", &id)
        .insert_header(version_tag(view.version()))
        .json(view))
}

/// All policies.
#[utoipa::path(
    get,
    path = "/v1/admin/policies",
    operation_id = "list_policies",
    tag = "policies",
    params(PageQuery),
    security(("management_token" = ["read"])),
    responses((status = 200, description = "A page of them.", body = Page<PolicyView>)),
)]
pub(super) async fn list(
    app: AppData,
    admin: Admin,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let read = |conn: &mut AnyConn, after: &str, rows| {
        let policies = store::list_policies(conn, after, rows)?;
        Ok(policies.into_iter().map(PolicyView::from).collect())
    };
    query.window()?.page(&app, read, PolicyView::id).await
}

/// One policy.
#[utoipa::path(
    get,
    path = "/v1/admin/policies/{policy}",
    operation_id = "get_policy",
    tag = "policies",
    params(("policy" = String, Path, description = "Id or name.")),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "The policy.", body = PolicyView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such policy."),
    ),
)]
pub(super) async fn show(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    Ok(answer(&view(&app, path.into_inner()).await?))
}

/// Changes a policy. Other terms are a new version; licenses that were issued keep theirs.
#[utoipa::path(
    patch,
    path = "/v1/admin/policies/{policy}",
    operation_id = "edit_policy",
    tag = "policies",
    params(("policy" = String, Path, description = "Id or name.")),
    request_body = EditRequest,
    security(("management_token" = ["admin"])),
    responses(
        (status = 200, description = "Changed.", body = PolicyView, headers(("ETag" = String))),
        (status = 404, description = "`not_found`: there is no such policy."),
        (status = 409, description = "`conflict`: another policy has this name."),
        (status = 412, description = "`precondition_failed`: it was changed meanwhile."),
    ),
)]
pub(super) async fn edit(
    app: AppData,
    admin: Admin,
    http: HttpRequest,
    path: web::Path<String>,
    body: UnreadJson,
) -> Result<HttpResponse, ApiError> {
    let holder = admin.may(Scope::Admin)?;
    let request: EditRequest = body.read().await?;
    let id = find(&app, path.into_inner()).await?.policy.id;
    let input = EditPolicy {
        id: id.clone(),
        expected_version: expected_version(&http)?,
        name: request.name,
        renew_url: request.renew_url,
        terms: request.terms,
        kits: request.kits,
        actor: holder.actor(),
    };
    edit_policy(&app, input).await?;
    Ok(answer(&view(&app, id.to_string()).await?))
}

/// All versions of a policy's terms, the first one first.
#[utoipa::path(
    get,
    path = "/v1/admin/policies/{policy}/versions",
    operation_id = "list_policy_versions",
    tag = "policies",
    params(("policy" = String, Path, description = "Id or name."), PageQuery),
    security(("management_token" = ["read"])),
    responses(
        (status = 200, description = "A page of them.", body = Page<VersionView>),
        (status = 404, description = "`not_found`: there is no such policy."),
    ),
)]
pub(super) async fn versions(
    app: AppData,
    admin: Admin,
    path: web::Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    admin.may(Scope::Read)?;
    let policy = find(&app, path.into_inner()).await?.policy.id;
    let read = move |conn: &mut AnyConn, after: &str, rows| {
        // What is no number of a version comes before the first.
        let after = after.parse().unwrap_or(0);
        let versions = store::list_versions(conn, &policy, after, rows)?;
        Ok(versions.into_iter().map(VersionView::from).collect())
    };
    query.window()?.page(&app, read, VersionView::number).await
}

fn answer(view: &PolicyView) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(version_tag(view.version()))
        .json(view)
}

async fn view(app: &App, name: String) -> Result<PolicyView, ApiError> {
    find(app, name).await.map(PolicyView::from)
}

/// The policy with this id or name.
pub async fn find(app: &App, name: String) -> Result<PolicyTerms, ApiError> {
    let found = app
        .db
        .read_snapshot(move |conn| -> Result<_, DbError> {
            match PolicyId::parse(&name) {
                Some(id) => store::find_policy(conn, &id),
                None => store::find_policy_by_name(conn, &name),
            }
        })
        .await?;
    found.ok_or_else(|| ApiError::new(Code::NotFound, "There is no such policy."))
}
