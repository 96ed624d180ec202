//! What follows from where a schema is used: in requests, in answers, or not at all.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const SCHEMA: &str = "#/components/schemas/";
const PATHS: &str = "/paths";
const REQUEST: [&str; 2] = ["requestBody", "parameters"];

/// A reference to a schema.
pub(super) fn refer(name: &str) -> Value {
    json!({ "$ref": format!("{SCHEMA}{name}") })
}

/// Completes the schemas of a document whose operations are complete.
pub(super) fn fill(document: &mut Value) {
    let taken = reached(document, &REQUEST);
    let edits = of_edits(document);
    let before = schemas(document).clone();
    for (name, schema) in schemas_mut(document) {
        if let Some(flat) = flatten(&before, schema, taken.contains(name)) {
            *schema = flat;
        }
        name_null(schema);
        if edits.contains(name) {
            drop_defaults(schema, |_property| true);
            drop_required(schema);
        } else {
            drop_defaults(schema, says_nothing);
        }
        if !taken.contains(name) {
            require_always_there(schema);
        }
    }
    refer_from_pages(document);
    let used = reached(document, &[]);
    if let Some(schemas) = schemas_mut_of(document) {
        schemas.retain(|name, _schema| used.contains(name));
    }
}

fn schemas(document: &Value) -> &Value {
    document
        .pointer("/components/schemas")
        .unwrap_or(&Value::Null)
}

fn schemas_mut_of(document: &mut Value) -> Option<&mut Map<String, Value>> {
    let schemas = document.pointer_mut("/components/schemas")?;
    schemas.as_object_mut()
}

fn schemas_mut(document: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    schemas_mut_of(document).into_iter().flatten()
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = document.pointer(PATHS).and_then(Value::as_object);
    let items = paths.into_iter().flatten();
    let items = items.filter_map(|(_path, item)| item.as_object());
    items
        .flatten()
        .map(|(method, operation)| (method.as_str(), operation))
}

/// Names of the schemas that these parts of operations lead to; of all parts where none is named.
fn reached(document: &Value, parts: &[&str]) -> BTreeSet<String> {
    let mut open = Vec::new();
    for (_method, operation) in operations(document) {
        if parts.is_empty() {
            open.push(operation);
        }
        open.extend(parts.iter().filter_map(|part| operation.get(part)));
    }
    let mut reached = BTreeSet::new();
    while let Some(part) = open.pop() {
        match part {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                if let Some(name) = referred(part)
                    && reached.insert(name.to_owned())
                {
                    open.extend(schemas(document).get(name));
                }
                open.extend(members.values());
            }
            _ => {}
        }
    }
    reached
}

/// The name of the schema that is referred to.
fn referred(schema: &Value) -> Option<&str> {
    let target = schema.get("$ref").and_then(Value::as_str);
    target.and_then(|target| target.strip_prefix(SCHEMA))
}

/// Names of the bodies of edits.
fn of_edits(document: &Value) -> BTreeSet<String> {
    let edits = operations(document).filter(|(method, _operation)| *method == "patch");
    let bodies = edits.filter_map(|(_method, operation)| {
        referred(operation.pointer("/requestBody/content/application~1json/schema")?)
    });
    bodies.map(str::to_owned).collect()
}

/// One object in place of several that hold of one value (`#[serde(flatten)]`): each alone would
/// refuse the members of the others.
fn flatten(schemas: &Value, schema: &Value, is_taken: bool) -> Option<Value> {
    let parts = schema.get("allOf").and_then(Value::as_array)?;
    let mut properties = Map::new();
    let mut required = BTreeSet::new();
    let mut is_closed = false;
    for part in parts {
        let part = referred(part).map_or(Some(part), |name| schemas.get(name))?;
        let inner = flatten(schemas, part, is_taken);
        let part = inner.as_ref().unwrap_or(part);
        properties.extend(part.get("properties")?.as_object()?.clone());
        required.extend(words(part, "required"));
        is_closed |= part.get("additionalProperties") == Some(&Value::Bool(false));
    }
    let mut flat = json!({ "type": "object", "properties": properties });
    if let Some(flat) = flat.as_object_mut() {
        if let Some(said) = schema.get("description") {
            flat.insert("description".to_owned(), said.clone());
        }
        if !required.is_empty() {
            flat.insert("required".to_owned(), json!(required));
        }
        if is_taken && is_closed {
            flat.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
    Some(flat)
}

fn words(schema: &Value, member: &str) -> impl Iterator<Item = String> {
    let found = schema.get(member).and_then(Value::as_array);
    let found = found.into_iter().flatten().filter_map(Value::as_str);
    found.map(str::to_owned)
}

/// Readers of the document know `null`, not Rust's word for it.
fn name_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(name_null),
        Value::Object(members) => {
            if let Some(Value::String(said)) = members.get_mut("description") {
                *said = said.replace("`None`", "`null`");
            }
            members.values_mut().for_each(name_null);
        }
        _ => {}
    }
}

fn drop_defaults(schema: &mut Value, is_wrong: impl Fn(&Value) -> bool) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (_name, property) in properties.into_iter().flatten() {
        if is_wrong(property)
            && let Some(property) = property.as_object_mut()
        {
            property.remove("default");
        }
    }
}

/// Whatever is left out of an edit stays as it is.
fn drop_required(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("required");
    }
}

/// Whether its default is a text that it refuses: it must be given.
fn says_nothing(property: &Value) -> bool {
    let is_empty = property.get("default").is_some_and(|text| text == "");
    is_empty && property.get("minLength").is_some_and(|least| least != 0)
}

/// In answers, what may be null or left out of requests is there.
fn require_always_there(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(require_always_there),
        Value::Object(members) => {
            members.values_mut().for_each(require_always_there);
            let properties = members.get("properties").and_then(Value::as_object);
            let there = properties
                .into_iter()
                .flatten()
                .filter(|(_name, property)| {
                    may_be_null(property) || property.get("default").is_some()
                });
            let mut required: BTreeSet<String> = there.map(|(name, _)| name.clone()).collect();
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

/// The items of pages are written out by the derive; they have a name, so they are referred to.
fn refer_from_pages(document: &mut Value) {
    let known: BTreeSet<String> = match schemas(document).as_object() {
        Some(schemas) => schemas.keys().cloned().collect(),
        None => BTreeSet::new(),
    };
    for (name, schema) in schemas_mut(document) {
        if let Some(item) = name.strip_prefix("Page_")
            && let Some(items) = schema.pointer_mut("/properties/items/items")
            && known.contains(item)
        {
            *items = refer(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document whose only operation takes and gives these schemas.
    fn filled(method: &str, schemas: &Value) -> Value {
        let content =
            |name: &str| json!({ "content": { "application/json": { "schema": refer(name) } } });
        let operation = json!({
            "requestBody": content("Taken"),
            "responses": { "200": content("Given") },
        });
        let mut document = json!({
            "paths": { "/things": { method: operation } },
            "components": { "schemas": schemas },
        });
        fill(&mut document);
        document["components"]["schemas"].take()
    }

    fn terms() -> Value {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "days": { "type": ["integer", "null"], "default": null, "description": "`None` = for ever." },
                "edition": { "type": "string", "minLength": 1, "default": "" },
                "ci": { "type": "boolean", "default": true },
            },
            "required": ["edition"],
        })
    }

    fn named() -> Value {
        json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] })
    }

    #[test]
    fn what_is_flattened_in_code_is_one_object() {
        let both = json!({ "allOf": [refer("Terms"), named()], "description": "Both." });
        let inner = json!({ "allOf": [refer("Given"), named()] });
        let schemas = json!({ "Terms": terms(), "Taken": both, "Given": both, "Inner": inner });
        let schemas = filled("post", &schemas);
        assert_eq!(schemas["Taken"]["additionalProperties"], false);
        assert_eq!(schemas["Taken"]["required"], json!(["edition", "name"]));
        let given = &schemas["Given"];
        assert_eq!(given.get("additionalProperties"), None);
        assert_eq!(given["required"], json!(["ci", "days", "edition", "name"]));
        assert_eq!(given["description"], "Both.");
        // Nothing leads to these any more.
        assert!(schemas.get("Terms").is_none() && schemas.get("Inner").is_none());
    }

    #[test]
    fn only_what_creates_says_what_holds_where_nothing_is_said() {
        let schemas = || json!({ "Taken": terms(), "Given": named() });
        let created = filled("post", &schemas());
        let property = |name: &str| created["Taken"]["properties"][name].clone();
        assert_eq!(property("ci")["default"], true);
        assert_eq!(property("edition").get("default"), None);
        assert_eq!(property("days")["description"], "`null` = for ever.");
        let edited = filled("patch", &schemas());
        assert_eq!(edited["Taken"]["properties"]["ci"].get("default"), None);
        assert_eq!(edited["Taken"].get("required"), None);
        assert_eq!(created["Taken"]["required"], json!(["edition"]));
    }
}
