//! Sign-in and sign-out pages.

/// Routes of this file.
pub fn routes(_config: &mut actix_web::web::ServiceConfig) {}
