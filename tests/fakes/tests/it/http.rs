//! A request by hand, for what well-behaved clients never send.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Outcome;

/// An answer, its header names in lower case.
pub(crate) struct Answer {
    pub(crate) status: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Outcome<serde_json::Value> {
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// Sends `GET path` with these header lines besides `Connection`.
pub(crate) async fn get(address: SocketAddr, path: &str, headers: &str) -> Outcome<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    let status = head.split(' ').nth(1).ok_or("no status")?;
    Ok(Answer {
        status: status.to_owned(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    })
}
