//! One SMTP conversation (RFC 5321), from the banner to the end.

use std::io;

use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::behavior::Behavior;
use super::lines::{Line, read_line};
use super::mail::Mail;
use super::server::State;

/// Commands are short; a client that sends more is broken.
const COMMAND_LIMIT: usize = 2048;
/// Length of a line of a message, its end included (RFC 5321, 4.5.3.1.6).
const TEXT_LIMIT: usize = 1000;
const MESSAGE_LIMIT: usize = 10 * 1024 * 1024;
const RECIPIENT_LIMIT: usize = 100;

/// Whether the conversation goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Command,
    Close,
}

/// The sender and recipients of the mail at hand.
struct Envelope {
    from: String,
    to: Vec<String>,
}

/// A message up to its final dot.
enum Content {
    Whole(Vec<u8>),
    TooLarge,
    LineTooLong,
    Cut,
}

pub(super) struct Dialog<'a> {
    stream: BufReader<TcpStream>,
    state: &'a State,
    envelope: Option<Envelope>,
}

impl<'a> Dialog<'a> {
    pub(super) fn new(stream: TcpStream, state: &'a State) -> Self {
        Self {
            stream: BufReader::new(stream),
            state,
            envelope: None,
        }
    }

    /// Talks until the client leaves or the behavior closes the connection.
    pub(super) async fn run(mut self) -> io::Result<()> {
        if self.state.behavior() == Behavior::HangAtBanner {
            while read_line(&mut self.stream, COMMAND_LIMIT).await? != Line::End {}
            return Ok(());
        }
        self.reply("220 inbox.invalid ESMTP").await?;
        loop {
            let next = match read_line(&mut self.stream, COMMAND_LIMIT).await? {
                Line::End => Next::Close,
                Line::TooLong => self.reply("500 5.5.6 Line too long").await?,
                Line::Whole(line) => self.command(String::from_utf8_lossy(&line).trim()).await?,
            };
            if next == Next::Close {
                return Ok(());
            }
        }
    }

    async fn reply(&mut self, text: &str) -> io::Result<Next> {
        if let Behavior::Slow(pause) = self.state.behavior() {
            tokio::time::sleep(pause).await;
        }
        let stream = self.stream.get_mut();
        stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        stream.flush().await?;
        Ok(Next::Command)
    }

    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => self.hello(true).await,
            "HELO" => self.hello(false).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.recipient(rest).await,
            "DATA" => self.data().await,
            "RSET" => {
                self.envelope = None;
                self.reply("250 2.0.0 Forgotten").await
            }
            "NOOP" => self.reply("250 2.0.0 Still here").await,
            "VRFY" => {
                self.reply("252 2.5.0 Send some mail, it will be taken")
                    .await
            }
            "QUIT" => {
                self.reply("221 2.0.0 Bye").await?;
                Ok(Next::Close)
            }
            "AUTH" | "STARTTLS" | "EXPN" | "HELP" => self.reply("502 5.5.1 Not implemented").await,
            _ => self.reply("500 5.5.2 Unknown command").await,
        }
    }

    async fn hello(&mut self, extended: bool) -> io::Result<Next> {
        self.envelope = None;
        if !extended {
            return self.reply("250 inbox.invalid").await;
        }
        let extensions = format!(
            "250-inbox.invalid\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE {MESSAGE_LIMIT}\r\n\
             250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8"
        );
        self.reply(&extensions).await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<Next> {
        let Some((from, parameters)) = path(rest, "FROM") else {
            return self.reply("501 5.5.4 Syntax: MAIL FROM:<address>").await;
        };
        if self.envelope.is_some() {
            return self.reply("503 5.5.1 A mail is under way").await;
        }
        if let Behavior::Refuse(code) = self.state.behavior() {
            return self.reply(&refusal(code, "7.1", "Mail refused")).await;
        }
        if declared_size(parameters).is_some_and(|size| size > MESSAGE_LIMIT) {
            return self.reply("552 5.3.4 Message too large").await;
        }
        self.envelope = Some(Envelope {
            from: from.to_owned(),
            to: Vec::new(),
        });
        self.reply("250 2.1.0 Sender taken").await
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<Next> {
        let behavior = self.state.behavior();
        let Some(envelope) = &mut self.envelope else {
            return self.reply("503 5.5.1 MAIL comes first").await;
        };
        let reply = match path(rest, "TO") {
            None | Some(("", _)) => "501 5.5.4 Syntax: RCPT TO:<address>".to_owned(),
            Some((to, _)) => match behavior {
                Behavior::RefuseRecipient(code) => refusal(code, "1.1", "Recipient refused"),
                _ if envelope.to.len() >= RECIPIENT_LIMIT => {
                    "452 4.5.3 Too many recipients".to_owned()
                }
                _ => {
                    envelope.to.push(to.to_owned());
                    "250 2.1.5 Recipient taken".to_owned()
                }
            },
        };
        self.reply(&reply).await
    }

    async fn data(&mut self) -> io::Result<Next> {
        if self
            .envelope
            .as_ref()
            .is_none_or(|envelope| envelope.to.is_empty())
        {
            return self.reply("503 5.5.1 RCPT comes first").await;
        }
        if self.state.behavior() == Behavior::CloseBeforeData {
            return Ok(Next::Close);
        }
        self.reply("354 End with a dot on a line of its own")
            .await?;
        let content = self.content().await?;
        let envelope = self.envelope.take();
        match (content, envelope) {
            (Content::Cut, _) | (_, None) => Ok(Next::Close),
            (Content::TooLarge, _) => self.reply("552 5.3.4 Message too large").await,
            (Content::LineTooLong, _) => self.reply("500 5.6.0 Line of the message too long").await,
            (Content::Whole(raw), Some(Envelope { from, to })) => {
                let raw = String::from_utf8_lossy(&raw).into_owned();
                self.state.keep(Mail { from, to, raw });
                match self.state.behavior() {
                    Behavior::DropAfterData => return Ok(Next::Close),
                    Behavior::HangAfterData => std::future::pending().await,
                    _ => {}
                }
                self.reply("250 2.0.0 Kept").await
            }
        }
    }

    /// Reads the message to its end even when it cannot be kept.
    async fn content(&mut self) -> io::Result<Content> {
        let mut raw = Vec::new();
        let mut long_line = false;
        let mut too_large = false;
        loop {
            // One byte more than the limit, for the dot that hides a dot.
            match read_line(&mut self.stream, TEXT_LIMIT + 1).await? {
                Line::End => return Ok(Content::Cut),
                Line::TooLong => long_line = true,
                Line::Whole(line) if line == b".\r\n" => break,
                Line::Whole(line) => {
                    let line = line.strip_prefix(b".").unwrap_or(&line);
                    long_line |= line.len() > TEXT_LIMIT;
                    too_large |= raw.len() + line.len() > MESSAGE_LIMIT;
                    if !too_large {
                        raw.extend_from_slice(line);
                    }
                }
            }
        }
        Ok(match (too_large, long_line) {
            (true, _) => Content::TooLarge,
            (false, true) => Content::LineTooLong,
            (false, false) => Content::Whole(raw),
        })
    }
}

fn refusal(code: u16, detail: &str, text: &str) -> String {
    format!("{code} {}.{detail} {text}", code / 100)
}

/// Splits `FROM:<address> PARAMETERS` into the address and the parameters.
fn path<'t>(rest: &'t str, keyword: &str) -> Option<(&'t str, &'t str)> {
    let (given, rest) = rest.split_once(':')?;
    let (address, parameters) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    given
        .trim()
        .eq_ignore_ascii_case(keyword)
        .then_some((address, parameters.trim()))
}

fn declared_size(parameters: &str) -> Option<usize> {
    let mut words = parameters.split_ascii_whitespace();
    words.find_map(|word| {
        let (name, value) = word.split_once('=')?;
        name.eq_ignore_ascii_case("SIZE")
            .then_some(value)?
            .parse()
            .ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{declared_size, path};

    #[test]
    fn addresses_and_parameters_are_told_apart() {
        assert_eq!(
            path("from:<a@example.com> SIZE=12 BODY=8BITMIME", "FROM"),
            Some(("a@example.com", "SIZE=12 BODY=8BITMIME"))
        );
        assert_eq!(path("FROM: <>", "FROM"), Some(("", "")));
        assert_eq!(path("TO:<a@example.com>", "FROM"), None);
        assert_eq!(path("FROM:a@example.com", "FROM"), None);
        assert_eq!(declared_size("BODY=8BITMIME size=12"), Some(12));
        assert_eq!(declared_size("SIZE=many"), None);
    }
}
