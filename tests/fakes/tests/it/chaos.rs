use std::net::SocketAddr;
use std::time::{Duration, Instant};

use kitward_fakes::{ChaosProxy, Inbox};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::Outcome;

const MOMENT: Duration = Duration::from_millis(100);

/// A server that sends back what it gets.
async fn echo() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
    });
    Ok(address)
}

async fn ask(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"ping").await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"ping");
    Ok(())
}

async fn ask_anew(proxy: &ChaosProxy) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(proxy.address()).await?;
    ask(&mut stream).await?;
    Ok(stream)
}

#[tokio::test]
async fn everything_passes_in_good_weather() -> Outcome {
    let proxy = ChaosProxy::start(echo().await?).await?;
    let mut stream = TcpStream::connect(proxy.address()).await?;
    let expected: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let (mut reader, mut writer) = stream.split();
    let bytes = expected.clone();
    let send = async move {
        writer.write_all(&bytes).await?;
        writer.shutdown().await
    };
    let mut received = Vec::new();
    tokio::try_join!(send, reader.read_to_end(&mut received))?;
    assert!(
        received == expected,
        "{} of {} bytes came back",
        received.len(),
        expected.len()
    );
    Ok(())
}

#[tokio::test]
async fn a_cut_resets_what_is_open_and_what_is_new() -> Outcome {
    let proxy = ChaosProxy::start(echo().await?).await?;
    let mut open = ask_anew(&proxy).await?;
    proxy.cut();
    assert!(ask(&mut open).await.is_err());
    assert!(ask_anew(&proxy).await.is_err());
    assert!(ask_anew(&proxy.clone()).await.is_err());
    proxy.restore();
    assert!(ask(&mut open).await.is_err());
    ask_anew(&proxy).await?;
    Ok(())
}

#[tokio::test]
async fn a_short_cut_is_not_missed() -> Outcome {
    let proxy = ChaosProxy::start(echo().await?).await?;
    let mut open = ask_anew(&proxy).await?;
    proxy.cut();
    proxy.restore();
    let end = timeout(Duration::from_secs(5), open.read_u8()).await?;
    assert_eq!(
        end.err().map(|error| error.kind()),
        Some(std::io::ErrorKind::ConnectionReset)
    );
    ask_anew(&proxy).await?;
    Ok(())
}

#[tokio::test]
async fn latency_delays_each_direction() -> Outcome {
    let proxy = ChaosProxy::start(echo().await?).await?;
    let mut stream = ask_anew(&proxy).await?;
    proxy.set_latency(MOMENT);
    let start = Instant::now();
    ask(&mut stream).await?;
    assert!(start.elapsed() >= 2 * MOMENT);
    proxy.set_latency(Duration::from_hours(1));
    assert!(timeout(MOMENT, ask_anew(&proxy)).await.is_err());
    proxy.set_latency(Duration::ZERO);
    timeout(Duration::from_mins(1), ask(&mut stream)).await??;
    Ok(())
}

#[tokio::test]
async fn a_frozen_line_holds_the_bytes_until_it_thaws() -> Outcome {
    let proxy = ChaosProxy::start(echo().await?).await?;
    let mut stream = ask_anew(&proxy).await?;
    proxy.freeze(true);
    assert!(timeout(MOMENT, ask_anew(&proxy)).await.is_err());
    stream.write_all(b"ping").await?;
    let mut answer = [0; 4];
    assert!(
        timeout(MOMENT, stream.read_exact(&mut answer))
            .await
            .is_err()
    );
    proxy.freeze(false);
    timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await??;
    assert_eq!(&answer, b"ping");
    proxy.freeze(true);
    proxy.cut();
    assert!(
        timeout(Duration::from_secs(5), ask(&mut stream))
            .await?
            .is_err()
    );
    Ok(())
}

#[tokio::test]
async fn a_target_that_is_gone_is_a_reset() -> Outcome {
    let free = TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?;
    let proxy = ChaosProxy::start(free).await?;
    assert!(ask_anew(&proxy).await.is_err());
    let address = proxy.address();
    drop(proxy);
    for _ in 0..500 {
        if TcpStream::connect(address).await.is_err() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("the port is still open".into())
}

#[tokio::test]
async fn mail_fails_while_its_line_is_cut() -> Outcome {
    let inbox = Inbox::start().await?;
    let proxy = ChaosProxy::start(inbox.address()).await?;
    let url = format!("smtp://{}", proxy.address());
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)?.build();
    let mail = Message::builder()
        .from("vendor@example.com".parse()?)
        .to("buyer@example.com".parse()?)
        .body("Hello".to_owned())?;
    proxy.cut();
    assert!(transport.send(mail.clone()).await.is_err());
    proxy.restore();
    transport.send(mail).await?;
    assert_eq!(inbox.messages().len(), 1);
    Ok(())
}
