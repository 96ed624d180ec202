//! Management of policies.

use actix_web::http::Method;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::db::{AnyConn, DbError, Page};
use crate::http::conditional::version_tag;
use crate::http::extract::{Admin, AppData, UnreadJson};
use crate::http::idempotency::{Idempotency, created, made};
use crate::http::openapi::words::KitName;
use crate::http::paging::PageQuery;
use crate::http::routes::resource;
use crate::http::{ApiError, Code, Query};
use crate::kits::create_policy::{CreatePolicy, CreatePolicyError, create_policy};
use crate::kits::model::{KitId, PolicyId, Scope as KitScope, SeatKind};
use crate::kits::store::{self, Policy, PolicyTerms, Terms};
use crate::staff::Scope;

/// Days a license file lives where nothing is said.
const LICENSE_FILE_DAYS: i32 = 14;

/// Routes of this file.
pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/policies").on(Method::POST, create).get(list))
        .service(resource("/policies/{policy}").get(show));
}

/// A new policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreatePolicyRequest)]
pub(super) struct CreateRequest {
    /// Name among the policies.
    #[schema(
        min_length = 1,
        max_length = 100,
        example = "Personal, one year of updates"
    )]
    name: String,
    /// What buyers read.
    #[schema(min_length = 1, max_length = 60, example = "Personal")]
    edition: String,
    scope: KitScope,
    /// The kits it covers; none where the scope is `all`.
    #[serde(default)]
    #[schema(value_type = Vec<KitName>, max_items = 500)]
    kits: Vec<String>,
    /// `none` where nothing is said.
    seat_kind: Option<SeatKind>,
    /// Null for unlimited.
    #[schema(minimum = 1, maximum = 1_000_000)]
    seat_limit: Option<i32>,
    /// Months of updates; null for ever.
    #[schema(minimum = 1, maximum = 1200)]
    updates_months: Option<i32>,
    /// Months of use; null for ever.
    #[schema(minimum = 1, maximum = 1200)]
    valid_months: Option<i32>,
    /// Days a license file lives; 14 where nothing is said.
    #[schema(minimum = 1, maximum = 366)]
    license_file_days: Option<i32>,
}

/// A policy with the kits it lists.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyDetail)]
pub(super) struct PolicyView {
    #[serde(flatten)]
    policy: Policy,
    #[serde(flatten)]
    terms: Terms,
    /// Ids; none where the scope is `all`.
    kits: Vec<KitId>,
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
    let terms = Terms {
        edition: request.edition,
        scope: request.scope,
        seat_kind: request.seat_kind.unwrap_or(SeatKind::None),
        seat_limit: request.seat_limit,
        updates_months: request.updates_months,
        valid_months: request.valid_months,
        license_file_days: request.license_file_days.unwrap_or(LICENSE_FILE_DAYS),
        ..Terms::default()
    };
    let input = CreatePolicy {
        name: request.name,
        terms,
        kits: request.kits,
        actor: holder.actor(),
    };
    let id = made(create_policy(&app, input, claim).await?)?;
    let view = find(&app, &id).await?;
    Ok(created(&app, "/v1/admin/policies", &id)
        .insert_header(version_tag(view.policy.version))
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
    let id = |view: &PolicyView| view.policy.id.to_string();
    query.window()?.page(&app, read, id).await
}

/// One policy.
#[utoipa::path(
    get,
    path = "/v1/admin/policies/{policy}",
    operation_id = "get_policy",
    tag = "policies",
    params(("policy" = PolicyId, Path)),
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
    let view = find(&app, &path).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(view.policy.version))
        .json(view))
}

async fn find(app: &App, id: &str) -> Result<PolicyView, ApiError> {
    let missing = || ApiError::new(Code::NotFound, "There is no such policy.");
    let id = PolicyId::parse(id).ok_or_else(missing)?;
    let found = app
        .db
        .read_snapshot(move |conn| -> Result<_, DbError> { store::find_policy(conn, &id) })
        .await?;
    found.map(PolicyView::from).ok_or_else(missing)
}

impl From<PolicyTerms> for PolicyView {
    fn from(found: PolicyTerms) -> Self {
        Self {
            policy: found.policy,
            terms: found.version.terms,
            kits: found.kits,
        }
    }
}

impl From<CreatePolicyError> for ApiError {
    fn from(error: CreatePolicyError) -> Self {
        match error {
            CreatePolicyError::Db(error) => error.into(),
            CreatePolicyError::Field(fault) => fault.into(),
            CreatePolicyError::UnknownKit(kit) => {
                Self::field("kits", format!("There is no kit \"{kit}\"."))
            }
            CreatePolicyError::NameTaken => {
                Self::new(Code::Conflict, "Another policy has this name.").with("field", "name")
            }
        }
    }
}
