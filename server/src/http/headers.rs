//! Security headers of every answer.

use actix_web::http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

/// What pages may load: our own files, nothing inline, nothing of others.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

const ALWAYS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
];

/// Adds what is not set already.
pub(super) fn security_headers(headers: &mut HeaderMap, is_https: bool) {
    for (name, value) in ALWAYS {
        set_if_absent(headers, HeaderName::from_static(name), value);
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
