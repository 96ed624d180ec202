//! The owner of an inbox.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use super::behavior::Behavior;
use super::dialog::Dialog;
use super::mail::Mail;
use super::web;
use crate::loopback::{self, Running};

/// How long [`Inbox::start_at`] waits for a port that is just being closed.
const PORT_PATIENCE: Duration = Duration::from_secs(5);

/// What the conversations share with the owner.
#[derive(Debug, Default)]
pub(super) struct State {
    mails: watch::Sender<Vec<Mail>>,
    behavior: watch::Sender<Behavior>,
    connections: AtomicUsize,
}

impl State {
    pub(super) fn behavior(&self) -> Behavior {
        self.behavior.borrow().clone()
    }

    pub(super) fn keep(&self, mail: Mail) {
        self.mails.send_modify(|mails| mails.push(mail));
    }

    pub(super) fn mails(&self) -> Vec<Mail> {
        self.mails.borrow().clone()
    }
}

/// What ends with the last clone.
#[derive(Debug)]
struct Tasks {
    smtp: AbortHandle,
    web: Mutex<Vec<Running>>,
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.smtp.abort();
    }
}

/// An SMTP server on 127.0.0.1 that keeps every mail. Clones share one server; it stops when
/// the last one is dropped, or with the runtime that started it.
#[derive(Debug, Clone)]
pub struct Inbox {
    state: Arc<State>,
    address: SocketAddr,
    tasks: Arc<Tasks>,
}

impl Inbox {
    /// Starts on a free port.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(loopback::ANY_PORT).await
    }

    /// Starts at a given address, to come back on the port of an inbox that was stopped.
    ///
    /// Anything but a loopback address is refused.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        if !address.ip().is_loopback() {
            let reason = "an inbox listens on the loopback interface only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let listener = bind(address).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let smtp = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        let tasks = Arc::new(Tasks {
            smtp,
            web: Mutex::default(),
        });
        Ok(Self {
            state,
            address,
            tasks,
        })
    }

    /// Closes the port and all connections, whoever else holds a clone. The mails stay readable.
    pub fn stop(&self) {
        self.tasks.smtp.abort();
    }

    /// `smtp://127.0.0.1:PORT`
    pub fn smtp_url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Where the SMTP server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how clients are treated from now on.
    pub fn set_behavior(&self, behavior: Behavior) {
        self.state.behavior.send_replace(behavior);
    }

    /// All mails so far, in the order of their arrival.
    pub fn messages(&self) -> Vec<Mail> {
        self.state.mails()
    }

    /// Waits for at least `count` mails; `None` when they do not come in time.
    pub async fn wait_for(&self, count: usize, patience: Duration) -> Option<Vec<Mail>> {
        let mut mails = self.state.mails.subscribe();
        let enough = timeout(patience, mails.wait_for(|mails| mails.len() >= count)).await;
        enough.ok()?.ok().map(|mails| mails.clone())
    }

    /// Forgets all mails.
    pub fn clear(&self) {
        self.state.mails.send_modify(Vec::clear);
    }

    /// How many connections were made since the start, closed ones included.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// Shows the mails to a browser: `/` lists them, `/1` is the text of the first, `/1.html`
    /// its HTML part, `/1.eml` the whole as received.
    pub fn serve_web(&self) -> io::Result<SocketAddr> {
        let (address, server) = web::start(Arc::clone(&self.state))?;
        self.tasks
            .web
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(server);
        Ok(address)
    }
}

/// Binds, waiting a little for a port whose last owner has only just been told to stop.
async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let deadline = Instant::now() + PORT_PATIENCE;
    loop {
        match TcpListener::bind(address).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < deadline => {
                sleep(Duration::from_millis(10)).await;
            }
            result => return result,
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    state.connections.fetch_add(1, Ordering::Relaxed);
                    conversations.spawn(talk(stream, Arc::clone(&state)));
                }
                Err(error) => {
                    tracing::warn!(%error, "inbox cannot accept");
                    sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = conversations.join_next() => {}
        }
    }
}

async fn talk(stream: TcpStream, state: Arc<State>) {
    if let Err(error) = Dialog::new(stream, &state).run().await {
        tracing::debug!(%error, "mail client left");
    }
}
