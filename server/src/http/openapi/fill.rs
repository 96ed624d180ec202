//! What follows from the rest of an operation, added to all of them in one place.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::problem::{self, PROBLEM};
use super::schemas;
use crate::http::Code;

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "options"];

/// Completes the document.
pub(super) fn fill(document: &mut Value) {
    for (path, method, operation) in operations(document) {
        // Marks for this place alone.
        let in_body = operation.remove("x-precondition-in-body").is_some();
        let acts_once = operation.remove("x-acts-once").is_some();
        let conditional = answers(operation, "412") && !in_body;
        if conditional {
            add_if_match(operation);
        }
        // A request without a body is the same one however often it is sent.
        let claims = answers(operation, "201") || conditional || acts_once;
        let once = operation.contains_key("requestBody") && claims;
        if method == "post" && once && has_way(operation, "management_token") {
            add_idempotency_key(operation);
        }
        // A file is the whole list: it has the list's filters, and no pages.
        if path.contains("/export.") {
            remove_parameters(operation, &["limit", "cursor"]);
        }
        fill_operation(&path, operation);
    }
    schemas::fill(document);
    let components = member(document, "components");
    *member(member(components, "schemas"), PROBLEM) = problem::schema();
    *member(components, "securitySchemes") = problem::security_schemes();
}

fn operations(document: &mut Value) -> Vec<(String, String, &mut Map<String, Value>)> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut()
                && METHODS.contains(&method.as_str())
            {
                found.push((path.clone(), method.clone(), operation));
            }
        }
    }
    found
}

fn fill_operation(path: &str, operation: &mut Map<String, Value>) {
    let mut codes = vec![Code::Internal, Code::Unavailable];
    // Those that skip the check of the host.
    if !["/healthz", "/readyz"].contains(&path) {
        codes.push(Code::WrongHost);
    }
    codes.extend(of_credentials(operation));
    if is_counted(operation) {
        codes.push(Code::TooManyRequests);
    }
    codes.extend(of_input(path, operation));
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else {
        return;
    };
    for code in codes {
        refuse(responses, code);
    }
    for (status, response) in responses.iter_mut() {
        let is_refusal = status.starts_with(['4', '5']);
        if is_refusal && response.get("content").is_none() {
            *member(response, "content") =
                json!({ "application/problem+json": { "schema": schemas::refer(PROBLEM) } });
        }
        fill_headers(status, member(response, "headers"));
    }
}

fn answers(operation: &Map<String, Value>, status: &str) -> bool {
    let responses = operation.get("responses");
    responses.is_some_and(|responses| responses.get(status).is_some())
}

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

fn add_idempotency_key(operation: &mut Map<String, Value>) {
    let meaning = "The same request sent again with the same key makes nothing twice and gets the same answer.";
    let schema = json!({ "type": "string", "pattern": "^[!-~]{1,255}$", "maxLength": 255 });
    add_header(operation, IDEMPOTENCY_KEY, meaning, &schema);
}

fn add_if_match(operation: &mut Map<String, Value>) {
    let meaning = "The `ETag` of what was read, or `*`.";
    add_header(operation, "If-Match", meaning, &json!({ "type": "string" }));
}

fn remove_parameters(operation: &mut Map<String, Value>, names: &[&str]) {
    let parameters = operation.get_mut("parameters");
    if let Some(all) = parameters.and_then(Value::as_array_mut) {
        let name = |one: &Value| one.get("name").and_then(Value::as_str).map(str::to_owned);
        all.retain(|one| name(one).is_none_or(|name| !names.contains(&name.as_str())));
    }
}

/// Adds a header that may be sent, where the operation does not name it itself.
fn add_header(operation: &mut Map<String, Value>, name: &str, meaning: &str, schema: &Value) {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    let Some(parameters) = parameters.as_array_mut() else {
        return;
    };
    if parameters
        .iter()
        .all(|one| one.get("name") != Some(&Value::from(name)))
    {
        parameters.push(json!({
            "name": name,
            "in": "header",
            "required": false,
            "description": meaning,
            "schema": schema,
        }));
    }
}

/// Whether requests, or wrong keys in them, are counted: those with a token, and those with a key
/// in the header or the body.
fn is_counted(operation: &Map<String, Value>) -> bool {
    let mut by_way = ["management_token", "license_key"].into_iter();
    is_licensing(operation) || by_way.any(|way| has_way(operation, way))
}

/// Whether kits call it, and an outcome of the license is a verdict.
fn is_licensing(operation: &Map<String, Value>) -> bool {
    let tag = operation.get("tags").and_then(|tags| tags.get(0));
    tag.is_some_and(|tag| tag == "licensing")
}

fn has_way(operation: &Map<String, Value>, name: &str) -> bool {
    let ways = operation.get("security").and_then(Value::as_array);
    ways.is_some_and(|ways| ways.iter().any(|way| way.get(name).is_some()))
}

/// The ways to present a license key, and what credentials are refused for.
fn of_credentials(operation: &mut Map<String, Value>) -> Vec<Code> {
    let (token, key) = (
        has_way(operation, "management_token"),
        has_way(operation, "license_key"),
    );
    let is_verdict = is_licensing(operation);
    let Some(Value::Array(ways)) = operation.get_mut("security") else {
        return Vec::new();
    };
    let mut codes = vec![Code::MalformedRequest];
    if token {
        codes.extend([Code::Unauthorized, Code::InsufficientScope]);
    }
    if key {
        ways.push(json!({ "license_key_bearer": [] }));
        ways.push(json!({ "license_key_basic": [] }));
        codes.extend([Code::Unauthorized, Code::VariableNotSet]);
    }
    if key && !is_verdict {
        codes.extend([
            Code::KeyUnknown,
            Code::KitNotCovered,
            Code::LicenseSuspended,
            Code::LicenseRevoked,
            Code::LicenseExpired,
        ]);
    }
    codes
}

/// What bodies and parameters are refused for.
fn of_input(path: &str, operation: &Map<String, Value>) -> Vec<Code> {
    let mut codes = Vec::new();
    if let Some(body) = operation.get("requestBody") {
        codes.extend([
            Code::MalformedRequest,
            Code::RequestTimeout,
            Code::PayloadTooLarge,
        ]);
        let is_json = body.pointer("/content/application~1json").is_some();
        if is_json {
            codes.push(Code::MalformedJson);
        }
        // Deliveries are read for their signature, whatever they call themselves.
        if is_json && !path.starts_with("/webhooks/") {
            codes.extend([Code::UnsupportedMediaType, Code::InvalidField]);
        }
    }
    let parameters = operation.get("parameters").and_then(Value::as_array);
    for one in parameters.into_iter().flatten() {
        if one.get("in").is_some_and(|place| place == "query") {
            codes.push(Code::InvalidField);
        }
        if one.get("name").is_some_and(|name| name == IDEMPOTENCY_KEY) {
            codes.extend([Code::InvalidField, Code::IdempotencyMismatch]);
        }
    }
    codes
}

/// Adds a code to what the operation says about its status.
fn refuse(responses: &mut Map<String, Value>, code: Code) {
    let response = responses
        .entry(code.status().to_string())
        .or_insert_with(|| json!({ "description": "" }));
    let said = member(response, "description");
    let mut text = said.as_str().unwrap_or_default().to_owned();
    let word = format!("`{}`", code.as_str());
    if !text.contains(&word) {
        let gap = if text.is_empty() { "" } else { "\n\n" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{gap}{word}: {}", code.meaning().trim());
        *said = Value::from(text);
    }
}

fn fill_headers(status: &str, headers: &mut Value) {
    let mut add = |name: &str, meaning: &str, kind: &str| {
        *member(headers, name) =
            json!({ "description": meaning, "required": true, "schema": { "type": kind } });
    };
    add(
        "X-Request-Id",
        "Leads to the request in the server's log.",
        "string",
    );
    match status {
        "401" => add(
            "WWW-Authenticate",
            "That a credential is asked for.",
            "string",
        ),
        "503" => add("Retry-After", "Seconds to wait.", "integer"),
        "429" => {
            for (name, meaning) in [
                ("Retry-After", "Seconds to wait."),
                ("RateLimit-Limit", "How many are let in."),
                ("RateLimit-Remaining", "How many of them are left."),
                ("RateLimit-Reset", "Seconds until all of them are back."),
            ] {
                add(name, meaning, "integer");
            }
        }
        _ => {}
    }
}

/// The member of an object, made where it is missing.
fn member<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(members) => members.entry(name).or_insert(Value::Null),
        other => other,
    }
}
