//! Neutral values for tests and previews.

use super::{
    Answer, CodeRow, Content, Field, Group, Operation, ReferenceCodesPage, ReferenceGroupPage,
    ReferencePage,
};
use crate::frame::Frame;

impl ReferencePage {
    /// Two groups.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample_signed_out(),
            version: "1.2.3".to_owned(),
            intro: vec!["Branch on `code`, show `detail`.".to_owned()],
            groups: vec![
                Group::sample("licensing", &["activate", "validate"]),
                Group::sample("kits", &["create_kit", "list_kits", "get_kit"]),
            ],
        }
    }
}

impl ReferenceGroupPage {
    /// One group.
    pub fn sample() -> Self {
        Self {
            frame: Frame::sample(),
            group: Group::sample("kits", &["create_kit", "edit_kit"]),
        }
    }
}

impl ReferenceCodesPage {
    /// Two codes.
    pub fn sample() -> Self {
        let row = |code: &str, status| CodeRow {
            code: code.to_owned(),
            status,
            title: "Not found".to_owned(),
            meaning: "There is nothing here, or not for this `Authorization`.".to_owned(),
        };
        Self {
            frame: Frame::sample_signed_out(),
            codes: vec![row("not_found", 404), row("gone", 410)],
        }
    }
}

impl Group {
    fn sample(name: &str, operations: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            meaning: "Calls that carry a `key`.".to_owned(),
            operations: operations.iter().map(|id| Operation::sample(id)).collect(),
        }
    }
}

impl Operation {
    fn sample(id: &str) -> Self {
        let field = Field {
            name: "kit".to_owned(),
            kind: "text of 1 to 64 characters".to_owned(),
            meaning: "Slug, or `id`.".to_owned(),
            is_required: true,
        };
        let body = Content {
            media_type: "application/json".to_owned(),
            fields: vec![
                field.clone(),
                Field {
                    name: "seats.limit".to_owned(),
                    kind: "number from 1, or null".to_owned(),
                    meaning: String::new(),
                    is_required: false,
                },
            ],
        };
        let answer = |status: &str, body| Answer {
            status: status.to_owned(),
            meaning: vec!["`conflict`: the slug is taken.".to_owned()],
            body,
        };
        Self {
            id: id.to_owned(),
            method: "POST".to_owned(),
            path: "/v1/admin/kits/{kit}".to_owned(),
            summary: "Changes a kit.".to_owned(),
            notes: vec!["Repeating it changes nothing.".to_owned()],
            credential: Some("management token with the scope `admin`".to_owned()),
            parameters: vec![field],
            body: Some(body.clone()),
            answers: vec![answer("200", Some(body)), answer("409", None)],
        }
    }
}
