//! What all pages share: their frame, their errors, their files and the theme.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ALLOW, CACHE_CONTROL, ETAG, IF_NONE_MATCH, LOCATION, RETRY_AFTER};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, web};
use kitward_portal::pages::ErrorPage;
use kitward_portal::{Frame, NavItem, Theme, find_asset};
use serde::Deserialize;

use super::cookies;
use super::error::{ApiError, Code, PageError};
use super::extract::AppData;
use super::form::Form;
use super::return_to::local_path;
use super::routes::resource;
use super::session::look_up;
use super::telemetry::request_id;
use crate::app::App;
use crate::people::session::Viewer;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/static/{name}").get(asset))
        .service(resource("/theme").on(Method::POST, set_theme));
}

/// A page.
pub fn html(body: String) -> HttpResponse {
    html_with(StatusCode::OK, body)
}

/// A page with another status than 200.
pub fn html_with(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(body)
}

/// On to another page of ours, after a form.
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, path))
        .finish()
}

/// What stands around a page. Answers to forms name the page the theme switch comes back to.
pub fn frame(app: &App, request: &HttpRequest, current: NavItem) -> Frame {
    let viewer = request
        .extensions()
        .get::<Viewer>()
        .map(|viewer| viewer.email.clone());
    let chosen = request.cookie(cookies::THEME);
    let chosen = chosen.and_then(|cookie| Theme::parse(cookie.value()));
    let path = if request.method().is_safe() {
        request.path()
    } else {
        "/"
    };
    Frame {
        vendor_name: app.config.vendor.name.clone(),
        support_email: app.config.vendor.support_email.clone(),
        theme: chosen.unwrap_or_default(),
        signed_in_email: viewer,
        now: app.clock.now().utc(),
        current,
        brand_hue: app.config.vendor.brand_hue,
        request_id: None,
        path: path.to_owned(),
    }
}

/// The page for addresses without one.
pub async fn no_such_page() -> Result<HttpResponse, PageError> {
    Err(not_found())
}

/// Nothing here, or nothing for this person: the same answer.
pub fn not_found() -> PageError {
    ApiError::new(Code::NotFound, "There is nothing at this address.").into()
}

/// Middleware of the pages' scope: whatever failed inside is shown as a page.
pub async fn show_errors<B: MessageBody + 'static>(
    app: AppData,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let Some(failure) = Failure::of(&response) else {
        return Ok(response);
    };
    let kept = [RETRY_AFTER, ALLOW].map(|name| {
        let value = response.headers().get(&name).cloned();
        (name, value)
    });
    let request = response.request().clone();
    let unknown = request.extensions().get::<Viewer>().is_none();
    if unknown && failure.code.status() < 500 {
        // Only for the navigation; should it fail too, the page does without.
        let _ = look_up(&app, &request).await;
    }
    let mut page = error_page(&app, &request, &failure);
    for (name, value) in kept {
        if let Some(value) = value {
            page.headers_mut().insert(name, value);
        }
    }
    if failure.code == Code::RequestTimeout {
        page.head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(ServiceResponse::new(request, page))
}

/// What an error page tells.
struct Failure {
    code: Code,
    detail: String,
}

impl Failure {
    fn of(response: &ServiceResponse) -> Option<Self> {
        let status = response.status();
        let Some(error) = response.response().error() else {
            let detail = "This address does not take what was sent.";
            return (status == StatusCode::METHOD_NOT_ALLOWED).then(|| Self {
                code: Code::MethodNotAllowed,
                detail: detail.to_owned(),
            });
        };
        let known = match error.as_error::<PageError>() {
            Some(PageError::SignInFirst { .. }) => return None,
            Some(PageError::Failed(error)) => Some(error),
            None => error.as_error::<ApiError>(),
        };
        Some(match known {
            Some(error) => Self {
                code: error.code(),
                detail: error.detail().to_owned(),
            },
            None => Self {
                code: Code::MalformedRequest,
                detail: "The request could not be understood.".to_owned(),
            },
        })
    }
}

fn error_page(app: &App, request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let status = failure.code.status();
    let page = ErrorPage {
        frame: frame(app, request, NavItem::None),
        status,
        title: failure.code.title().to_owned(),
        what_happened: failure.detail.clone(),
        what_to_do: what_to_do(failure.code).to_owned(),
        code: failure.code.as_str().to_owned(),
        request_id: request_id(),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    html_with(status, page.render())
}

fn what_to_do(code: Code) -> &'static str {
    match code {
        Code::NotFound | Code::Gone | Code::MethodNotAllowed | Code::WrongHost => {
            "Your licenses and downloads are all reachable from the home page."
        }
        Code::MalformedRequest
        | Code::MalformedJson
        | Code::SignatureInvalid
        | Code::CrossSiteRequest
        | Code::PayloadTooLarge
        | Code::UnsupportedMediaType
        | Code::RangeNotSatisfiable
        | Code::InvalidField
        | Code::NoOfflineFiles
        | Code::IdempotencyMismatch
        | Code::RequestTimeout
        | Code::PreconditionFailed
        | Code::Conflict
        | Code::SeatsStranded => "Go back, load the page again and repeat what you did.",
        Code::Unauthorized | Code::KeyUnknown | Code::VariableNotSet => "Sign in again.",
        Code::Forbidden | Code::InsufficientScope => {
            "Ask an owner of the license: owners may do this."
        }
        Code::NotComparable => "Download both versions and compare them yourself.",
        Code::KitNotCovered
        | Code::DownloadLimit
        | Code::VersionNotCovered
        | Code::EntitlementMissing
        | Code::LicenseSuspended
        | Code::LicenseRevoked
        | Code::LicenseExpired => "The page of the license says what it covers.",
        Code::TooManyRequests | Code::Internal | Code::Unavailable | Code::InsufficientStorage => {
            "Try again in a minute. If it stays like this, write to us with the request id below."
        }
    }
}

/// A style sheet, script or icon. Its name changes with its content, so it is kept for ever.
async fn asset(name: web::Path<String>, request: HttpRequest) -> Result<HttpResponse, PageError> {
    let Some(asset) = find_asset(&format!("/static/{name}")) else {
        let detail = "There is no such file.";
        return Err(ApiError::new(Code::NotFound, detail).into());
    };
    let known = request
        .headers()
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    let mut response = HttpResponse::Ok();
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == asset.etag)) {
        response.status(StatusCode::NOT_MODIFIED);
    }
    response
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((ETAG, asset.etag.as_str()))
        .content_type(asset.content_type);
    Ok(response.body(asset.bytes))
}

#[derive(Debug, Deserialize)]
struct ThemeForm {
    theme: String,
    return_to: Option<String>,
}

async fn set_theme(app: AppData, form: Form<ThemeForm>) -> Result<HttpResponse, PageError> {
    let theme = Theme::parse(&form.0.theme);
    let theme = theme.ok_or_else(|| ApiError::field("theme", "There is no such theme."))?;
    let back = form
        .0
        .return_to
        .and_then(|path| local_path(app.public_url(), &path));
    let mut response = see_other(back.as_deref().unwrap_or("/"));
    let cookie = cookies::theme(&app, theme.value());
    response.add_cookie(&cookie).map_err(ApiError::internal)?;
    Ok(response)
}
