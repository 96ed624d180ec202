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
    let expected = request
        .app_data::<web::Data<App>>()
        .map(|app| (app.authority().to_owned(), app.public_url().clone()));
    let Some((authority, public_url)) = expected else {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    };
    let default_port = default_port(&public_url);
    // HTTP/2 carries the host in the URI, HTTP/1.1 in its header; both must fit where both exist.
    let header = request
        .headers()
        .get(HOST)
        .and_then(|value| value.to_str().ok());
    let in_uri = request
        .uri()
        .authority()
        .map(actix_web::http::uri::Authority::as_str);
    let fits = |host: &str| {
        let host = default_port
            .as_deref()
            .and_then(|port| host.strip_suffix(port))
            .unwrap_or(host);
        host.eq_ignore_ascii_case(&authority)
    };
    let right = match (header, in_uri) {
        (Some(header), Some(uri)) => fits(header) && fits(uri),
        (Some(host), None) | (None, Some(host)) => fits(host),
        (None, None) => false,
    };
    if right || EXEMPT.contains(&request.path()) {
        return next
            .call(request)
            .await
            .map(ServiceResponse::map_into_boxed_body);
    }
    let detail = format!("This server answers at {public_url} only.");
    let error = ApiError::new(Code::WrongHost, detail).with("public_url", public_url.to_string());
    Ok(request.into_response(error.error_response()))
}

/// What some clients write after the host although it goes without saying, such as `:443`.
fn default_port(public_url: &Url) -> Option<String> {
    let unsaid = public_url.port().is_none();
    let port = public_url.port_or_known_default().filter(|_port| unsaid)?;
    Some(format!(":{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_that_goes_without_saying_may_be_said() {
        let port = |url: &str| default_port(&Url::parse(url).unwrap());
        assert_eq!(port("https://kits.example.com").as_deref(), Some(":443"));
        assert_eq!(port("http://localhost").as_deref(), Some(":80"));
        assert_eq!(port("https://kits.example.com:8443"), None);
    }
}
