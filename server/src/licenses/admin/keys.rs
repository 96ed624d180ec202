//! Keys: rotating the signed one, taking in those of other systems.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::answers::{DetailBody, KeyBody};
use super::requests::{ImportRequest, RotateRequest};
use super::{Answer, Asked, lists, no_such_license, read};
use crate::http::conditional::version_tag;
use crate::http::extract::AppData;
use crate::http::idempotency::made;
use crate::licenses::import_key::import_key;
use crate::licenses::model::{LicenseId, LicenseKeyId};
use crate::licenses::rotate::{rotate_key, rotated};
use crate::licenses::store::Derived;
use crate::staff::Scope;

/// What a rotation did. The new key's text is the owner's to see.
#[derive(Debug, Serialize, ToSchema)]
struct RotatedBody {
    license: DetailBody,
    key: KeyBody,
    /// Keys that are replaced, with the time until which each is honored.
    replaced: Vec<KeyBody>,
    /// Tokens that end with them.
    tokens: Vec<Derived>,
}

/// Replace its signed key. The answer names the tokens that end with the old one.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/rotate",
    operation_id = "license_rotate",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = RotateRequest,
    responses(
        (status = 200, description = "What was replaced.", body = RotatedBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "It was merged into another one."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["admin"])),
)]
pub(super) async fn rotate(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<RotateRequest>(&app, asked, Scope::Admin).await?;
    let license = of.license.clone();
    let id = made(rotate_key(&app, of, request.grace_seconds, claim).await?)?;
    let key = LicenseKeyId::parse(&id).ok_or_else(no_such_license)?;
    let done = rotated(&app, license.clone(), key).await?;
    let done = done.ok_or_else(no_such_license)?;
    let license = lists::detail(&app, license).await?;
    Ok(HttpResponse::Ok()
        .insert_header(version_tag(license.version()))
        .json(RotatedBody {
            license,
            key: done.key.into(),
            replaced: done.replaced.into_iter().map(KeyBody::from).collect(),
            tokens: done.tokens,
        }))
}

/// Take in a key of another system, word for word: it finds this license from now on.
#[utoipa::path(
    post,
    path = "/v1/admin/licenses/{license}/import-key",
    operation_id = "license_import_key",
    tag = "licenses",
    params(("license" = LicenseId, Path)),
    request_body = ImportRequest,
    responses(
        (status = 200, description = "The license.", body = DetailBody),
        (status = 404, description = "There is no such license."),
        (status = 409, description = "A license has this key already, or it was merged."),
        (status = 412, description = "It was changed meanwhile."),
    ),
    security(("management_token" = ["admin"])),
)]
pub(super) async fn import(app: AppData, asked: Asked) -> Answer {
    let (of, request, claim) = read::<ImportRequest>(&app, asked, Scope::Admin).await?;
    let license = of.license.clone();
    let once = import_key(&app, of, request.source, &request.key, claim).await?;
    made(once)?;
    lists::answer(&app, license).await
}
