//! The inbox in a browser.
//!
//! Mails hold sign-in links, so pages of other sites must not read them: only requests that
//! name this machine in `Host` are answered, and nothing shown may run a script.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::HOST;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use super::mail::Mail;
use super::pages;
use super::server::State;
use crate::loopback::{self, Running};

/// The own pages: their inline styles and nothing else.
const OWN_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";
/// A mail's HTML: styles and embedded pictures; links open, in a tab of their own if they ask.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     sandbox allow-popups allow-popups-to-escape-sandbox";

const HTML: &str = "text/html; charset=utf-8";

/// Starts the viewer on a free port.
pub(super) fn start(state: Arc<State>) -> io::Result<(SocketAddr, Running)> {
    let (listener, address) = loopback::listen()?;
    let shared = web::Data::from(state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .app_data(web::Data::new(address))
            .route("/", web::get().to(list))
            .route("/{page}", web::get().to(show))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok((address, Running::spawn("inbox-viewer", server)?))
}

async fn list(
    request: HttpRequest,
    state: web::Data<State>,
    own: web::Data<SocketAddr>,
) -> HttpResponse {
    if !names_this_machine(&request, &own) {
        return refuse(StatusCode::MISDIRECTED_REQUEST);
    }
    respond(HTML, OWN_POLICY, pages::list(&state.mails()))
}

async fn show(
    request: HttpRequest,
    page: web::Path<String>,
    state: web::Data<State>,
    own: web::Data<SocketAddr>,
) -> HttpResponse {
    if !names_this_machine(&request, &own) {
        return refuse(StatusCode::MISDIRECTED_REQUEST);
    }
    let (number, kind) = page.split_once('.').unwrap_or((&page, ""));
    let number: usize = number.parse().unwrap_or(0);
    let mails = state.mails();
    let Some(mail) = number.checked_sub(1).and_then(|index| mails.get(index)) else {
        return refuse(StatusCode::NOT_FOUND);
    };
    view(mail, number, kind).unwrap_or_else(|| refuse(StatusCode::NOT_FOUND))
}

fn view(mail: &Mail, number: usize, kind: &str) -> Option<HttpResponse> {
    match kind {
        "" => Some(respond(HTML, OWN_POLICY, pages::mail(mail, number))),
        "html" => Some(respond(HTML, MAIL_POLICY, mail.html())),
        // Shown as text: a browser would otherwise guess what a mail is.
        "eml" => Some(respond(
            "text/plain; charset=utf-8",
            OWN_POLICY,
            mail.raw.clone(),
        )),
        _ => None,
    }
}

/// Whether the request was addressed to the viewer and not to a name that resolves to it.
fn names_this_machine(request: &HttpRequest, own: &SocketAddr) -> bool {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    host.is_some_and(|host| host == own.to_string() || host == format!("localhost:{}", own.port()))
}

fn respond(content_type: &str, policy: &str, body: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header(("Content-Security-Policy", policy))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"))
        .insert_header(("Cache-Control", "no-store"))
        .body(body)
}

fn refuse(status: StatusCode) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(status.canonical_reason().unwrap_or_default())
}
