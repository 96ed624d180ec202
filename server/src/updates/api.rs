//! Handlers.

/// Routes of this file.
pub fn routes(_config: &mut actix_web::web::ServiceConfig) {}
