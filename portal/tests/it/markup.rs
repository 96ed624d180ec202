//! A reader for the HTML of our own templates, enough to assert its structure.

/// One start tag: its name and its attributes as written.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    pub(crate) name: &'a str,
    pub(crate) attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.attributes.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| *value)
    }
}

/// Every start tag of `html`, in order. Panics where the markup cannot be read.
pub(crate) fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let Some(first) = after.chars().next() else {
            panic!("markup ends in an open tag");
        };
        if first.is_ascii_alphabetic() {
            let (tag, left) = tag(after);
            found.push(tag);
            rest = left;
        } else {
            assert!(matches!(first, '/' | '!'), "stray < before {first:?}");
            rest = after;
        }
    }
    found
}

fn tag(text: &str) -> (Tag<'_>, &str) {
    let end = text
        .find(|c: char| c.is_whitespace() || c == '>' || c == '/')
        .expect("a tag ends");
    let (name, mut rest) = text.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(left) = rest.strip_prefix('>') {
            return (Tag { name, attributes }, left);
        }
        if let Some(left) = rest.strip_prefix('/') {
            rest = left;
            continue;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/'))
            .expect("an attribute ends");
        let (key, left) = rest.split_at(end);
        assert!(!key.is_empty(), "no attribute name in <{name}>");
        rest = left;
        let mut value = "";
        if let Some(quoted) = rest.strip_prefix("=\"") {
            (value, rest) = quoted.split_once('"').expect("a value ends");
        }
        attributes.push((key, value));
    }
}

/// The text of `html` without tags, with the five escapes undone, on one line.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<').skip(1) {
        let (_, after) = piece.split_once('>').unwrap_or(("", piece));
        text.push_str(after);
        text.push(' ');
    }
    let plain = text
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `(method, action)` of every form.
pub(crate) fn forms<'a>(all: &[Tag<'a>]) -> Vec<(&'a str, &'a str)> {
    let forms = all.iter().filter(|tag| tag.name == "form");
    forms
        .map(|form| {
            let method = form.get("method").expect("a form has a method");
            (method, form.get("action").expect("a form has an action"))
        })
        .collect()
}
