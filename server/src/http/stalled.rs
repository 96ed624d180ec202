//! Connections whose other end takes nothing any more.
//!
//! Nothing else ends them: a reader that stays connected without reading would keep its file open, or
//! its patch in memory, for as long as it likes.

use std::any::Any;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;

/// How long nothing of what was sent may be taken.
const PATIENCE: Duration = Duration::from_mins(1);

/// Ends this connection once its other end has taken nothing for a minute.
pub(super) fn end_when_stalled(connection: &dyn Any, _: &mut Extensions) {
    if let Some(Err(error)) = end_after(connection, PATIENCE) {
        tracing::debug!(%error, "a connection has no end of its own");
    }
}

/// `None` where it is no connection whose end can be set.
fn end_after(connection: &dyn Any, patience: Duration) -> Option<std::io::Result<()>> {
    let socket = SockRef::from(connection.downcast_ref::<TcpStream>()?);
    // RFC 5482; as Linux has it, it counts for a closed window too, not only for lost packets: tcp(7).
    #[cfg(target_os = "linux")]
    return Some(socket.set_tcp_user_timeout(Some(patience)));
    // Elsewhere the end of a connection that is gone, at least, is noticed.
    #[cfg(not(target_os = "linux"))]
    {
        let probes = socket2::TcpKeepalive::new().with_time(patience);
        return Some(socket.set_tcp_keepalive(&probes));
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::time::Instant;

    use actix_web::{App, HttpResponse, HttpServer, web};
    use bytes::Bytes;
    use futures_util::stream;
    use tokio::sync::Semaphore;

    use super::*;

    const GIVEN: Duration = Duration::from_secs(3);

    /// A server of an endless body, and how many of them are under way.
    fn endless(patience: Duration) -> (std::net::SocketAddr, Arc<Semaphore>) {
        let room = Arc::new(Semaphore::new(1));
        let held = Arc::clone(&room);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = HttpServer::new(move || {
            let held = Arc::clone(&held);
            let body = move || {
                let held = Arc::clone(&held);
                async move {
                    let permit = held.acquire_owned().await.unwrap();
                    let chunk = Bytes::from(vec![0_u8; 64 << 10]);
                    let chunks = stream::repeat_with(move || {
                        let _held = &permit;
                        Ok::<_, std::io::Error>(chunk.clone())
                    });
                    HttpResponse::Ok().streaming(chunks)
                }
            };
            App::new().route("/", web::get().to(body))
        })
        .workers(1)
        .disable_signals()
        .on_connect(move |connection, _| {
            end_after(connection, patience).unwrap().unwrap();
        })
        .listen(listener)
        .unwrap();
        tokio::spawn(server.run());
        (address, room)
    }

    /// Asks for the body and reads the start of it.
    fn ask(address: std::net::SocketAddr) -> std::net::TcpStream {
        let mut reader = std::net::TcpStream::connect(address).unwrap();
        reader
            .write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            .unwrap();
        reader.read_exact(&mut [0; 100]).unwrap();
        reader
    }

    #[actix_web::test]
    async fn who_takes_nothing_is_left_after_a_while() {
        let (address, room) = endless(GIVEN);
        let reader = tokio::task::spawn_blocking(move || ask(address));
        let reader = reader.await.unwrap();
        let begun = Instant::now();
        // The kernel looks after a closed window in growing steps.
        let free = tokio::time::timeout(Duration::from_mins(1), room.acquire()).await;
        free.unwrap().unwrap().forget();
        assert!(begun.elapsed() >= GIVEN / 2);
        drop(reader);
    }

    #[actix_web::test]
    async fn who_reads_slowly_stays() {
        let (address, room) = endless(GIVEN);
        let reading = tokio::task::spawn_blocking(move || {
            let mut reader = ask(address);
            let mut part = vec![0; 4 << 20];
            for _ in 0..12 {
                std::thread::sleep(GIVEN / 8);
                reader.read_exact(&mut part).unwrap();
            }
        });
        reading.await.unwrap();
        drop(room);
    }
}
