//! Requests and answers.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::objects;
use super::state::{RecordedRequest, Session, State};

/// How many positions Stripe sends within a session, and on a page unless told otherwise.
const DEFAULT_PAGE: usize = 10;
const LARGEST_PAGE: usize = 100;

type Query = Vec<(String, String)>;

/// A status and the `error` object that explains it.
struct Refusal(u16, Value);

/// Answers every request.
pub(super) async fn answer(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    state.record(recorded(&request));
    tokio::time::sleep(state.delay()).await;
    let result = match state.take_failure() {
        Some(status) => Err(failure(status)),
        None => authorize(&request).and_then(|()| route(&request, &state)),
    };
    let (status, body) = match result {
        Ok(body) => (200, body),
        Err(Refusal(status, error)) => (status, json!({ "error": error })),
    };
    let mut response = HttpResponse::build(
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    );
    response
        .insert_header(("Request-Id", state.issue_request_id()))
        .insert_header(("Stripe-Version", objects::API_VERSION));
    if status == 401 {
        response.insert_header((WWW_AUTHENTICATE, r#"Bearer realm="Stripe""#));
    }
    response.json(body)
}

fn recorded(request: &HttpRequest) -> RecordedRequest {
    RecordedRequest {
        method: request.method().to_string(),
        path: request.uri().to_string(),
        authorization: header(request, AUTHORIZATION.as_str()),
        stripe_version: header(request, "stripe-version"),
    }
}

fn header(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn authorize(request: &HttpRequest) -> Result<(), Refusal> {
    let given = header(request, AUTHORIZATION.as_str());
    let key = given
        .as_deref()
        .and_then(|value| value.strip_prefix("Bearer "));
    match key {
        Some(key) if key.starts_with("sk_") || key.starts_with("rk_") => Ok(()),
        Some(_) => Err(invalid(401, "Invalid API Key provided.")),
        None => Err(invalid(401, "You did not provide an API key.")),
    }
}

fn route(request: &HttpRequest, state: &State) -> Result<Value, Refusal> {
    let segments: Vec<&str> = request.path().trim_matches('/').split('/').collect();
    if request.method() != "GET" {
        return Err(unrecognized(request));
    }
    let query = web::Query::<Query>::from_query(request.query_string())
        .map_err(|error| invalid(400, &error.to_string()))?
        .into_inner();
    match segments.as_slice() {
        ["v1", "checkout", "sessions", id] => retrieve_session(state, id, &query),
        ["v1", "checkout", "sessions", id, "line_items"] => list_line_items(state, id, &query),
        ["v1", .., resource, id] => retrieve_other(state, resource, id),
        _ => Err(unrecognized(request)),
    }
}

fn retrieve_session(state: &State, id: &str, query: &Query) -> Result<Value, Refusal> {
    let stored = state.stored();
    let session = stored
        .sessions
        .get(id)
        .ok_or_else(|| missing("checkout.session", "session", id))?;
    let mut body = session.body.clone();
    let wanted = query
        .iter()
        .any(|(name, value)| name.starts_with("expand") && value == "line_items");
    if let (true, Value::Object(keys)) = (wanted, &mut body) {
        keys.insert("line_items".to_owned(), page(id, session, 0, DEFAULT_PAGE));
    }
    Ok(body)
}

fn list_line_items(state: &State, id: &str, query: &Query) -> Result<Value, Refusal> {
    let stored = state.stored();
    let session = stored
        .sessions
        .get(id)
        .ok_or_else(|| missing("checkout.session", "session", id))?;
    let limit = match parameter(query, "limit").map(str::parse::<usize>) {
        None => DEFAULT_PAGE,
        Some(Ok(limit)) if (1..=LARGEST_PAGE).contains(&limit) => limit,
        Some(_) => return Err(invalid(400, "Invalid limit: must be between 1 and 100.")),
    };
    let start = match parameter(query, "starting_after") {
        None => 0,
        Some(cursor) => session
            .lines
            .iter()
            .position(|line| line.get("id").and_then(Value::as_str) == Some(cursor))
            .map(|position| position + 1)
            .ok_or_else(|| missing("item", "starting_after", cursor))?,
    };
    Ok(page(id, session, start, limit))
}

fn retrieve_other(state: &State, resource: &str, id: &str) -> Result<Value, Refusal> {
    let found = state.stored().others.get(id).cloned();
    found.ok_or_else(|| missing(resource.trim_end_matches('s'), "id", id))
}

fn page(session_id: &str, session: &Session, start: usize, limit: usize) -> Value {
    let rest = session.lines.get(start..).unwrap_or_default();
    let shown = rest.get(..limit).unwrap_or(rest);
    let url = format!("/v1/checkout/sessions/{session_id}/line_items");
    objects::list(&url, shown, shown.len() < rest.len())
}

fn parameter<'a>(query: &'a Query, name: &str) -> Option<&'a str> {
    query
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

fn invalid(status: u16, message: &str) -> Refusal {
    Refusal(
        status,
        json!({ "message": message, "type": "invalid_request_error" }),
    )
}

fn unrecognized(request: &HttpRequest) -> Refusal {
    let message = format!(
        "Unrecognized request URL ({}: {}).",
        request.method(),
        request.path()
    );
    invalid(404, &message)
}

fn missing(object: &str, parameter: &str, id: &str) -> Refusal {
    // A wrong cursor is the caller's mistake, not a missing page.
    let status = if parameter == "starting_after" {
        400
    } else {
        404
    };
    Refusal(
        status,
        json!({
            "code": "resource_missing",
            "message": format!("No such {object}: '{id}'"),
            "param": parameter,
            "type": "invalid_request_error",
        }),
    )
}

fn failure(status: u16) -> Refusal {
    let error = match status {
        401 => json!({ "message": "Invalid API Key provided.", "type": "invalid_request_error" }),
        429 => json!({
            "code": "rate_limit",
            "message": "Request rate limit exceeded.",
            "type": "invalid_request_error",
        }),
        400..500 => {
            json!({ "message": "The request was refused.", "type": "invalid_request_error" })
        }
        _ => json!({ "message": "An unknown error occurred.", "type": "api_error" }),
    };
    Refusal(status, error)
}
