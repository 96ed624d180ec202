//! The SMTP dialog by hand.

use kitward_fakes::{Behavior, Inbox};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::Outcome;

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(inbox: &Inbox) -> Outcome<Self> {
        let mut client = Self(BufReader::new(TcpStream::connect(inbox.address()).await?));
        assert_eq!(client.code().await?, "220");
        Ok(client)
    }

    async fn write(&mut self, text: &str) -> Outcome {
        Ok(self.0.get_mut().write_all(text.as_bytes()).await?)
    }

    /// The next reply: its lines, or an empty text at the end of the connection.
    async fn reply(&mut self) -> Outcome<String> {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            let read = self.0.read_line(&mut reply).await?;
            if read == 0 || reply.get(start + 3..=start + 3) != Some("-") {
                return Ok(reply);
            }
        }
    }

    async fn code(&mut self) -> Outcome<String> {
        Ok(self.reply().await?.chars().take(3).collect())
    }

    async fn say(&mut self, line: &str) -> Outcome<String> {
        self.write(&format!("{line}\r\n")).await?;
        self.code().await
    }
}

#[tokio::test]
async fn the_dialog_follows_its_order() -> Outcome {
    let inbox = Inbox::start().await?;
    let mut client = Client::connect(&inbox).await?;
    for (line, code) in [
        ("HELO client.example.com", "250"),
        ("RCPT TO:<buyer@example.com>", "503"),
        ("DATA", "503"),
        ("MAIL FROM vendor@example.com", "501"),
        ("MAIL FROM:<vendor@example.com> SIZE=99999999", "552"),
        (
            "mail from:<vendor@example.com> BODY=8BITMIME SMTPUTF8 SIZE=100",
            "250",
        ),
        ("MAIL FROM:<vendor@example.com>", "503"),
        ("DATA", "503"),
        ("RCPT TO:<>", "501"),
        ("RCPT TO:<buyer@example.com>", "250"),
        ("NOOP", "250"),
        ("RSET", "250"),
        ("DATA", "503"),
        ("VRFY buyer", "252"),
        ("STARTTLS", "502"),
        ("AUTH PLAIN x", "502"),
        ("HAVE A NICE DAY", "500"),
        ("QUIT", "221"),
    ] {
        assert_eq!(client.say(line).await?, code, "{line}");
    }
    assert_eq!(client.reply().await?, "");
    assert!(inbox.messages().is_empty());
    Ok(())
}

#[tokio::test]
async fn extensions_are_offered() -> Outcome {
    let inbox = Inbox::start().await?;
    let mut client = Client::connect(&inbox).await?;
    client.write("EHLO client.example.com\r\n").await?;
    let reply = client.reply().await?;
    for extension in ["PIPELINING", "8BITMIME", "SIZE 10485760", "SMTPUTF8"] {
        assert!(
            reply.lines().any(|line| line.get(4..) == Some(extension)),
            "{reply}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn pipelined_commands_are_answered_one_by_one() -> Outcome {
    let inbox = Inbox::start().await?;
    let mut client = Client::connect(&inbox).await?;
    client
        .write(concat!(
            "EHLO client.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n",
            "Subject: One\r\n\r\n..\r\n..dot\r\n.\n still inside\r\n.\r\n",
            "MAIL FROM:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nDATA\r\n\r\nTwo\r\n.\r\nQUIT\r\n",
        ))
        .await?;
    let mut codes = Vec::new();
    for _ in 0..9 {
        codes.push(client.code().await?);
    }
    assert_eq!(
        codes,
        [
            "250", "250", "250", "354", "250", "250", "250", "354", "250"
        ]
    );
    let mails = inbox.messages();
    let raws: Vec<&str> = mails.iter().map(|mail| mail.raw.as_str()).collect();
    assert_eq!(
        raws,
        [
            "Subject: One\r\n\r\n.\r\n.dot\r\n\n still inside\r\n",
            "\r\nTwo\r\n"
        ]
    );
    assert_eq!(mails.first().map(|mail| mail.from.as_str()), Some(""));
    Ok(())
}

#[tokio::test]
async fn long_lines_and_large_messages_are_refused() -> Outcome {
    let inbox = Inbox::start().await?;
    let mut client = Client::connect(&inbox).await?;
    assert_eq!(client.say(&"x".repeat(5000)).await?, "500");
    let longest = "x".repeat(998);
    let too_long = "x".repeat(999);
    let too_large = format!("{longest}\r\n").repeat(10_500);
    for (text, code) in [
        (format!("{longest}\r\n.{}", &longest), "250"),
        (too_long, "500"),
        ("x".repeat(100_000), "500"),
        (too_large, "552"),
    ] {
        assert_eq!(client.say("MAIL FROM:<a@example.com>").await?, "250");
        assert_eq!(client.say("RCPT TO:<b@example.com>").await?, "250");
        assert_eq!(client.say("DATA").await?, "354");
        assert_eq!(client.say(&format!("\r\n{text}\r\n.")).await?, code);
    }
    assert_eq!(inbox.messages().len(), 1);
    Ok(())
}

#[tokio::test]
async fn behavior_changes_within_an_open_connection() -> Outcome {
    let inbox = Inbox::start().await?;
    let mut client = Client::connect(&inbox).await?;
    inbox.set_behavior(Behavior::Refuse(451));
    assert_eq!(client.say("MAIL FROM:<a@example.com>").await?, "451");
    inbox.set_behavior(Behavior::Accept);
    assert_eq!(client.say("MAIL FROM:<a@example.com>").await?, "250");
    assert_eq!(client.say("RCPT TO:<b@example.com>").await?, "250");
    inbox.stop();
    let after_stop = client.say("NOOP").await;
    assert!(after_stop.is_err() || after_stop.is_ok_and(|code| code.is_empty()));
    Ok(())
}
