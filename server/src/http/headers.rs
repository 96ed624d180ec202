//! Security headers of every answer.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

/// What pages may load: our own files, nothing inline, nothing of others.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// The same for a page with a form whose answer leads to this origin: Chromium holds `form-action`
/// against redirects too.
pub fn with_forms_leading_to(origin: &str) -> String {
    CONTENT_SECURITY_POLICY.replace(
        "form-action 'self'",
        &format!("form-action 'self' {origin}"),
    )
}

/// Made once, so that its texts are not checked at each answer.
macro_rules! header {
    ($name:literal, $value:expr) => {
        (
            HeaderName::from_static($name),
            HeaderValue::from_static($value),
        )
    };
}

static ALWAYS: LazyLock<[(HeaderName, HeaderValue); 5]> = LazyLock::new(|| {
    [
        header!("content-security-policy", CONTENT_SECURITY_POLICY),
        header!("x-content-type-options", "nosniff"),
        header!("referrer-policy", "no-referrer"),
        header!("cross-origin-opener-policy", "same-origin"),
        header!(
            "permissions-policy",
            "camera=(), geolocation=(), microphone=()"
        ),
    ]
});

/// Adds what is not set already.
pub(super) fn security_headers(headers: &mut HeaderMap, is_https: bool) {
    for (name, value) in ALWAYS.iter() {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    if is_https {
        let hsts = HeaderName::from_static("strict-transport-security");
        set_if_absent(headers, hsts, "max-age=31536000");
    }
    // Whatever does not say otherwise holds something about somebody.
    set_if_absent(headers, CACHE_CONTROL, "no-store");
}

fn set_if_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
