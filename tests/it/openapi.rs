//! The document of the interface says what is mounted, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kitward::staff::Scope;
use kitward_tests::{Actor, Kind, Reply, TestApp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::layers::{code, files, root};

/// Methods by address, as the document has them.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let document = kitward::http::openapi::value();
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| {
        let methods = item.as_object().unwrap().keys();
        methods.map(|method| method.to_uppercase()).collect()
    };
    let paths = paths.iter();
    paths
        .map(|(path, item)| (path.clone(), methods(item)))
        .collect()
}

/// Whether a file holds pages for people, which the document leaves out.
fn is_of_pages(place: &str) -> bool {
    let rooms = ["pages.rs", "console.rs", "reference.rs"];
    let folders = ["/pages/", "/console/", "/reference/"];
    rooms.iter().any(|room| place.ends_with(room))
        || folders.iter().any(|room| place.contains(room))
}

/// The code without its spaces and breaks.
fn on_one_line(path: &Path) -> String {
    code(path).split_whitespace().collect()
}

/// Addresses that the sources register: literals of `resource("…")`.
fn registered() -> BTreeSet<String> {
    let source = root().join("server/src");
    let mut found = BTreeSet::new();
    for path in files(&source, ".rs") {
        let place = path.strip_prefix(&source).unwrap().to_str().unwrap();
        if is_of_pages(place) {
            continue;
        }
        let is_managed = place.ends_with("/admin.rs") || place.contains("/admin/");
        let scope = if is_managed { "/v1/admin" } else { "" };
        for rest in on_one_line(&path).split("resource(\"").skip(1) {
            let address = rest.split('"').next().unwrap();
            found.insert(format!("{scope}{address}"));
        }
    }
    found
}

#[test]
fn every_mounted_address_is_documented_and_nothing_else() {
    let documented: BTreeSet<String> = documented().into_keys().collect();
    let registered = registered();
    assert!(registered.len() >= 20, "{registered:?}");
    let missing: Vec<_> = registered.difference(&documented).collect();
    assert!(missing.is_empty(), "not in the document: {missing:?}");
    let invented: Vec<_> = documented.difference(&registered).collect();
    assert!(invented.is_empty(), "not mounted: {invented:?}");
}

/// Else the test above would not see them.
#[test]
fn addresses_are_registered_by_resource_alone() {
    let source = root().join("server/src");
    for path in files(&source, ".rs") {
        let place = path.strip_prefix(&source).unwrap();
        if place == Path::new("http/routes.rs") || place == Path::new("http/serve.rs") {
            continue;
        }
        let text = on_one_line(&path);
        for other in ["web::resource(", "web::scope(", ".route("] {
            assert!(!text.contains(other), "{other} in {}", place.display());
        }
        let all = text.matches("resource(").count();
        let literal = text.matches("resource(\"").count();
        assert_eq!(all, literal, "a computed address in {}", place.display());
    }
}

#[test]
fn every_address_takes_the_documented_methods_and_no_other() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let anyone = app.anonymous();
        for (path, mut methods) in documented() {
            if methods.contains("GET") {
                methods.insert("HEAD".to_owned());
            }
            let address: String = path.split('{').enumerate().map(filled).collect();
            let trace = anyone.request(Method::TRACE, &address);
            let reply = anyone.send(trace).await;
            let reply = reply.expect_problem(405, "method_not_allowed");
            let allowed: BTreeSet<String> = reply
                .header("allow")
                .split(", ")
                .map(str::to_owned)
                .collect();
            assert_eq!(allowed, methods, "{path}");
        }
        app.stop().await;
    });
}

/// `a/{b}/c` → `a/x/c`, in parts.
fn filled((at, part): (usize, &str)) -> String {
    match part.split_once('}') {
        Some((_, rest)) if at > 0 => format!("x{rest}"),
        _ => part.to_owned(),
    }
}

#[test]
fn the_document_is_served_as_committed() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let reply = app
            .anonymous()
            .get("/openapi.json")
            .await
            .expect_status(200);
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.json()["openapi"], "3.1.0");
        let committed = std::fs::read_to_string(root().join("docs/openapi.json")).unwrap();
        assert_eq!(reply.text(), committed);
        app.stop().await;
    });
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            found.push((format!("{method} {path}"), operation));
        }
    }
    found
}

#[test]
fn every_operation_has_a_name_a_place_and_words_of_its_own() {
    let document = kitward::http::openapi::value();
    let tags = document["tags"].as_array().unwrap();
    let tags: BTreeSet<&str> = tags
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut names = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (place, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{place}: {name} is taken");
        let tag = operation["tags"][0].as_str().unwrap();
        assert!(tags.contains(tag), "{place}: nobody knows {tag}");
        used.insert(tag);
        assert!(operation["summary"].as_str().unwrap().len() > 5, "{place}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter.get("schema").is_some(), "{place}: {parameter}");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                response["description"].as_str().unwrap().len() > 3,
                "{place}: {status}"
            );
            let header = &response["headers"]["X-Request-Id"];
            assert!(header.is_object(), "{place}: {status}");
            if status.starts_with(['4', '5']) {
                let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/Problem", "{place}: {status}");
            }
        }
    }
    assert_eq!(used, tags);
}

#[test]
fn management_refuses_what_it_does_not_know_and_names_its_scope() {
    let document = kitward::http::openapi::value();
    let mut bodies = 0;
    for (place, operation) in operations(&document) {
        if !place.contains(" /v1/admin/") {
            continue;
        }
        let scope = operation["security"][0]["management_token"][0].as_str();
        assert!(
            ["admin", "support", "read", "publish"].contains(&scope.unwrap()),
            "{place}"
        );
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = schema.as_str() else {
            continue;
        };
        bodies += 1;
        let schema = document.pointer(name.strip_prefix('#').unwrap()).unwrap();
        assert_eq!(schema["additionalProperties"], false, "{place}");
    }
    assert!(bodies >= 4);
}

/// Names of the parameters of an operation.
fn parameters(operation: &Value) -> Vec<&str> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.filter_map(|one| one["name"].as_str()).collect()
}

#[test]
fn whatever_is_documented_to_take_an_idempotency_key_reads_it() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let admin = app.token(Scope::Admin).await;
        let admin = admin.with("idempotency-key", "two words");
        let document = kitward::http::openapi::value();
        let mut documented = 0;
        for (place, operation) in operations(&document) {
            if !parameters(operation).contains(&"Idempotency-Key") {
                continue;
            }
            documented += 1;
            let (_, path) = place.split_once(' ').unwrap();
            let reply = admin.post(path, &json!({})).await;
            let reply = reply.expect_problem(422, "invalid_field");
            assert_eq!(reply.str("/field"), "Idempotency-Key", "{place}");
        }
        let sources = files(&root().join("server/src"), ".rs");
        let sources: String = sources.iter().map(|path| code(path)).collect();
        let lines = sources
            .lines()
            .filter(|line| !line.trim().starts_with("//"));
        let taking = lines.filter(|line| line.contains(": Idempotency,")).count();
        assert!((1..=documented).contains(&taking), "{taking} {documented}");
        app.stop().await;
    });
}

/// What a policy with these terms is answered.
async fn with_term(admin: &Actor, properties: &Value, name: &str, value: Value) -> Reply {
    let mut body = json!({
        "name": format!("{name} {value}"), "edition": "Team", "scope": "all",
        "seat_kind": "device", "seat_limit": 5, "churn_seats": 1, "churn_days": 1,
    });
    let members = body.as_object_mut().unwrap();
    members.retain(|name, _| properties.get(name).is_some());
    members.insert(name.to_owned(), value);
    admin.post("/v1/admin/policies", &body).await
}

#[test]
fn terms_are_taken_within_the_documented_bounds_and_not_beyond() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let admin = app.token(Scope::Admin).await;
        let document = kitward::http::openapi::value();
        let properties = &document["components"]["schemas"]["CreatePolicyRequest"]["properties"];
        let mut bounded = 0;
        for (name, property) in properties.as_object().unwrap() {
            let (least, most) = (property["minimum"].as_i64(), property["maximum"].as_i64());
            let (Some(least), Some(most)) = (least, most) else {
                continue;
            };
            bounded += 1;
            for good in [least, most] {
                let reply = with_term(&admin, properties, name, json!(good)).await;
                reply.expect_status(201);
            }
            for bad in [least - 1, most + 1] {
                let reply = with_term(&admin, properties, name, json!(bad)).await;
                let reply = reply.expect_problem(422, "invalid_field");
                assert_eq!(reply.str("/field"), *name, "{bad}");
            }
        }
        assert!(bounded >= 4);
        app.stop().await;
    });
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = kitward::http::openapi::value();
    let text = document.to_string();
    let mut referred = BTreeSet::new();
    for part in text.split("\"$ref\":\"").skip(1) {
        let target = part.split('"').next().unwrap();
        assert!(document.pointer(&target[1..]).is_some(), "{target}");
        referred.insert(target.rsplit('/').next().unwrap().to_owned());
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let named: BTreeSet<String> = schemas.keys().cloned().collect();
    assert_eq!(named, referred);
}

#[test]
fn the_reference_shows_every_operation_and_every_code() {
    kitward_tests::run_on(Kind::Sqlite, |kind| async move {
        let app = TestApp::start(kind).await;
        let anyone = app.anonymous();
        let document = kitward::http::openapi::value();
        let front = anyone.get("/docs").await.expect_status(200).text();
        for (place, operation) in operations(&document) {
            let (_, path) = place.split_once(' ').unwrap();
            assert!(front.contains(&format!("{path}</code>")), "{path}");
            let tag = operation["tags"][0].as_str().unwrap();
            let address = format!("/docs/{tag}");
            assert!(front.contains(&format!("href=\"{address}\"")), "{address}");
            let page = anyone.get(&address).await.expect_status(200);
            assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
            let id = operation["operationId"].as_str().unwrap();
            assert!(page.text().contains(&format!("id=\"{id}\"")), "{place}");
        }
        let problem = anyone
            .get("/v1/nothing")
            .await
            .expect_problem(404, "not_found");
        let (address, anchor) = (problem.str("/type"), "id=\"not_found\"");
        let codes = anyone.get(address.split('#').next().unwrap()).await;
        let codes = codes.expect_status(200).text();
        assert!(address.ends_with("#not_found") && codes.contains(anchor));
        for code in kitward::http::Code::ALL {
            assert!(codes.contains(&format!("id=\"{}\"", code.as_str())));
        }
        anyone.get("/docs/nothing").await.expect_status(404);
        app.stop().await;
    });
}
