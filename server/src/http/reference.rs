//! The reference of the interface for people, rendered from the document: no script, nothing of
//! others. Its `errors` page is where `type` of every problem leads.

mod operations;
mod shapes;

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web};
use kitward_portal::NavItem;
use kitward_portal::pages::reference::{CodeRow, Group};
use kitward_portal::pages::{ReferenceCodesPage, ReferenceGroupPage, ReferencePage};
use serde_json::Value;

use super::error::{Code, PageError};
use super::extract::AppData;
use super::openapi;
use super::pages::{frame, html, not_found};
use super::routes::resource;

/// Routes of this file.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(resource("/docs").get(front))
        .service(resource("/docs/errors").get(codes))
        .service(resource("/docs/{group}").get(group));
}

/// The document as its pages show it.
struct Reference {
    intro: Vec<String>,
    groups: Vec<Group>,
}

fn reference() -> &'static Reference {
    static READ: LazyLock<Reference> = LazyLock::new(|| {
        let document = openapi::value();
        let intro = document.pointer("/info/description");
        let intro = intro.and_then(Value::as_str).unwrap_or_default();
        Reference {
            intro: paragraphs(intro),
            groups: operations::groups(&document),
        }
    });
    &READ
}

fn paragraphs(text: &str) -> Vec<String> {
    let parts = text.split("\n\n").map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

async fn front(app: AppData, request: HttpRequest) -> HttpResponse {
    let reference = reference();
    let page = ReferencePage {
        frame: frame(&app, &request, NavItem::None),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        intro: reference.intro.clone(),
        groups: reference.groups.clone(),
    };
    html(page.render())
}

async fn group(
    app: AppData,
    request: HttpRequest,
    name: web::Path<String>,
) -> Result<HttpResponse, PageError> {
    let mut groups = reference().groups.iter();
    let found = groups.find(|group| group.name == *name);
    let page = ReferenceGroupPage {
        frame: frame(&app, &request, NavItem::None),
        group: found.cloned().ok_or_else(not_found)?,
    };
    Ok(html(page.render()))
}

async fn codes(app: AppData, request: HttpRequest) -> HttpResponse {
    let row = |code: &Code| CodeRow {
        code: code.as_str().to_owned(),
        status: code.status(),
        title: code.title().to_owned(),
        meaning: code.meaning().trim().to_owned(),
    };
    let page = ReferenceCodesPage {
        frame: frame(&app, &request, NavItem::None),
        codes: Code::ALL.iter().map(row).collect(),
    };
    html(page.render())
}
