//! What addresses and headers of calls about one release hold, for the document of the API.

use utoipa::IntoParams;

use crate::releases::model::ReleaseId;

/// Which release.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(super) struct OneRelease {
    release: ReleaseId,
}

/// Which revision of it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(super) struct IfMatch {
    /// The `ETag` of the release as it was read, or `*`.
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}
