//! The owner of a proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep;

use super::link::link;
use crate::loopback;

/// The weather on the line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weather {
    /// New connections are reset.
    pub(super) cut: bool,
    /// How often the line was cut; a connection does not outlive the count it started with.
    pub(super) cuts: u64,
    /// Bytes wait.
    pub(super) frozen: bool,
    /// Each byte arrives this much later.
    pub(super) latency: Duration,
}

#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A TCP proxy on 127.0.0.1 for "the database, the mail server, the storage is gone".
/// Clones share one proxy; it stops when the last one is dropped.
#[derive(Debug, Clone)]
pub struct ChaosProxy {
    address: SocketAddr,
    weather: Arc<watch::Sender<Weather>>,
    _task: Arc<Task>,
}

impl ChaosProxy {
    /// Starts on a free port, passing everything to `target` until told otherwise.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(loopback::ANY_PORT).await?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::default());
        let task = tokio::spawn(accept(listener, target, seen)).abort_handle();
        Ok(Self {
            address,
            weather: Arc::new(weather),
            _task: Arc::new(Task(task)),
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets the open connections, and every new one until [`ChaosProxy::restore`].
    ///
    /// The port stays in the proxy's hands, so a new connection is accepted and reset at once.
    pub fn cut(&self) {
        self.weather.send_modify(|weather| {
            weather.cut = true;
            weather.cuts += 1;
        });
    }

    /// Lets new connections pass again.
    pub fn restore(&self) {
        self.weather.send_modify(|weather| weather.cut = false);
    }

    /// Delays what passes from now on, in each direction.
    pub fn set_latency(&self, latency: Duration) {
        self.weather
            .send_modify(|weather| weather.latency = latency);
    }

    /// While frozen, connections open and stay open but no byte passes; thawing passes them on.
    pub fn freeze(&self, frozen: bool) {
        self.weather.send_modify(|weather| weather.frozen = frozen);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, weather: watch::Receiver<Weather>) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    let cuts = weather.borrow().cuts;
                    links.spawn(link(client, target, weather.clone(), cuts));
                }
                Err(error) => {
                    tracing::warn!(%error, "proxy cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = links.join_next() => {}
        }
    }
}
