//! The reference of the HTTP interface: its front page, a page per group of operations, and the
//! list of error codes. All of it comes from the document of the interface.

mod samples;

use askama::Template;

use crate::frame::Frame;
use crate::links;

/// The front page: every address, by group.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/reference.html")]
pub struct ReferencePage {
    /// What stands around the page.
    pub frame: Frame,
    /// Version of the program.
    pub version: String,
    /// What holds for every operation, one paragraph each.
    pub intro: Vec<String>,
    /// The groups.
    pub groups: Vec<Group>,
}

/// One group in full.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/reference_group.html")]
pub struct ReferenceGroupPage {
    /// What stands around the page.
    pub frame: Frame,
    /// The group.
    pub group: Group,
}

/// The closed list of error codes.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/reference_codes.html")]
pub struct ReferenceCodesPage {
    /// What stands around the page.
    pub frame: Frame,
    /// The codes, in order.
    pub codes: Vec<CodeRow>,
}

/// Operations that belong together.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name, also in the address of its page.
    pub name: String,
    /// What it is for. Words between backticks are shown as code, here and below.
    pub meaning: String,
    /// What it holds.
    pub operations: Vec<Operation>,
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its stable name.
    pub id: String,
    /// HTTP method.
    pub method: String,
    /// Its address.
    pub path: String,
    /// What it does, in one sentence.
    pub summary: String,
    /// More on it, one paragraph each.
    pub notes: Vec<String>,
    /// What has to be presented; none where anybody may call.
    pub credential: Option<String>,
    /// What stands in address, query and headers.
    pub parameters: Vec<Field>,
    /// What is sent: its content type and its members.
    pub body: Option<Content>,
    /// What it answers with.
    pub answers: Vec<Answer>,
}

/// A body.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its content type.
    pub media_type: String,
    /// Its members; none for files.
    pub fields: Vec<Field>,
}

/// A parameter or a member of a body.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name; a dot leads into an object, `[]` into a list.
    pub name: String,
    /// What it is: `text of 1 to 64 characters, or null`.
    pub kind: String,
    /// What it means; may be empty.
    pub meaning: String,
    /// Whether it must be there, or always is.
    pub is_required: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: String,
    /// What it means, one paragraph each.
    pub meaning: Vec<String>,
    /// Its body; none for refusals, which all look alike.
    pub body: Option<Content>,
}

/// One error code.
#[derive(Debug, Clone)]
pub struct CodeRow {
    /// The word.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// Its title.
    pub title: String,
    /// What it means and what to do.
    pub meaning: String,
}

impl ReferencePage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }
}

impl ReferenceGroupPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }
}

impl ReferenceCodesPage {
    /// The HTML document.
    pub fn render(&self) -> String {
        super::document(Template::render(self))
    }
}

impl Group {
    fn address(&self) -> String {
        format!("/docs/{}", links::encode(&self.name))
    }

    fn address_of(&self, operation: &Operation) -> String {
        format!("{}#{}", self.address(), links::encode(&operation.id))
    }
}

impl Operation {
    fn anchor(&self) -> String {
        links::encode(&self.id)
    }
}

impl CodeRow {
    fn anchor(&self) -> String {
        links::encode(&self.code)
    }
}

/// A text cut at its backticks.
struct Span<'a> {
    is_code: bool,
    text: &'a str,
}

fn spans(text: &str) -> Vec<Span<'_>> {
    let parts = text.split('`').enumerate();
    let spans = parts.map(|(at, text)| Span {
        is_code: at % 2 == 1,
        text,
    });
    spans.filter(|span| !span.text.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::spans;

    #[test]
    fn words_between_backticks_are_code() {
        let cut: Vec<_> = spans("`a`: b `c`")
            .into_iter()
            .map(|span| (span.is_code, span.text))
            .collect();
        assert_eq!(cut, [(true, "a"), (false, ": b "), (true, "c")]);
    }
}
