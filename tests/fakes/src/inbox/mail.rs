//! A received mail and its decoded parts.

use mail_parser::{HeaderForm, HeaderName, Message, MessageParser, PartType};

/// A mail as it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender; empty for bounces.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// Header and body, without the dots added for transport.
    pub raw: String,
}

impl Mail {
    /// The decoded subject, empty when there is none.
    pub fn subject(&self) -> String {
        self.header("Subject").unwrap_or_default()
    }

    /// The first header of this name in any case: unfolded, encoded words decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let message = self.parsed()?;
        let name = HeaderName::parse(name.to_owned())?;
        let values = message.header_as(name, HeaderForm::Text);
        values
            .first()
            .map(|value| value.as_text().unwrap_or_default().trim().to_owned())
    }

    /// The decoded `text/plain` part, empty when there is none.
    pub fn text(&self) -> String {
        let message = self.parsed();
        let bodies = message.iter().flat_map(Message::text_bodies);
        let mut plain = bodies.filter_map(|part| match &part.body {
            PartType::Text(text) => Some(text.to_string()),
            _ => None,
        });
        plain.next().unwrap_or_default()
    }

    /// The decoded `text/html` part, empty when there is none.
    pub fn html(&self) -> String {
        let message = self.parsed();
        let bodies = message.iter().flat_map(Message::html_bodies);
        let mut html = bodies.filter_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        });
        html.next().unwrap_or_default()
    }

    fn parsed(&self) -> Option<Message<'_>> {
        MessageParser::default().parse(self.raw.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Mail;

    fn mail(raw: &str) -> Mail {
        Mail {
            from: String::new(),
            to: Vec::new(),
            raw: raw.replace('\n', "\r\n"),
        }
    }

    #[test]
    fn parts_are_found_in_nested_multiparts_and_decoded() {
        let mail = mail(concat!(
            "Subject: =?utf-8?B?R3LDvMOfZQ==?=\n =?utf-8?Q?_aus_K=C3=B6ln?=\n",
            "X-Trace: one\n two\n",
            "Content-Type: multipart/mixed; boundary=outer\n\n",
            "--outer\nContent-Type: multipart/alternative; boundary=\"in ner\"\n\n",
            "--in ner\nContent-Type: text/plain; charset=utf-8\n",
            "Content-Transfer-Encoding: quoted-printable\n\n",
            "Gr=C3=BC=\n=C3=9Fe=3D\n",
            "--in ner\nContent-Type: text/html; charset=utf-8\n",
            "Content-Transfer-Encoding: base64\n\n",
            "PGI+R3LDvMOfZTwvYj4=\n",
            "--in ner--\n",
            "--outer\nContent-Type: text/plain\nContent-Disposition: attachment\n\nnot this\n",
            "--outer--\n",
        ));
        assert_eq!(mail.subject(), "Grüße aus Köln");
        assert_eq!(mail.header("x-trace").as_deref(), Some("one two"));
        assert_eq!(mail.header("X-Missing"), None);
        assert_eq!(mail.text().trim_end(), "Grüße=");
        assert_eq!(mail.html().trim_end(), "<b>Grüße</b>");
    }

    #[test]
    fn a_mail_of_one_kind_has_no_part_of_the_other() {
        let plain = mail("Subject: Hi\n\nHello\n");
        assert_eq!(
            (plain.text().trim_end(), plain.html().as_str()),
            ("Hello", "")
        );
        let html = mail("Content-Type: text/html\n\n<p>Hello</p>\n");
        assert_eq!(
            (html.text().as_str(), html.html().trim_end()),
            ("", "<p>Hello</p>")
        );
        assert_eq!(html.subject(), "");
    }
}
