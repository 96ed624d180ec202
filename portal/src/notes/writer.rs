//! From what a parser of Markdown found to HTML.

use std::fmt::Write as _;

use pulldown_cmark::{Event, HeadingLevel, LinkType, Tag};

/// Elements within one another; what is deeper is shown without its element.
const DEPTH: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Writer {
    html: String,
    /// For each open tag of the Markdown, the end to write.
    open: Vec<&'static str>,
}

impl Writer {
    pub(super) fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(_) => {
                let end = self.open.pop().unwrap_or_default();
                self.html.push_str(end);
            }
            Event::Code(text) => {
                self.html.push_str("<code>");
                self.escape(&text);
                self.html.push_str("</code>");
            }
            // Extensions that are off, and raw HTML: their text.
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.escape(&text),
            Event::SoftBreak => self.html.push('\n'),
            Event::HardBreak => self.html.push_str("<br>\n"),
            Event::Rule => self.html.push_str("<hr>\n"),
            Event::TaskListMarker(_) => {}
        }
    }

    pub(super) fn finish(mut self) -> String {
        while let Some(end) = self.open.pop() {
            self.html.push_str(end);
        }
        self.html
    }

    fn start(&mut self, tag: &Tag<'_>) {
        let depth = self.open.iter().filter(|end| !end.is_empty()).count();
        let (start, end) = if depth < DEPTH {
            element(tag)
        } else {
            ("", "")
        };
        self.open.push(end);
        match tag {
            Tag::List(Some(first)) if *first != 1 && !end.is_empty() => {
                // Writing to a String cannot fail.
                let _ = writeln!(self.html, "<ol start=\"{first}\">");
            }
            Tag::Link {
                link_type,
                dest_url,
                ..
            } if !end.is_empty() => {
                let is_mail = *link_type == LinkType::Email;
                self.html.push_str("<a href=\"");
                self.html.push_str(if is_mail { "mailto:" } else { "" });
                self.escape(dest_url);
                self.html.push_str("\" rel=\"nofollow noopener\">");
            }
            _ => self.html.push_str(start),
        }
    }

    fn escape(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '"' => self.html.push_str("&quot;"),
                '\'' => self.html.push_str("&#39;"),
                // A reference such as `&#10;` or `&#x202E;` brings back what the text was freed of.
                other if super::is_plain(other) => self.html.push(other),
                _ => {}
            }
        }
    }
}

/// Start and end of what stands for a tag; nothing where its text alone is shown.
fn element(tag: &Tag<'_>) -> (&'static str, &'static str) {
    match tag {
        Tag::Paragraph => ("<p>", "</p>\n"),
        Tag::Heading {
            level: HeadingLevel::H1,
            ..
        } => ("<h5>", "</h5>\n"),
        Tag::Heading { .. } => ("<h6>", "</h6>\n"),
        Tag::BlockQuote(_) => ("<blockquote>\n", "</blockquote>\n"),
        Tag::CodeBlock(_) => ("<pre><code>", "</code></pre>\n"),
        Tag::List(None) => ("<ul>\n", "</ul>\n"),
        Tag::List(Some(_)) => ("<ol>\n", "</ol>\n"),
        Tag::Item => ("<li>", "</li>\n"),
        Tag::Emphasis => ("<em>", "</em>"),
        Tag::Strong => ("<strong>", "</strong>"),
        Tag::Strikethrough => ("<del>", "</del>"),
        Tag::Link {
            link_type,
            dest_url,
            ..
        } if may_lead(*link_type, dest_url) => ("", "</a>"),
        Tag::Link { .. }
        | Tag::Image { .. }
        | Tag::HtmlBlock
        | Tag::FootnoteDefinition(_)
        | Tag::DefinitionList
        | Tag::DefinitionListTitle
        | Tag::DefinitionListDefinition
        | Tag::Table(_)
        | Tag::TableHead
        | Tag::TableRow
        | Tag::TableCell
        | Tag::Superscript
        | Tag::Subscript
        | Tag::MetadataBlock(_) => ("", ""),
    }
}

fn may_lead(link_type: LinkType, address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let known = ["https://", "http://", "mailto:"];
    let clean = !address.chars().any(|c| c.is_control() || c.is_whitespace());
    let leads = known.iter().any(|scheme| lower.starts_with(scheme));
    clean && (leads || link_type == LinkType::Email)
}
