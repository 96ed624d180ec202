//! What lists of terms look like in the document of the API.

use serde_json::json;
use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};

/// Names of features.
pub(in crate::kits) fn entitlements() -> Array {
    let name = ObjectBuilder::new().pattern(Some("^[!-~]{1,64}$"));
    list(
        "Names of the features it includes.",
        name,
        super::terms::ENTITLEMENTS_MAX,
    )
}

/// Host names, each of which may start with `*.`.
pub(in crate::kits) fn staging_hosts() -> Array {
    let host = r"^(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$";
    let host = ObjectBuilder::new()
        .max_length(Some(253))
        .pattern(Some(host));
    let meaning =
        "Sites that use no seat, beside local ones: host names, `*.` in front for all below.";
    list(meaning, host, super::terms::STAGING_MAX)
}

fn list(meaning: &str, item: ObjectBuilder, most: usize) -> Array {
    ArrayBuilder::new()
        .items(item.schema_type(Type::String))
        .max_items(Some(most))
        .description(Some(meaning))
        .default(Some(json!([])))
        .build()
}
