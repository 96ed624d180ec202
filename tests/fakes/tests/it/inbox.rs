use std::time::{Duration, Instant};

use kitward_fakes::{Behavior, Inbox};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::{Error, response::Response};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::Outcome;

const TEXT: &str = "Grüße,\r\n.\r\n..two dots\r\n.dot\r\nyour key: KW-1 \u{1f511}\r\n";
const HTML: &str = "<p>Grüße</p>";

fn mail() -> Outcome<Message> {
    let from: Mailbox = "Vendor <vendor@example.com>".parse()?;
    Ok(Message::builder()
        .from(from)
        .to("buyer@example.com".parse()?)
        .cc("second@example.com".parse()?)
        .subject("Ihr Schlüssel für das Kit")
        .multipart(MultiPart::alternative_plain_html(
            TEXT.to_owned(),
            HTML.to_owned(),
        ))?)
}

async fn send(inbox: &Inbox) -> Outcome<Result<Response, Error>> {
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&inbox.smtp_url())?
        .timeout(Some(Duration::from_millis(500)))
        .build();
    Ok(transport.send(mail()?).await)
}

async fn started(behavior: Behavior) -> Outcome<Inbox> {
    let inbox = Inbox::start().await?;
    inbox.set_behavior(behavior);
    Ok(inbox)
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() -> Outcome {
    let inbox = started(Behavior::Accept).await?;
    assert!(send(&inbox).await??.is_positive());
    let mails = inbox
        .wait_for(1, Duration::from_secs(5))
        .await
        .ok_or("no mail")?;
    let mail = mails.first().ok_or("no mail")?;
    assert_eq!(mail.from, "vendor@example.com");
    assert_eq!(mail.to, ["buyer@example.com", "second@example.com"]);
    assert_eq!(mail.subject(), "Ihr Schlüssel für das Kit");
    assert_eq!(
        mail.header("from").as_deref(),
        Some("Vendor <vendor@example.com>")
    );
    assert_eq!(mail.text().trim_end(), TEXT.trim_end());
    assert_eq!(mail.html().trim_end(), HTML);
    assert_eq!(inbox.connections(), 1);
    inbox.clear();
    assert!(inbox.messages().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_refusal_is_for_now_or_for_good() -> Outcome {
    let inbox = started(Behavior::Refuse(451)).await?;
    let later = send(&inbox).await?.err().ok_or("taken")?;
    assert!(later.is_transient(), "{later:?}");
    inbox.set_behavior(Behavior::Refuse(550));
    let never = send(&inbox).await?.err().ok_or("taken")?;
    assert!(never.is_permanent(), "{never:?}");
    inbox.set_behavior(Behavior::RefuseRecipient(550));
    let recipient = send(&inbox).await?.err().ok_or("taken")?;
    assert!(recipient.is_permanent(), "{recipient:?}");
    inbox.set_behavior(Behavior::RefuseRecipient(452));
    let recipient = send(&inbox).await?.err().ok_or("taken")?;
    assert!(recipient.is_transient(), "{recipient:?}");
    assert!(inbox.messages().is_empty());
    assert_eq!(inbox.connections(), 4);
    Ok(())
}

#[tokio::test]
async fn a_silent_server_makes_the_client_wait_for_its_own_time_limit() -> Outcome {
    let inbox = started(Behavior::HangAtBanner).await?;
    // The transport's own limit covers connecting only, not the wait for a reply.
    let sending = tokio::time::timeout(Duration::from_millis(700), send(&inbox)).await;
    assert!(sending.is_err());
    assert_eq!(inbox.connections(), 1);
    assert!(inbox.messages().is_empty());
    Ok(())
}

#[tokio::test]
async fn a_lost_reply_looks_like_a_failure_though_the_mail_was_kept() -> Outcome {
    let inbox = started(Behavior::DropAfterData).await?;
    let error = send(&inbox).await?.err().ok_or("the client was told")?;
    assert!(!error.is_permanent(), "{error:?}");
    let mails = inbox
        .wait_for(1, Duration::from_secs(5))
        .await
        .ok_or("no mail")?;
    assert_eq!(
        mails.first().map(|mail| mail.html().trim_end() == HTML),
        Some(true)
    );
    Ok(())
}

#[tokio::test]
async fn a_connection_closed_before_the_message_keeps_nothing() -> Outcome {
    let inbox = started(Behavior::CloseBeforeData).await?;
    let error = send(&inbox).await?.err().ok_or("taken")?;
    assert!(!error.is_permanent(), "{error:?}");
    assert!(inbox.messages().is_empty());
    inbox.set_behavior(Behavior::Accept);
    assert!(send(&inbox).await?.is_ok());
    Ok(())
}

#[tokio::test]
async fn a_slow_server_takes_the_mail_in_the_end() -> Outcome {
    let inbox = started(Behavior::Slow(Duration::from_millis(20))).await?;
    let start = Instant::now();
    assert!(send(&inbox).await?.is_ok());
    // Banner, EHLO, MAIL, two RCPT, DATA and the message: seven replies.
    assert!(start.elapsed() >= Duration::from_millis(140));
    assert_eq!(inbox.messages().len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_stopped_inbox_comes_back_on_its_port() -> Outcome {
    let inbox = Inbox::start().await?;
    assert!(send(&inbox).await?.is_ok());
    let address = inbox.address();
    inbox.stop();
    let again = Inbox::start_at(address).await?;
    assert_eq!(again.address(), address);
    assert!(send(&again).await?.is_ok());
    assert_eq!((inbox.messages().len(), again.messages().len()), (1, 1));
    drop(again);
    for _ in 0..500 {
        if send(&inbox).await?.is_err() {
            return Ok(());
        }
    }
    Err("the port is still open".into())
}

#[tokio::test]
async fn waiting_ends_with_the_mail_or_the_time() -> Outcome {
    let inbox = Inbox::start().await?;
    assert!(inbox.wait_for(1, Duration::from_millis(20)).await.is_none());
    assert_eq!(inbox.wait_for(0, Duration::ZERO).await, Some(Vec::new()));
    let waiting = inbox.clone();
    let patience = Duration::from_secs(5);
    let mails = tokio::spawn(async move { waiting.wait_for(2, patience).await });
    send(&inbox).await??;
    send(&inbox).await??;
    assert_eq!(mails.await?.map(|mails| mails.len()), Some(2));
    Ok(())
}

#[tokio::test]
async fn an_inbox_is_for_this_machine_only() {
    let everywhere = ([0, 0, 0, 0], 0).into();
    let error = Inbox::start_at(everywhere)
        .await
        .err()
        .map(|error| error.kind());
    assert_eq!(error, Some(std::io::ErrorKind::InvalidInput));
}
