//! What follows from the rest of an operation, added to all of them in one place.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::problem::{self, PROBLEM};
use crate::http::Code;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const SCHEMA: &str = "#/components/schemas/";

/// Completes the document.
pub(super) fn fill(document: &mut Value) {
    for (path, _method, operation) in operations(document) {
        fill_operation(&path, operation);
    }
    let taken = taken_schemas(document);
    let components = member(document, "components");
    let schemas = member(components, "schemas");
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        if !taken.contains(name) {
            require_nullable(schema);
        }
    }
    refer_from_pages(schemas);
    *member(schemas, PROBLEM) = problem::schema();
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
            let schema = json!({ "$ref": format!("{SCHEMA}{PROBLEM}") });
            *member(response, "content") =
                json!({ "application/problem+json": { "schema": schema } });
        }
        fill_headers(status, member(response, "headers"));
    }
}

/// The ways to present a license key, and what credentials are refused for.
fn of_credentials(operation: &mut Map<String, Value>) -> Vec<Code> {
    let Some(Value::Array(ways)) = operation.get_mut("security") else {
        return Vec::new();
    };
    let has = |ways: &[Value], name: &str| ways.iter().any(|way| way.get(name).is_some());
    let mut codes = vec![Code::MalformedRequest];
    if has(ways, "management_token") {
        codes.extend([Code::Unauthorized, Code::InsufficientScope]);
    }
    if has(ways, "license_key") {
        ways.push(json!({ "license_key_bearer": [] }));
        ways.push(json!({ "license_key_basic": [] }));
        codes.extend([
            Code::Unauthorized,
            Code::KeyUnknown,
            Code::VariableNotSet,
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
    let mut parameters = parameters.into_iter().flatten();
    if parameters.any(|one| one.get("in").is_some_and(|place| place == "query")) {
        codes.push(Code::InvalidField);
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
        "429" | "503" => add("Retry-After", "Seconds to wait.", "integer"),
        _ => {}
    }
}

/// Names of the schemas that requests are made of.
fn taken_schemas(document: &mut Value) -> BTreeSet<String> {
    let mut open = Vec::new();
    for (_, _, operation) in operations(document) {
        for part in ["requestBody", "parameters"] {
            open.extend(operation.get(part).cloned());
        }
    }
    let mut taken = BTreeSet::new();
    while let Some(part) = open.pop() {
        match part {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                let named = members.get("$ref").and_then(Value::as_str);
                if let Some(name) = named.and_then(|named| named.strip_prefix(SCHEMA))
                    && taken.insert(name.to_owned())
                {
                    let pointer = format!("/components/schemas/{name}");
                    open.extend(document.pointer(&pointer).cloned());
                }
                open.extend(members.into_iter().map(|(_, value)| value));
            }
            _ => {}
        }
    }
    taken
}

/// The items of pages are written out by the derive; they have a name, so they are referred to.
fn refer_from_pages(schemas: &mut Value) {
    let known: BTreeSet<String> = match schemas.as_object() {
        Some(schemas) => schemas.keys().cloned().collect(),
        None => BTreeSet::new(),
    };
    for (name, schema) in schemas.as_object_mut().into_iter().flatten() {
        if let Some(item) = name.strip_prefix("Page_")
            && let Some(items) = schema.pointer_mut("/properties/items/items")
            && known.contains(item)
        {
            *items = json!({ "$ref": format!("{SCHEMA}{item}") });
        }
    }
}

/// In answers, what may be null is there.
fn require_nullable(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(require_nullable),
        Value::Object(members) => {
            members.values_mut().for_each(require_nullable);
            let properties = members.get("properties").and_then(Value::as_object);
            let nullable = properties.into_iter().flatten();
            let nullable = nullable.filter(|(_, property)| may_be_null(property));
            let mut required: BTreeSet<String> = nullable.map(|(name, _)| name.clone()).collect();
            if required.is_empty() {
                return;
            }
            let before = members.get("required").and_then(Value::as_array);
            let before = before.into_iter().flatten().filter_map(Value::as_str);
            required.extend(before.map(str::to_owned));
            members.insert("required".to_owned(), json!(required));
        }
        _ => {}
    }
}

fn may_be_null(property: &Value) -> bool {
    let is_null = |one: &Value| one == "null" || one.get("type").is_some_and(|kind| kind == "null");
    ["type", "oneOf", "anyOf"].into_iter().any(|place| {
        let choices = property.get(place).and_then(Value::as_array);
        choices.is_some_and(|choices| choices.iter().any(is_null))
    })
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
