//! Listeners on 127.0.0.1 and the threads of the two HTTP servers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;

use actix_web::dev::{Server, ServerHandle};

/// Any free port of the loopback interface.
pub(crate) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Opens a listener on a free loopback port.
pub(crate) fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(ANY_PORT)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// An HTTP server on a thread of its own; dropping it stops the server.
#[derive(Debug)]
pub(crate) struct Running {
    handle: ServerHandle,
}

impl Running {
    /// Drives `server` on a new thread, so that it outlives the runtime that started it.
    pub(crate) fn spawn(name: &str, server: Server) -> io::Result<Self> {
        let handle = server.handle();
        let thread_name = name.to_owned();
        thread::Builder::new()
            .name(thread_name.clone())
            .spawn(move || {
                if let Err(error) = actix_web::rt::System::new().block_on(server) {
                    tracing::warn!(server = thread_name, %error, "stand-in server failed");
                }
            })?;
        Ok(Self { handle })
    }

    /// Stops the server and waits until its port is closed.
    pub(crate) async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The command is sent when the future is made; nobody waits for the answer.
        drop(self.handle.stop(false));
    }
}
