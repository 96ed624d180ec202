//! What lists of terms look like in the document of the API.

use utoipa::openapi::schema::{Array, ArrayBuilder, ObjectBuilder, Type};

/// Names of features.
pub(in crate::kits) fn entitlements() -> Array {
    let name = ObjectBuilder::new().pattern(Some("^[!-~]{1,64}$"));
    list(name, super::terms::ENTITLEMENTS_MAX)
}

/// Host names, each of which may start with `*.`.
pub(in crate::kits) fn staging_hosts() -> Array {
    let host = r"^(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$";
    let host = ObjectBuilder::new()
        .max_length(Some(253))
        .pattern(Some(host));
    list(host, super::terms::STAGING_MAX)
}

fn list(item: ObjectBuilder, most: usize) -> Array {
    ArrayBuilder::new()
        .items(item.schema_type(Type::String))
        .max_items(Some(most))
        .build()
}
