//! The one list of what the server answers.

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, Resource, ResponseError, web};

use super::error::{ApiError, Code};
use super::{csrf, pages, status};

/// Mounts everything. The order matters for the pages alone: their scope is the empty prefix.
pub fn mount(config: &mut web::ServiceConfig) {
    config
        .app_data(
            web::PathConfig::default().error_handler(|_error, _request| {
                ApiError::new(Code::NotFound, "There is nothing at this address.").into()
            }),
        )
        .configure(status::routes)
        .configure(crate::activations::api::routes)
        .configure(crate::downloads::api::routes)
        .configure(crate::updates::api::routes)
        .configure(crate::payments::api::routes)
        .service(
            web::scope("/v1/admin")
                .configure(crate::kits::admin::routes)
                .configure(crate::payments::admin::routes)
                .configure(crate::releases::admin::routes)
                .default_service(web::to(no_such_api)),
        )
        .service(web::scope("/v1").default_service(web::to(no_such_api)))
        .service(
            web::scope("")
                .wrap(from_fn(csrf::guard))
                .wrap(from_fn(pages::show_errors))
                .configure(pages::routes)
                .configure(crate::people::pages::routes)
                .configure(crate::licenses::pages::routes)
                .configure(crate::downloads::pages::routes)
                .default_service(web::to(pages::no_such_page)),
        );
}

/// An address of the API: methods it does not take are told in the usual envelope.
pub fn resource(path: &str) -> Resource {
    web::resource(path.to_owned()).default_service(web::to(no_such_method))
}

async fn no_such_method() -> HttpResponse {
    let detail = "This address does not take that method.";
    ApiError::new(Code::MethodNotAllowed, detail).error_response()
}

async fn no_such_api() -> HttpResponse {
    ApiError::new(Code::NotFound, "There is nothing at this address.").error_response()
}
