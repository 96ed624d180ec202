//! The viewer's own pages.

use super::mail::Mail;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;\
     padding:0 1rem;color:#1b1f24;background:#fff}a{color:#0b57d0}\
     table{width:100%;border-collapse:collapse}th,td{text-align:left;padding:.5rem .75rem .5rem 0;\
     border-bottom:1px solid #d0d7de;overflow-wrap:anywhere}\
     pre{font:15px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;\
     border:1px solid #d0d7de;border-radius:6px;padding:1rem}\
     @media(prefers-color-scheme:dark){body{color:#e6e9ed;background:#15181c}a{color:#8ab4f8}\
     th,td,pre{border-color:#3b434d}}";

/// All mails, the newest first. The page loads itself again, as it must do without scripts.
pub(super) fn list(mails: &[Mail]) -> String {
    let rows: Vec<String> = mails.iter().enumerate().rev().map(row).collect();
    let body = if rows.is_empty() {
        "<p>No mail yet.</p>".to_owned()
    } else {
        format!(
            "<table><thead><tr><th>Subject</th><th>To</th></tr></thead><tbody>{}</tbody></table>",
            rows.concat()
        )
    };
    document(
        "Inbox",
        "<meta http-equiv=\"refresh\" content=\"5\">",
        &body,
    )
}

fn row((index, mail): (usize, &Mail)) -> String {
    format!(
        "<tr><td><a href=\"/{}\">{}</a></td><td>{}</td></tr>",
        index + 1,
        escape(&subject(mail)),
        escape(&mail.to.join(", ")),
    )
}

/// The text of one mail, its links made clickable.
pub(super) fn mail(mail: &Mail, number: usize) -> String {
    let html = if mail.html().is_empty() {
        String::new()
    } else {
        format!(" · <a href=\"/{number}.html\">HTML part</a>")
    };
    let body = format!(
        "<p><a href=\"/\">Inbox</a>{html} · <a href=\"/{number}.eml\">Source</a></p>\
         <p>From {}<br>To {}</p><pre>{}</pre>",
        escape(&mail.from),
        escape(&mail.to.join(", ")),
        linked(&mail.text()),
    );
    document(&subject(mail), "", &body)
}

fn subject(mail: &Mail) -> String {
    let subject = Some(mail.subject()).filter(|subject| !subject.is_empty());
    subject.unwrap_or_else(|| "(no subject)".to_owned())
}

fn document(title: &str, head: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">{head}<title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Escapes, and turns each web address that stands between spaces into a link.
fn linked(text: &str) -> String {
    let pieces: Vec<String> = text
        .split_inclusive(char::is_whitespace)
        .map(link)
        .collect();
    pieces.concat()
}

fn link(piece: &str) -> String {
    let word = piece.trim_end();
    if !word.starts_with("https://") && !word.starts_with("http://") {
        return escape(piece);
    }
    let address = word.trim_end_matches(['.', ',', ';', ':', ')', '>']);
    let rest = escape(piece.strip_prefix(address).unwrap_or_default());
    let address = escape(address);
    format!("<a href=\"{address}\" rel=\"noreferrer\">{address}</a>{rest}")
}

#[cfg(test)]
mod tests {
    use super::{linked, list, mail};
    use crate::Mail;

    #[test]
    fn nothing_in_a_mail_becomes_markup() {
        let evil = "<script>alert('1')</script>";
        let sample = Mail {
            from: evil.to_owned(),
            to: vec![evil.to_owned()],
            raw: format!("Subject: {evil}\r\n\r\n{evil} https://example.com/\"{evil}\r\n"),
        };
        let pages = [list(std::slice::from_ref(&sample)), mail(&sample, 1)];
        for page in pages {
            assert!(!page.contains("<script"), "{page}");
            assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)"), "{page}");
        }
    }

    #[test]
    fn web_addresses_become_links_and_nothing_else_does() {
        assert_eq!(
            linked("See https://example.com/a?b=1&c=2.\njavascript:alert(1)"),
            "See <a href=\"https://example.com/a?b=1&amp;c=2\" rel=\"noreferrer\">\
             https://example.com/a?b=1&amp;c=2</a>.\njavascript:alert(1)"
        );
    }
}
