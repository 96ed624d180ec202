//! `/unsubscribe/{token}`: the link in a mail. Looking at it changes nothing; a POST switches off,
//! whoever sends it (RFC 8058), so that these pages stand outside the guard against other sites.

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::NavItem;
use kitward_portal::pages::UnsubscribePage;

use crate::app::App;
use crate::http::error::PageError;
use crate::http::extract::AppData;
use crate::http::pages::{frame, html};
use crate::http::routes::resource;
use crate::notices::unsubscribe::unsubscribe;

/// Routes of this file, relative to `/unsubscribe`.
pub fn routes(config: &mut web::ServiceConfig) {
    let link = resource("/{token}").get(get_link);
    config.service(link.on(Method::POST, post_link));
}

async fn get_link(app: AppData, request: HttpRequest, token: web::Path<String>) -> HttpResponse {
    page(&app, &request, token.into_inner(), false)
}

/// What was sent along is not read: the link says everything.
async fn post_link(
    app: AppData,
    request: HttpRequest,
    token: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    unsubscribe(&app, &token).await?;
    Ok(page(&app, &request, token.into_inner(), true))
}

/// The same for a link that nobody made. The theme switch leads home, not back to the link.
fn page(app: &App, request: &HttpRequest, token: String, is_done: bool) -> HttpResponse {
    let mut frame = frame(app, request, NavItem::None);
    "/".clone_into(&mut frame.path);
    let page = UnsubscribePage {
        frame,
        token,
        is_done,
    };
    let mut response = html(page.render());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
