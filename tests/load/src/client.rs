//! The load: HTTP/1.1 on connections that stay open, as light as it can be, because it shares the
//! processor with the server.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::Outcome;
use crate::process::{Memory, cpu_micros};
use crate::requests::Requests;
use crate::statistics::Latencies;

/// Connections that ask the same.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) connections: usize,
    pub(crate) requests: Requests,
}

/// What one group was answered.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) latencies: Latencies,
}

/// What a phase found.
#[derive(Debug)]
pub(crate) struct Driven {
    /// One for each group.
    pub(crate) tallies: Vec<Tally>,
    pub(crate) seconds: f64,
    /// Processor time of the server, in microseconds.
    pub(crate) server_cpu: f64,
    /// Processor time of the load.
    pub(crate) own_cpu: f64,
    /// Of the server, under load.
    pub(crate) memory: Memory,
}

/// Whom to ask, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) pid: u32,
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}

/// Asks with every group at once; each connection sends its next request when it has its answer.
pub(crate) async fn drive(target: Target, groups: Vec<Group>) -> Outcome<Driven> {
    let local = LocalSet::new();
    local.run_until(drive_here(target, groups)).await
}

async fn drive_here(target: Target, groups: Vec<Group>) -> Outcome<Driven> {
    let phase = Rc::new(Phase::default());
    let mut tallies = Vec::new();
    let mut tasks = JoinSet::new();
    for group in groups {
        let tally = Rc::new(RefCell::new(Tally::default()));
        for number in 0..group.connections {
            let connection = Connection::open(target.address).await?;
            let requests = group.requests.for_connection(number);
            let (phase, tally) = (Rc::clone(&phase), Rc::clone(&tally));
            tasks.spawn_local(ask(connection, requests, phase, tally));
        }
        tallies.push(tally);
    }
    tokio::time::sleep(target.warm_up).await;
    let cpu_before = (cpu_micros(target.pid)?, cpu_micros(std::process::id())?);
    let started = Instant::now();
    phase.measuring.set(true);
    tokio::time::sleep(target.measured).await;
    phase.measuring.set(false);
    let seconds = started.elapsed().as_secs_f64();
    let cpu_after = (cpu_micros(target.pid)?, cpu_micros(std::process::id())?);
    let memory = Memory::of(target.pid)?;
    phase.stop.set(true);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(Driven {
        tallies: tallies.iter().map(|tally| tally.take()).collect(),
        seconds,
        server_cpu: cpu_after.0 - cpu_before.0,
        own_cpu: cpu_after.1 - cpu_before.1,
        memory,
    })
}

#[derive(Debug, Default)]
struct Phase {
    measuring: Cell<bool>,
    stop: Cell<bool>,
}

async fn ask(
    mut connection: Connection,
    mut requests: Requests,
    phase: Rc<Phase>,
    tally: Rc<RefCell<Tally>>,
) -> Outcome<()> {
    while !phase.stop.get() {
        requests.write_next(&mut connection.output);
        let started = Instant::now();
        let body = connection.exchange().await?;
        let took = started.elapsed();
        if !requests.is_right(body) {
            let text = String::from_utf8_lossy(body).into_owned();
            return Err(format!("an unexpected answer: {text}").into());
        }
        if phase.measuring.get() {
            tally.borrow_mut().latencies.add(took);
        }
    }
    Ok(())
}

/// One connection with its buffers.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    output: Vec<u8>,
    input: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Outcome<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            output: Vec::with_capacity(1024),
            input: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends what was written and waits for the whole answer; its body, where its status is 200.
    async fn exchange(&mut self) -> Outcome<&[u8]> {
        self.stream.write_all(&self.output).await?;
        self.input.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err("the server closed the connection".into());
            }
            if head.is_none() {
                head = Head::parse(&self.input)?;
            }
            if let Some(Head { length, body }) = head {
                let whole = self.input.get(length..length + body);
                if whole.is_some() {
                    break;
                }
            }
        }
        let start = head.map_or(0, |head| head.length);
        Ok(self.input.get(start..).unwrap_or_default())
    }
}

/// The head of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    length: usize,
    /// Bytes that follow.
    body: usize,
}

impl Head {
    /// `None` until it is whole; an error where the status is not 200.
    fn parse(input: &[u8]) -> Outcome<Option<Self>> {
        const FIELD: &[u8] = b"content-length:";
        let mut body = None;
        let mut length = 0;
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            if length == 0 && line.ends_with(b"\n") && !line.starts_with(b"HTTP/1.1 200") {
                return Err(format!("answered {}", String::from_utf8_lossy(input)).into());
            }
            length += line.len();
            if line == b"\r\n" {
                let body = body.ok_or("an answer without content-length")?;
                return Ok(Some(Self { length, body }));
            }
            if let Some((name, value)) = line.split_at_checked(FIELD.len())
                && name.eq_ignore_ascii_case(FIELD)
            {
                body = std::str::from_utf8(value)?.trim().parse().ok();
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_may_arrive_in_pieces() {
        let answer = b"HTTP/1.1 200 OK\r\nx-y: z\r\nContent-Length: 12\r\n\r\nhello, world";
        let whole = answer.len() - 12;
        for end in 0..whole {
            assert_eq!(Head::parse(&answer[..end]).unwrap(), None, "{end}");
        }
        let head = Head {
            length: whole,
            body: 12,
        };
        assert_eq!(Head::parse(&answer[..whole]).unwrap(), Some(head));
        assert_eq!(Head::parse(answer).unwrap(), Some(head));
    }

    #[test]
    fn what_is_not_a_plain_answer_ends_the_run() {
        assert!(Head::parse(b"HTTP/1.1 503 Service Unavailable\r\n").is_err());
        assert!(Head::parse(b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\n").is_err());
    }
}
