use std::net::SocketAddr;

use kitward_fakes::Inbox;
use lettre::message::{Body, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::{Outcome, http};

async fn get(address: SocketAddr, path: &str) -> Outcome<http::Answer> {
    http::get(address, path, &format!("Host: {address}\r\n")).await
}

async fn inbox_with_one_mail() -> Outcome<Inbox> {
    let inbox = Inbox::start().await?;
    let text = "Sign in: https://example.com/in?a=1&b=2\r\n<b>not bold</b>\r\n";
    let html = "<p>Sign in<script>alert(1)</script></p>";
    let mail = Message::builder()
        .from("vendor@example.com".parse()?)
        .to("buyer@example.com".parse()?)
        .subject("Sign in <now>")
        .multipart(MultiPart::alternative_plain_html(
            text.to_owned(),
            html.to_owned(),
        ))?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&inbox.smtp_url())?.build();
    transport.send(mail).await?;
    let plain = Message::builder()
        .from("vendor@example.com".parse()?)
        .to("buyer@example.com".parse()?)
        .body(Body::new("Plain".to_owned()))?;
    transport.send(plain).await?;
    Ok(inbox)
}

#[tokio::test]
async fn mails_are_listed_and_shown() -> Outcome {
    let inbox = inbox_with_one_mail().await?;
    let address = inbox.serve_web()?;
    assert!(address.ip().is_loopback());

    let list = get(address, "/").await?;
    assert_eq!(list.status, "200");
    assert!(
        list.body.contains("<a href=\"/1\">Sign in &lt;now&gt;</a>"),
        "{}",
        list.body
    );
    assert!(
        list.body.contains("<a href=\"/2\">(no subject)</a>"),
        "{}",
        list.body
    );

    let text = get(address, "/1").await?;
    assert!(
        text.body
            .contains("href=\"https://example.com/in?a=1&amp;b=2\""),
        "{}",
        text.body
    );
    assert!(
        text.body.contains("&lt;b&gt;not bold&lt;/b&gt;"),
        "{}",
        text.body
    );
    assert!(text.body.contains("/1.html"));
    assert!(!get(address, "/2").await?.body.contains("/2.html"));

    let source = get(address, "/1.eml").await?;
    assert!(
        source
            .head
            .contains("content-type: text/plain; charset=utf-8"),
        "{}",
        source.head
    );
    assert_eq!(
        Some(&source.body),
        inbox.messages().first().map(|mail| &mail.raw)
    );
    Ok(())
}

#[tokio::test]
async fn a_mails_html_is_shown_without_scripts() -> Outcome {
    let inbox = inbox_with_one_mail().await?;
    let html = get(inbox.serve_web()?, "/1.html").await?;
    assert!(html.body.contains("<p>Sign in"));
    assert!(
        html.head
            .contains("content-security-policy: default-src 'none';"),
        "{}",
        html.head
    );
    assert!(html.head.contains("; sandbox"), "{}", html.head);
    assert!(!html.head.contains("script-src") && !html.head.contains("allow-scripts"));
    assert!(
        html.head.contains("x-content-type-options: nosniff"),
        "{}",
        html.head
    );
    Ok(())
}

#[tokio::test]
async fn unknown_pages_and_foreign_hosts_get_nothing() -> Outcome {
    let inbox = inbox_with_one_mail().await?;
    let address = inbox.serve_web()?;
    for path in ["/0", "/3", "/x", "/1.exe", "/1.html.html", "/-1"] {
        assert_eq!(get(address, path).await?.status, "404", "{path}");
    }
    for path in ["/", "/1", "/1.eml"] {
        let foreign = http::get(address, path, "Host: rebound.example.com\r\n").await?;
        assert_eq!(foreign.status, "421", "{path}");
        assert!(!foreign.body.contains("example.com"));
    }
    let local = format!("Host: localhost:{}\r\n", address.port());
    assert_eq!(http::get(address, "/", &local).await?.status, "200");
    Ok(())
}
