//! Calls from web pages: publishable ids alone, from their registered origins alone.

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;

use crate::app::App;
use crate::db::DbError;
use crate::http::error::ApiError;
use crate::http::extract::AppData;
use crate::licenses::tokens::store::is_registered;
use crate::licenses::validate::Ask;
use crate::secrets::TokenKind;

/// Seconds for which a browser need not ask again.
const PREFLIGHT_SECONDS: &str = "600";

/// The one `Origin` of a request.
pub(super) fn sent_origin(request: &HttpRequest) -> Option<String> {
    let mut all = request.headers().get_all(ORIGIN);
    let first = all.next()?.to_str().ok()?;
    all.next().is_none().then(|| first.to_owned())
}

/// The web page a call with a publishable id comes from.
pub(super) fn publishable_from(ask: &Ask) -> Option<String> {
    let kind = TokenKind::of(ask.key.expose_secret());
    let from = ask.origin.clone();
    from.filter(|_| kind == Some(TokenKind::Publishable))
}

/// Lets the page of this origin read the answer.
pub(super) fn open_to(headers: &mut HeaderMap, origin: &str) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(VARY, HeaderValue::from_static("Origin"));
    }
}

/// Lets pages of any id's origin read an answer that no id stands behind: a refusal, or that the id is not
/// known. The answer to the preflight tells such an origin already.
pub(super) async fn open_if_registered(app: &App, headers: &mut HeaderMap, origin: &str) {
    // Where the database cannot tell, the answer itself still counts.
    if is_known(app, origin).await.unwrap_or(false) {
        open_to(headers, origin);
    }
}

async fn is_known(app: &App, origin: &str) -> Result<bool, DbError> {
    let (asked, now) = (origin.to_owned(), app.clock.now());
    app.db
        .read(move |conn| is_registered(conn, &asked, now))
        .await
}

/// What a browser asks before a page may call: the origin alone is known then.
#[utoipa::path(
    options,
    path = "/v1/licenses/validate",
    operation_id = "preflight_validate",
    tag = "licensing",
    params(("Origin" = Option<String>, Header, description = "Where the page is from.")),
    responses((status = 204, description = "An origin of a publishable id finds itself in `Access-Control-Allow-Origin`.")),
)]
pub(super) async fn preflight(app: AppData, http: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut response = HttpResponse::NoContent()
        .insert_header((VARY, "Origin"))
        .finish();
    let Some(origin) = sent_origin(&http) else {
        return Ok(response);
    };
    if is_known(&app, &origin).await? {
        let headers = response.headers_mut();
        open_to(headers, &origin);
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
            (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(response)
}
