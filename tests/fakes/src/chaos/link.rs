//! One connection through the proxy.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::proxy::Weather;

const CHUNK: usize = 16 * 1024;
/// How many chunks may be under way in one direction.
const CHUNKS_UNDER_WAY: usize = 64;

/// Passes bytes between a client and `target` until either leaves or the line is cut.
pub(super) async fn link(
    mut client: TcpStream,
    target: SocketAddr,
    weather: watch::Receiver<Weather>,
    cuts: u64,
) {
    let mut line = weather.clone();
    let mut cut = pin!(async move {
        line.wait_for(|now| now.cut || now.cuts != cuts)
            .await
            .is_ok()
    });
    let connected = tokio::select! {
        // A line that is down carries nothing: look at it first.
        biased;
        _ = &mut cut => None,
        connected = TcpStream::connect(target) => connected.ok(),
    };
    let Some(mut server) = connected else {
        return reset(&client);
    };
    let passed = tokio::select! {
        biased;
        _ = &mut cut => false,
        passed = pass(&mut client, &mut server, &weather) => passed.is_ok(),
    };
    if !passed {
        reset(&client);
        reset(&server);
    }
}

/// Makes the end of the connection a reset instead of an orderly end.
fn reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "connection ends without a reset");
    }
}

async fn pass(
    client: &mut TcpStream,
    server: &mut TcpStream,
    weather: &watch::Receiver<Weather>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_reader, client_writer) = client.split();
    let (server_reader, server_writer) = server.split();
    tokio::try_join!(
        one_way(client_reader, server_writer, weather.clone()),
        one_way(server_reader, client_writer, weather.clone()),
    )?;
    Ok(())
}

/// Reads without waiting for the writer, so that latency delays but does not slow down.
async fn one_way<R, W>(from: R, to: W, weather: watch::Receiver<Weather>) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (sender, receiver) = mpsc::channel(CHUNKS_UNDER_WAY);
    let line = weather.clone();
    tokio::try_join!(read(from, sender, line), write(to, receiver, weather))?;
    Ok(())
}

async fn read<R>(
    mut from: R,
    under_way: mpsc::Sender<(Instant, Vec<u8>)>,
    weather: watch::Receiver<Weather>,
) -> io::Result<()>
where
    R: AsyncRead + Unpin,
{
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        if from.read_buf(&mut chunk).await? == 0 {
            return Ok(());
        }
        let due = Instant::now() + weather.borrow().latency;
        if under_way.send((due, chunk)).await.is_err() {
            return Ok(());
        }
    }
}

async fn write<W>(
    mut to: W,
    mut under_way: mpsc::Receiver<(Instant, Vec<u8>)>,
    mut weather: watch::Receiver<Weather>,
) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    while let Some((due, chunk)) = under_way.recv().await {
        sleep_until(due).await;
        thaw(&mut weather).await;
        to.write_all(&chunk).await?;
    }
    thaw(&mut weather).await;
    to.shutdown().await
}

/// Waits while the line is frozen; without an owner it stays as it is.
async fn thaw(weather: &mut watch::Receiver<Weather>) {
    let owned = weather.wait_for(|now| !now.frozen).await.is_ok();
    if !owned {
        std::future::pending::<()>().await;
    }
}
