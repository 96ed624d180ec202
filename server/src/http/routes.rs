//! The one list of what the server answers.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder, ResponseError, web};

use super::error::{ApiError, Code};
use super::{csrf, openapi, pages, reference, status};

/// Mounts everything. The order matters for the pages alone: their scope is the empty prefix.
pub fn mount(config: &mut web::ServiceConfig) {
    config
        .app_data(
            web::PathConfig::default().error_handler(|_error, _request| {
                ApiError::new(Code::NotFound, "There is nothing at this address.").into()
            }),
        )
        .configure(status::routes)
        .configure(openapi::routes)
        .configure(crate::activations::api::routes)
        .configure(crate::downloads::api::routes)
        .configure(crate::comparisons::api::routes)
        .configure(crate::updates::api::routes)
        .configure(crate::payments::api::routes)
        .service(
            web::scope("/v1/admin")
                .configure(crate::audit::admin::routes)
                .configure(crate::kits::admin::routes)
                .configure(crate::licenses::admin::routes)
                .configure(crate::customers::admin::routes)
                .configure(crate::downloads::admin::routes)
                .configure(crate::licenses::apply_terms::admin::routes)
                .configure(crate::licenses::tokens::admin::routes)
                .configure(crate::notices::admin::routes)
                .configure(crate::payments::admin::routes)
                .configure(crate::releases::admin::routes)
                .configure(crate::reports::admin::routes)
                .configure(crate::staff::admin::routes)
                .default_service(web::to(no_such_api)),
        )
        .service(web::scope("/v1").default_service(web::to(no_such_api)))
        .service(
            web::scope("/unsubscribe")
                .wrap(from_fn(pages::show_errors))
                .configure(crate::notices::pages::one_click::routes)
                .default_service(web::to(pages::no_such_page)),
        )
        .service(
            web::scope("")
                .wrap(from_fn(csrf::guard))
                .wrap(from_fn(pages::show_errors))
                .configure(pages::routes)
                .configure(reference::routes)
                .configure(crate::people::pages::routes)
                .configure(crate::licenses::pages::routes)
                .configure(crate::licenses::tokens::pages::routes)
                .configure(crate::comparisons::pages::routes)
                .configure(crate::downloads::pages::routes)
                .configure(crate::notices::pages::routes)
                .default_service(web::to(pages::no_such_page)),
        );
}

/// An address of the API: methods it does not take are told in the usual envelope, with those it
/// takes.
pub fn resource(path: &str) -> ApiResource {
    ApiResource {
        inner: web::resource(path.to_owned()),
        methods: Vec::new(),
    }
}

/// An address that knows its methods.
#[expect(missing_debug_implementations, reason = "a Resource has none")]
pub struct ApiResource {
    inner: Resource,
    methods: Vec<Method>,
}

impl ApiResource {
    /// Answers GET, and HEAD without the body.
    #[must_use]
    pub fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args> + Clone,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let with_head = self.on(Method::HEAD, handler.clone());
        with_head.on(Method::GET, handler)
    }

    /// Answers another method.
    #[must_use]
    pub fn on<F, Args>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.inner = self.inner.route(web::method(method.clone()).to(handler));
        self.methods.push(method);
        self
    }
}

impl HttpServiceFactory for ApiResource {
    fn register(self, config: &mut AppService) {
        let mut names: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        names.sort_unstable();
        let allow = names.join(", ");
        let refuse = move || {
            let allow = allow.clone();
            async move { no_such_method(&allow) }
        };
        self.inner.default_service(web::to(refuse)).register(config);
    }
}

/// RFC 9110 §15.5.6: whoever tries a wrong method is told the right ones.
fn no_such_method(allow: &str) -> HttpResponse {
    let detail = "This address does not take that method.";
    let mut response = ApiError::new(Code::MethodNotAllowed, detail).error_response();
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

async fn no_such_api() -> HttpResponse {
    ApiError::new(Code::NotFound, "There is nothing at this address.").error_response()
}
