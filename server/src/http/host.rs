//! Requests for another host name get 421: links, cookies and mails are made for one address only.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::HOST;
use actix_web::middleware::Next;
use actix_web::{Error, ResponseError, web};
use url::Url;

use super::error::{ApiError, Code};
use crate::app::App;

/// Probes of load balancers and orchestrators use addresses.
const EXEMPT: [&str; 2] = ["/healthz", "/readyz"];

/// Middleware.
pub async fn check<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let right = request
        .app_data::<web::Data<App>>()
        .is_none_or(|app| is_right(&request, app));
    if right || EXEMPT.contains(&request.path()) {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let error = request.app_data::<web::Data<App>>().map_or_else(
        || ApiError::internal("a route was served without its App"),
        |app| wrong_host(app.public_url()),
    );
    Ok(request.into_response(error.error_response()))
}

/// HTTP/2 carries the host in the URI, HTTP/1.1 in its header; both must fit where both exist.
fn is_right(request: &ServiceRequest, app: &App) -> bool {
    let header = request
        .headers()
        .get(HOST)
        .and_then(|value| value.to_str().ok());
    let in_uri = request
        .uri()
        .authority()
        .map(actix_web::http::uri::Authority::as_str);
    let fits = |host: &str| names(host, app.authority(), app.public_url());
    match (header, in_uri) {
        (Some(header), Some(uri)) => fits(header) && fits(uri),
        (Some(host), None) | (None, Some(host)) => fits(host),
        (None, None) => false,
    }
}

fn wrong_host(public_url: &Url) -> ApiError {
    let detail = format!("This server answers at {public_url} only.");
    ApiError::new(Code::WrongHost, detail).with("public_url", public_url.to_string())
}

/// Whether `host` is this authority, also with the port that goes without saying, such as `:443`.
fn names(host: &str, authority: &str, public_url: &Url) -> bool {
    if host.eq_ignore_ascii_case(authority) {
        return true;
    }
    let Some((name, port)) = host.rsplit_once(':') else {
        return false;
    };
    public_url.port().is_none()
        && public_url
            .port_or_known_default()
            .is_some_and(|unsaid| port == unsaid.to_string())
        && name.eq_ignore_ascii_case(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_that_goes_without_saying_may_be_said() {
        let fits = |host: &str, authority: &str, url: &str| {
            names(host, authority, &Url::parse(url).unwrap())
        };
        let https = "https://kits.example.com";
        assert!(fits("kits.example.com:443", "kits.example.com", https));
        assert!(fits("KITS.example.com", "kits.example.com", https));
        assert!(fits("localhost:80", "localhost", "http://localhost"));
        assert!(!fits("kits.example.com:0443", "kits.example.com", https));
        assert!(!fits("kits.example.com:8443", "kits.example.com", https));
        assert!(!fits("other.example.com:443", "kits.example.com", https));
        let odd = "https://kits.example.com:8443";
        assert!(fits("kits.example.com:8443", "kits.example.com:8443", odd));
        assert!(!fits("kits.example.com:443", "kits.example.com:8443", odd));
    }
}
