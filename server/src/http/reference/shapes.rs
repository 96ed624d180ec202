//! Schemas in words.

use std::collections::BTreeMap;

use kitward_portal::pages::reference::Field;
use serde_json::Value;

/// How deep members of members are listed.
const DEPTH: usize = 4;

/// A member that is a text; empty where there is none.
pub(super) fn text(value: &Value, member: &str) -> String {
    let found = value.get(member).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

/// What a value may be, in words.
pub(super) fn kind(document: &Value, schema: &Value) -> String {
    let (schema, nullable) = plain(document, schema);
    let mut words = match type_of(schema) {
        _ if schema.get("enum").is_some() => one_of(schema),
        "string" => of_text(schema),
        "integer" | "number" => of_number(schema),
        "boolean" => "true or false".to_owned(),
        "array" => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            format!("list of: {}", kind(document, items))
        }
        _ => "object".to_owned(),
    };
    if nullable {
        words.push_str(", or null");
    }
    words
}

/// Members, those of members included.
pub(super) fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    collect(document, schema, "", DEPTH, &mut found);
    found
}

fn collect(document: &Value, schema: &Value, prefix: &str, depth: usize, found: &mut Vec<Field>) {
    let (schema, _) = plain(document, schema);
    for part in list(schema, "allOf") {
        collect(document, part, prefix, depth, found);
    }
    let required: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
    let properties: BTreeMap<&String, &Value> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .collect();
    for (name, property) in properties {
        let (inner, _) = plain(document, property);
        // Of what may be null, the derive writes the meaning beside the reference.
        let choices = list(property, "oneOf").map(|one| text(one, "description"));
        let mut said = std::iter::once(text(property, "description")).chain(choices);
        let own = said.find(|text| !text.is_empty());
        found.push(Field {
            name: format!("{prefix}{name}"),
            kind: kind(document, property),
            meaning: own.unwrap_or_else(|| text(inner, "description")),
            is_required: required.contains(&name.as_str()),
        });
        if depth > 1 {
            let (below, mark) = match inner.get("items") {
                Some(items) => (items, "[]."),
                None => (inner, "."),
            };
            let prefix = format!("{prefix}{name}{mark}");
            collect(document, below, &prefix, depth - 1, found);
        }
    }
}

/// The schema behind references and `null`, and whether `null` may stand for it.
fn plain<'a>(document: &'a Value, schema: &'a Value) -> (&'a Value, bool) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = target.trim_start_matches('#');
        return plain(document, document.pointer(pointer).unwrap_or(&Value::Null));
    }
    let is_null = |one: &Value| one.get("type").is_some_and(|kind| kind == "null");
    let mut choices = list(schema, "oneOf").filter(|one| !is_null(one));
    if let Some(first) = choices.next() {
        let nullable = list(schema, "oneOf").any(is_null);
        let (inner, also) = plain(document, first);
        return (inner, nullable || also);
    }
    (schema, list(schema, "type").any(|kind| kind == "null"))
}

fn list<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let found = value.get(member).and_then(Value::as_array);
    found.into_iter().flatten()
}

fn type_of(schema: &Value) -> &str {
    let single = schema.get("type").and_then(Value::as_str);
    let listed = list(schema, "type").filter_map(Value::as_str);
    single
        .or_else(|| listed.into_iter().find(|kind| *kind != "null"))
        .unwrap_or_default()
}

fn one_of(schema: &Value) -> String {
    let words: Vec<&str> = list(schema, "enum").filter_map(Value::as_str).collect();
    format!("one of {}", words.join(", "))
}

fn of_text(schema: &Value) -> String {
    let number = |member: &str| schema.get(member).and_then(Value::as_u64);
    let what = match text(schema, "format").as_str() {
        "date-time" => "time",
        "uri" => "web address",
        "binary" => "bytes",
        _ => "text",
    };
    let bounds = match (number("minLength"), number("maxLength")) {
        (Some(least), Some(most)) => format!(" of {least} to {most} characters"),
        (None, Some(most)) => format!(" of at most {most} characters"),
        (Some(least), None) => format!(" of at least {least} characters"),
        (None, None) => String::new(),
    };
    let example = list(schema, "examples").next().or(schema.get("example"));
    let example = example.and_then(Value::as_str);
    let example = example.map(|example| format!(", such as {example}"));
    format!("{what}{bounds}{}", example.unwrap_or_default())
}

fn of_number(schema: &Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!("number, {least} to {most}"),
        (Some(least), None) => format!("number from {least}"),
        (None, Some(most)) => format!("number up to {most}"),
        (None, None) => "number".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bounds_words_and_null_are_told() {
        let document = json!({ "components": { "schemas": {
            "Word": { "type": "string", "enum": ["a", "b"] },
        } } });
        for (schema, words) in [
            (
                json!({ "type": ["string", "null"], "minLength": 1, "maxLength": 9 }),
                "text of 1 to 9 characters, or null",
            ),
            (
                json!({ "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Word" }] }),
                "one of a, b, or null",
            ),
            (
                json!({ "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 4 } }),
                "list of: number, 0 to 4",
            ),
            (json!({ "type": "string", "format": "date-time" }), "time"),
            (json!({}), "object"),
        ] {
            assert_eq!(kind(&document, &schema), words);
        }
    }

    #[test]
    fn members_of_members_are_listed_under_their_path() {
        let schema = json!({ "allOf": [
            { "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } } },
            { "type": "object", "properties": {
                "b": { "type": "array", "items": { "properties": { "c": { "type": "boolean" } } } },
            } },
        ] });
        let found = fields(&Value::Null, &schema);
        let names: Vec<_> = found
            .iter()
            .map(|field| (field.name.as_str(), field.is_required))
            .collect();
        assert_eq!(names, [("a", true), ("b", false), ("b[].c", false)]);
    }
}
