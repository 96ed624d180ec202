//! The way to the mail server.

use std::net::IpAddr;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::{AsyncSmtpTransport, Error as SmtpError};
use lettre::{AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use url::Url;

use crate::config::MailConfig;
use crate::outbox::{Failure, OutboxId};

/// Sends mails over SMTP.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    /// Right side of Message-IDs.
    host: String,
    /// For the whole attempt: the transport's own covers connecting only.
    timeout: Duration,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer")
            .field("from", &self.from.to_string())
            .finish_non_exhaustive()
    }
}

/// Why mail could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MailSetupError {
    /// A field is refused.
    #[error("{0}: {1}")]
    Field(&'static str, String),
}

/// A mail without its envelope.
#[derive(Debug)]
pub struct Letter {
    /// Who gets it.
    pub to: String,
    /// Subject, one line.
    pub subject: String,
    /// Plain part.
    pub text: String,
    /// HTML part.
    pub html: String,
    /// Where one click switches such mails off, for those somebody may do without.
    pub unsubscribe: Option<String>,
}

/// Checks the fields that [`Mailer::from_config`] will need; names the first that is refused.
pub fn check(config: &MailConfig) -> Result<(), (&'static str, String)> {
    mailbox("mail.from", &config.from)?;
    if let Some(reply_to) = &config.reply_to {
        mailbox("mail.reply_to", reply_to)?;
    }
    transport(config).map(|_transport| ())
}

fn mailbox(field: &'static str, text: &str) -> Result<Mailbox, (&'static str, String)> {
    text.parse()
        .map_err(|_refused| (field, "is not a mail address".to_owned()))
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(config: &MailConfig) -> Result<Option<Transport>, (&'static str, String)> {
    let Some(secret) = &config.smtp_url else {
        return Ok(None);
    };
    let refuse = |reason: &str| Err(("mail.smtp_url", reason.to_owned()));
    let Ok(url) = Url::parse(secret.expose_secret()) else {
        return refuse("is not a URL");
    };
    let encrypted = url.scheme() == "smtps"
        || url
            .query_pairs()
            .any(|(k, v)| k == "tls" && v == "required");
    let host = url.host_str().unwrap_or_default();
    let address: Result<IpAddr, _> = host.trim_matches(['[', ']']).parse();
    let loopback = host == "localhost" || address.is_ok_and(|ip| ip.is_loopback());
    if !encrypted && !loopback {
        return refuse(
            "must use TLS (smtps://, or smtp://…?tls=required) unless the host is local",
        );
    }
    // The error of the library repeats the URL, which holds the password.
    let Ok(builder) = Transport::from_url(secret.expose_secret()) else {
        return refuse("must look like smtps://user:password@host:port");
    };
    let timeout = Duration::from_secs(config.timeout_seconds);
    Ok(Some(builder.timeout(Some(timeout)).build()))
}

impl Mailer {
    /// The mailer, if a server is configured.
    pub fn from_config(
        config: &MailConfig,
        public_url: &Url,
    ) -> Result<Option<Self>, MailSetupError> {
        let field = |(name, reason)| MailSetupError::Field(name, reason);
        let Some(transport) = transport(config).map_err(field)? else {
            return Ok(None);
        };
        let from = mailbox("mail.from", &config.from).map_err(field)?;
        let reply_to = config.reply_to.as_deref();
        let reply_to = reply_to
            .map(|text| mailbox("mail.reply_to", text))
            .transpose();
        Ok(Some(Self {
            transport,
            from,
            reply_to: reply_to.map_err(field)?,
            host: public_url.host_str().unwrap_or("localhost").to_owned(),
            timeout: Duration::from_secs(config.timeout_seconds),
        }))
    }

    /// Sends one mail. Its Message-ID is made from the outbox row, so that a repeated delivery is
    /// recognizable as the same mail.
    pub async fn send(&self, row: &OutboxId, letter: Letter) -> Result<(), Failure> {
        let never = |reason: &str| Failure::Never(reason.to_owned());
        let to: Mailbox = letter
            .to
            .parse()
            .map_err(|_refused| never("the recipient is not a mail address"))?;
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .message_id(Some(format!("<{row}@{}>", self.host)))
            .header(AutoSubmitted)
            .subject(letter.subject);
        if let Some(reply_to) = &self.reply_to {
            message = message.reply_to(reply_to.clone());
        }
        if let Some(address) = letter.unsubscribe {
            message = message
                .header(ListUnsubscribe(address))
                .header(ListUnsubscribePost);
        }
        let parts = MultiPart::alternative_plain_html(letter.text, letter.html);
        let message = message
            .multipart(parts)
            .map_err(|_refused| never("the mail could not be built"))?;
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_accepted)) => Ok(()),
            // A refusal for good (5xx) is tried again as well: most are mistakes of a set-up.
            // What the server says often names the address: it would stand in logs and lists.
            Ok(Err(error)) => Err(Failure::Retry(match error.status() {
                Some(code) => format!("the mail server answered {code}"),
                None => "the mail server could not be talked to".to_owned(),
            })),
            Err(_elapsed) => Err(Failure::Retry("the mail server does not answer".to_owned())),
        }
    }

    /// Whether the server answers, for `doctor`.
    pub async fn ping(&self) -> Result<bool, SmtpError> {
        match tokio::time::timeout(self.timeout, self.transport.test_connection()).await {
            Ok(answer) => answer,
            Err(_elapsed) => Ok(false),
        }
    }
}

/// RFC 3834: keeps vacation notices away.
#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        let value = "auto-generated".to_owned();
        lettre::message::header::HeaderValue::new(Self::name(), value)
    }
}

/// RFC 2369, with the one click of RFC 8058 below.
#[derive(Clone)]
struct ListUnsubscribe(String);

impl lettre::message::header::Header for ListUnsubscribe {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.trim_matches(['<', '>']).to_owned()))
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), format!("<{}>", self.0))
    }
}

/// RFC 8058: mail programs may POST there by themselves.
#[derive(Clone)]
struct ListUnsubscribePost;

impl lettre::message::header::Header for ListUnsubscribePost {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        let value = "List-Unsubscribe=One-Click".to_owned();
        lettre::message::header::HeaderValue::new(Self::name(), value)
    }
}
