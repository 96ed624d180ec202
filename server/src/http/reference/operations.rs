//! From the document's operations to those of the pages.

use kitward_portal::pages::reference::{Answer, Content, Field, Group, Operation};
use serde_json::Value;

use super::paragraphs;
use super::shapes::{fields, kind, text};

/// Every group with its operations, in the document's order of tags.
pub(super) fn groups(document: &Value) -> Vec<Group> {
    let tags = document.get("tags").and_then(Value::as_array);
    let group = |tag: &Value| {
        let name = text(tag, "name");
        Group {
            meaning: text(tag, "description"),
            operations: operations(document, &name),
            name,
        }
    };
    tags.into_iter().flatten().map(group).collect()
}

fn operations(document: &Value, tag: &str) -> Vec<Operation> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for (method, one) in item.as_object().into_iter().flatten() {
            let tags = one.get("tags").and_then(Value::as_array);
            if tags.into_iter().flatten().any(|own| own == tag) {
                found.push(operation(document, path, method, one));
            }
        }
    }
    found
}

fn operation(document: &Value, path: &str, method: &str, one: &Value) -> Operation {
    let parameters = one.get("parameters").and_then(Value::as_array);
    let answers = one.get("responses").and_then(Value::as_object);
    let answers = answers.into_iter().flatten();
    Operation {
        id: text(one, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(one, "summary"),
        notes: paragraphs(&text(one, "description")),
        credential: credential(one),
        parameters: parameters
            .into_iter()
            .flatten()
            .map(|one| parameter(document, one))
            .collect(),
        body: content(document, one.get("requestBody")),
        answers: answers
            .map(|(status, one)| answer(document, status, one))
            .collect(),
    }
}

fn parameter(document: &Value, one: &Value) -> Field {
    let place = match text(one, "in").as_str() {
        "path" => "in the address",
        "query" => "in the query",
        _ => "header",
    };
    let schema = one.get("schema").unwrap_or(&Value::Null);
    Field {
        name: text(one, "name"),
        kind: format!("{place}, {}", kind(document, schema)),
        meaning: text(one, "description"),
        is_required: one.get("required").is_some_and(|required| required == true),
    }
}

fn content(document: &Value, holder: Option<&Value>) -> Option<Content> {
    let content = holder?.get("content")?.as_object()?;
    let (media_type, body) = content.iter().next()?;
    let schema = body.get("schema").unwrap_or(&Value::Null);
    Some(Content {
        media_type: media_type.clone(),
        fields: fields(document, schema),
    })
}

/// Refusals all look alike: their body is left out.
fn answer(document: &Value, status: &str, one: &Value) -> Answer {
    let is_refusal = status.starts_with(['4', '5']);
    let body = content(document, Some(one)).filter(|_| !is_refusal);
    Answer {
        status: status.to_owned(),
        meaning: paragraphs(&text(one, "description")),
        body,
    }
}

fn credential(one: &Value) -> Option<String> {
    let ways = one.get("security")?.as_array()?;
    let scopes: Vec<String> = ways
        .iter()
        .filter_map(|way| way.get("management_token")?.as_array()?.first()?.as_str())
        .map(|scope| format!("`{scope}`"))
        .collect();
    if !scopes.is_empty() {
        let scopes = scopes.join(" or ");
        return Some(format!("A management token with the scope {scopes}."));
    }
    let has = |name: &str| ways.iter().any(|way| way.get(name).is_some());
    if has("license_key") {
        return Some("A license key: `Authorization: License KEY`.".to_owned());
    }
    has("stripe_signature").then(|| "Stripe's signature: `Stripe-Signature`.".to_owned())
}
