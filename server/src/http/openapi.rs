//! The document of the HTTP interface, OpenAPI 3.1: made from the handlers, committed as
//! `docs/openapi.json`, served at `/openapi.json`, shown at `/docs`.
//!
//! # How a handler gets into it
//!
//! 1. `#[utoipa::path(method, path = "/whole/path", tag = "…", …)]` on the handler, and its name in
//!    `#[openapi(paths(…))]` of the feature's `Paths`. A new `Paths` goes into `parts`.
//! 2. `#[derive(ToSchema)]` on what it takes and gives, with the bounds that it checks
//!    (`min_length`, `pattern`, …). Ids, words, times and [`words`] describe themselves. Two types
//!    of one name: `#[schema(as = OtherName)]`, or `text_enum! { pub enum Name as "OtherName" => {`.
//! 3. Its own outcomes alone in `responses(…)`: of refusals the status and what it means. `fill`
//!    adds what follows from the rest: the body of every refusal, `X-Request-Id`, the refusals of
//!    credentials (`security(("management_token" = ["read"]))` or `("license_key" = [])`), those of
//!    bodies and of parameters, 429 of what is counted, `Idempotency-Key` of each
//!    management POST that answers 201 or 412, `If-Match` of whatever answers 412, and what any request may meet. Where a member of the
//!    body, and no header, says what was read: `extensions(("x-precondition-in-body" = json!(true)))`.
//!    Where another POST takes the key: `extensions(("x-acts-once" = json!(true)))`.
//! 4. In answers a member that may be null, or that has a default in requests, is always there. One
//!    that is left out (`skip_serializing_if`) is `#[schema(nullable = false)]`.
//! 5. `UPDATE_DOCS=1 cargo test -p kitward-tests --test it -- layers::the_generated`.

mod fill;
mod problem;
mod schemas;
pub mod words;

use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use serde_json::Value;
use utoipa::OpenApi;

use super::routes::resource;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(resource("/openapi.json").get(document));
}

/// What stands around the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Kitward",
        description = "License server and kit distribution.\n\nBodies are JSON in UTF-8, `snake_case`; times are \
            RFC 3339 in UTC; money is in minor units. Refusals are `application/problem+json` \
            (RFC 9457): branch on `code`, show `detail`. Every answer carries `X-Request-Id`, \
            and one that was counted `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`. \
            Addresses that answer GET answer HEAD too. Words, codes and members may be added.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(document),
    // Parameters bring their schemas not along.
    components(schemas(words::Slug, words::KitName, words::ReleaseVersion, words::InstalledVersion)),
    tags(
        (name = "licensing", description = "Calls from inside kits. The license key stands in the body or in `Authorization`; an outcome of the license is a verdict, never an error."),
        (name = "downloads", description = "Releases, files and update checks for who holds a license key."),
        (name = "kits", description = "Management of kits."),
        (name = "policies", description = "Management of policies."),
        (name = "licenses", description = "Management of licenses: what support does."),
        (name = "customers", description = "Management of customers."),
        (name = "prices", description = "Management of what payment providers sell."),
        (name = "orders", description = "Purchases."),
        (name = "events", description = "Deliveries of payment providers as stored."),
        (name = "releases", description = "Management of releases and their files."),
        (name = "reports", description = "Figures: what is downloaded, and which versions are in the field."),
        (name = "tokens", description = "Management of management tokens."),
        (name = "audit", description = "Who changed what."),
        (name = "webhooks", description = "Called by payment providers."),
        (name = "discovery", description = "Public keys, addresses, health."),
    ),
)]
struct Around;

/// The features' parts, in no order.
fn parts() -> Vec<utoipa::openapi::OpenApi> {
    vec![
        super::status::Paths::openapi(),
        crate::activations::api::Paths::openapi(),
        crate::downloads::api::Paths::openapi(),
        crate::comparisons::api::Paths::openapi(),
        crate::updates::api::Paths::openapi(),
        crate::payments::api::Paths::openapi(),
        crate::kits::admin::Paths::openapi(),
        crate::payments::admin::Paths::openapi(),
        crate::releases::admin::Paths::openapi(),
        crate::notices::admin::Paths::openapi(),
        crate::reports::admin::Paths::openapi(),
        crate::audit::admin::Paths::openapi(),
        crate::staff::admin::Paths::openapi(),
        crate::licenses::admin::Paths::openapi(),
        crate::licenses::apply_terms::admin::Paths::openapi(),
        crate::licenses::tokens::admin::Paths::openapi(),
        crate::customers::admin::Paths::openapi(),
        crate::downloads::admin::Paths::openapi(),
    ]
}

/// The whole document.
pub fn value() -> Value {
    let mut whole = Around::openapi();
    for part in parts() {
        whole.merge(part);
    }
    // A document is a tree of texts and numbers, which always is a value.
    let mut whole = serde_json::to_value(whole).unwrap_or_default();
    fill::fill(&mut whole);
    whole
}

/// The document as text, as it is committed and served.
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut text = serde_json::to_string_pretty(&value()).unwrap_or_default();
        text.push('\n');
        text
    });
    &TEXT
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    tag = "discovery",
    responses((status = 200, description = "OpenAPI 3.1.", body = Value)),
)]
async fn document() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .content_type("application/json")
        .body(text())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn no_two_types_have_one_name_in_the_document() {
        let mut known: BTreeMap<String, Value> = BTreeMap::new();
        for part in parts() {
            let part = serde_json::to_value(part).unwrap();
            let schemas = part.pointer("/components/schemas").cloned();
            let Some(Value::Object(schemas)) = schemas else {
                continue;
            };
            for (name, schema) in schemas {
                let other = known.insert(name.clone(), schema.clone());
                assert!(other.is_none_or(|other| other == schema), "{name}");
            }
        }
        assert!(known.len() > 2);
    }
}
