//! Release notes: Markdown of a vendor as the little HTML that may stand in a page.
//!
//! What may pass is listed, everything else stays text: raw HTML is shown as it was typed, links
//! lead to web pages and mail addresses only, images are their alternative text, and no attribute
//! is taken over. Headings fit below those of a page.

mod writer;

use std::fmt::{self, Write};

use askama::filters::HtmlSafe;
use pulldown_cmark::{Options, Parser};

use self::writer::Writer;
use crate::wording::turns_direction;

/// Notes ready for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notes {
    html: String,
    is_cut: bool,
}

impl Notes {
    /// As many characters as stand in a list of releases.
    pub const BRIEF: usize = 2_000;
    /// As many characters as stand in a page of their own.
    pub const WHOLE: usize = 20_000;

    /// At most the first `limit` characters of `markdown`, cut between lines where there are some.
    pub fn new(markdown: &str, limit: usize) -> Self {
        let clean: String = markdown.chars().filter(|c| is_plain(*c)).collect();
        let (kept, is_cut) = cut(&clean, limit);
        let mut writer = Writer::default();
        for event in Parser::new_ext(kept, Options::ENABLE_STRIKETHROUGH) {
            writer.take(event);
        }
        Self {
            html: writer.finish(),
            is_cut,
        }
    }

    /// Whether some of it was left off.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.html.is_empty()
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.html)
    }
}

impl askama::FastWritable for Notes {
    fn write_into(&self, dest: &mut dyn Write, _values: &dyn askama::Values) -> askama::Result<()> {
        dest.write_str(&self.html)?;
        Ok(())
    }
}

/// The writer escapes all text, and writes no markup but its own.
impl HtmlSafe for Notes {}

/// Neither a control character nor one that turns the direction of what follows.
fn is_plain(c: char) -> bool {
    matches!(c, '\n' | '\t') || !(c.is_control() || turns_direction(c))
}

fn cut(text: &str, limit: usize) -> (&str, bool) {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return (text, false);
    };
    let (kept, _) = text.split_at(end);
    let whole_lines = kept.rsplit_once('\n').map_or(kept, |(lines, _)| lines);
    (whole_lines, true)
}

#[cfg(test)]
mod tests {
    use super::Notes;

    fn html(markdown: &str) -> String {
        Notes::new(markdown, Notes::BRIEF).to_string()
    }

    #[test]
    fn markdown_becomes_the_elements_people_know() {
        assert_eq!(
            html(
                "# New\n\nFaster by *half*, **really**.\n\n- one\n- `two`\n\n---\n\n## Old\n\n3. x\n"
            ),
            "<h5>New</h5>\n<p>Faster by <em>half</em>, <strong>really</strong>.</p>\n<ul>\n\
             <li>one</li>\n<li><code>two</code></li>\n</ul>\n<hr>\n<h6>Old</h6>\n\
             <ol start=\"3\">\n<li>x</li>\n</ol>\n"
        );
        assert_eq!(html("a\nb  \nc ~~d~~"), "<p>a\nb<br>\nc <del>d</del></p>\n");
        assert_eq!(html("> q"), "<blockquote>\n<p>q</p>\n</blockquote>\n");
        assert_eq!(
            html("```html onclick=x\n<b>\n```"),
            "<pre><code>&lt;b&gt;\n</code></pre>\n"
        );
        assert_eq!(html(""), "");
    }

    #[test]
    fn raw_html_is_shown_as_it_was_typed() {
        for raw in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "a <b onclick=\"x\">c</b>",
            "<!-- x -->",
            "<svg/onload=alert(1)>",
        ] {
            let html = html(raw);
            assert!(
                !html.contains("<script") && !html.contains("<img"),
                "{html}"
            );
            assert!(!html.contains("<b") && !html.contains("<svg"), "{html}");
            assert!(!html.contains("<!--") && html.contains("&lt;"), "{html}");
        }
    }

    #[test]
    fn links_lead_to_web_pages_and_mail_addresses_only() {
        assert_eq!(
            html("[x](https://example.com/?a=1&b=\"2\" \"t\")"),
            "<p><a href=\"https://example.com/?a=1&amp;b=&quot;2&quot;\" \
             rel=\"nofollow noopener\">x</a></p>\n"
        );
        assert!(html("<help@example.com>").contains("href=\"mailto:help@example.com\""));
        assert!(html("[x](HTTP://EXAMPLE.COM)").contains("href=\"HTTP://EXAMPLE.COM\""));
        for bad in [
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](data:text/html,x)",
            "[x](//example.com)",
            "[x](/sign-out)",
            "[x](#main)",
            "[x](java&#10;script:alert(1))",
            "<javascript:alert(1)>",
            "[x]\n\n[x]: vbscript:x",
        ] {
            let html = html(bad);
            assert!(!html.contains("<a"), "{bad}: {html}");
            assert!(!html.contains("href"), "{bad}: {html}");
        }
    }

    #[test]
    fn an_image_is_its_alternative_text() {
        assert_eq!(
            html("![the *new* look](https://example.com/a.png)"),
            "<p>the <em>new</em> look</p>\n"
        );
    }

    #[test]
    fn no_control_character_and_no_turn_of_direction_passes() {
        let html = html("a\0b\u{1b}[31mc\u{202e}d\u{2066}e\u{7f}f\r\ng");
        assert_eq!(html, "<p>ab[31mcdef\ng</p>\n");
    }

    #[test]
    fn what_is_long_is_cut_between_lines_and_deep_nesting_is_flattened() {
        let notes = Notes::new(&"x".repeat(1 << 20), Notes::BRIEF);
        assert!(notes.is_cut());
        assert!(notes.to_string().len() < Notes::BRIEF + 20);
        let notes = Notes::new("one\ntwo\nthree", 9);
        assert_eq!(
            (notes.to_string(), notes.is_cut()),
            ("<p>one\ntwo</p>\n".to_owned(), true)
        );
        assert!(!Notes::new("one", 3).is_cut());
        let deep = html(&format!("{}x", "> ".repeat(500)));
        assert_eq!(deep.matches("<blockquote>").count(), 8, "{deep}");
        assert_eq!(deep.matches("</blockquote>").count(), 8);
        assert!(deep.contains('x'));
    }

    #[test]
    fn every_element_that_is_opened_is_closed() {
        let all =
            "# a [b](https://c.example) \n> - *d\n>   1. e **f** `g`\n![h*](i)*\n\n    j\n<k>";
        let html = html(all);
        for name in [
            "h5",
            "p",
            "a",
            "blockquote",
            "ul",
            "ol",
            "li",
            "em",
            "strong",
            "code",
            "pre",
        ] {
            let opened = html.matches(&format!("<{name}>")).count()
                + html.matches(&format!("<{name} ")).count();
            assert_eq!(
                opened,
                html.matches(&format!("</{name}>")).count(),
                "{name}: {html}"
            );
        }
    }
}
