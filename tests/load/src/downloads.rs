//! Downloads: 50 at once of one large file, through the gate and recorded, against the same file from
//! actix-files alone.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};

use crate::Outcome;
use crate::arguments::{Arguments, Case};
use crate::bare::Bare;
use crate::keys::Keys;
use crate::lines::{Bound, Line, Unit};
use crate::process::{Memory, cpu_micros};
use crate::seed::{KIT, seed};
use crate::server::{Server, Settings};
use crate::statistics::median;

/// Bytes of the file.
const SIZE: usize = 100_000_000;
/// Downloads at once.
const CONNECTIONS: usize = 50;
/// Licenses of the installation: more than connections.
const LICENSES: usize = 500;
const NAME: &str = "kit-2.0.0.bin";
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What one phase found.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    /// Megabytes a second.
    rate: f64,
    /// Processor time of the server for a gigabyte, in milliseconds.
    cpu: f64,
    /// The most memory that was seen.
    most: Memory,
}

/// Measures; the lines of the table.
pub(crate) async fn run(arguments: &Arguments, program: &Path) -> Outcome<Vec<Line>> {
    let folder = TempDir::with_prefix("kitward-load-")?;
    let gated = Gated::start(arguments, program, folder.path()).await?;
    // No zeros: nothing on the way shall find them easy.
    let bytes: Vec<u8> = (0..=250).rev().cycle().take(SIZE).collect();
    gated.publisher().publish(NAME, bytes).await?;
    let Gated { server, keys, .. } = gated;
    let file = file_in(&folder.path().join("data"))?;
    let bare = Bare::start(&file)?;
    let path = format!("/v1/kits/{KIT}/releases/2.0.0/artifacts/{NAME}");
    let of_bare = Phase {
        name: "bare file",
        pid: bare.pid(),
        address: bare.address,
        requests: vec![request("/", &bare.address.to_string(), "")],
    };
    let with_keys = (0..CONNECTIONS).map(|number| {
        let (_, key) = keys.pick(number as u64);
        let key = format!("Authorization: License {key}\r\n");
        request(&path, &server.host(), &key)
    });
    let of_server = Phase {
        name: "download",
        pid: server.pid(),
        address: server.address,
        requests: with_keys.collect(),
    };
    let (mut bare, mut gated) = (Vec::new(), Vec::new());
    for round in 0..arguments.rounds() {
        if round % 2 == 0 {
            bare.push(of_bare.measured(arguments, round).await?);
            gated.push(of_server.measured(arguments, round).await?);
        } else {
            gated.push(of_server.measured(arguments, round).await?);
            bare.push(of_bare.measured(arguments, round).await?);
        }
    }
    Ok(lines(&bare, &gated))
}

fn lines(bare: &[Reading], gated: &[Reading]) -> Vec<Line> {
    let of = |readings: &[Reading], of: fn(&Reading) -> f64| {
        let figures: Vec<f64> = readings.iter().map(of).collect();
        median(&figures).unwrap_or_default()
    };
    let ratios: Vec<f64> = gated
        .iter()
        .zip(bare)
        .map(|(gated, bare)| gated.rate / bare.rate)
        .collect();
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(0.0, f64::max);
    let resident = gated.iter().map(|reading| reading.most.resident).max();
    let private = gated.iter().map(|reading| reading.most.private).max();
    let megabytes = |bytes: Option<u64>| bytes.unwrap_or_default() as f64 / 1_000_000.0;
    vec![
        Line {
            case: Case::Download,
            name: "100 MB file, 50 parallel downloads / bare `NamedFile`, MB/s",
            figure: median(&ratios).unwrap_or_default(),
            range: Some((least, most)),
            unit: Unit::Percent,
            bound: Bound::AtLeast(0.8),
            from: format!(
                "{:.0} of {:.0} MB/s; server CPU {:.0} and {:.0} ms/GB",
                of(gated, |reading| reading.rate),
                of(bare, |reading| reading.rate),
                of(gated, |reading| reading.cpu),
                of(bare, |reading| reading.cpu),
            ),
        },
        Line {
            case: Case::Download,
            name: "the same, most memory (resident)",
            figure: megabytes(resident),
            range: None,
            unit: Unit::Megabytes,
            bound: Bound::Below(60.0),
            from: format!("{:.1} MB private", megabytes(private)),
        },
    ]
}

/// A server, keys that open its kit, and who publishes there.
pub(crate) struct Gated {
    pub(crate) server: Server,
    pub(crate) keys: Keys,
    token: String,
}

impl Gated {
    pub(crate) async fn start(
        arguments: &Arguments,
        program: &Path,
        folder: &Path,
    ) -> Outcome<Self> {
        let data = folder.join("data");
        let keys = seed(&data, BTreeMap::new(), LICENSES).await?;
        let token = Command::new(program)
            .args(["token", "create", "--scope", "admin", "--json"])
            .env("KITWARD_DATA_DIR", &data)
            .output()?;
        let made: serde_json::Value = serde_json::from_slice(&token.stdout)?;
        let token = made
            .get("token")
            .and_then(serde_json::Value::as_str)
            .ok_or("no token was made")?
            .to_owned();
        let mut variables = arguments.variables.clone();
        // Each connection begins many downloads a minute with its key.
        variables.push(("KITWARD_LOG".to_owned(), "warn".to_owned()));
        let server = Server::start(Settings {
            program,
            folder: &data,
            variables,
        })
        .await?;
        Ok(Self {
            server,
            keys,
            token,
        })
    }

    pub(crate) fn publisher(&self) -> Publisher<'_> {
        Publisher {
            server: &self.server,
            token: &self.token,
        }
    }
}

pub(crate) struct Publisher<'a> {
    server: &'a Server,
    token: &'a str,
}

impl Publisher<'_> {
    pub(crate) async fn publish(&self, name: &str, file: Vec<u8>) -> Outcome<()> {
        let release = serde_json::json!({ "kit": KIT, "version": "2.0.0" });
        let made = self.send("POST", "/v1/admin/releases", release.to_string().into());
        let made: serde_json::Value = serde_json::from_slice(&made.await?)?;
        let release = format!(
            "/v1/admin/releases/{}",
            made.get("id")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        );
        let put = format!("{release}/artifacts/{name}");
        self.send("PUT", &put, file).await?;
        let publish = format!("{release}/publish");
        self.send("POST", &publish, b"{}".to_vec()).await?;
        Ok(())
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Outcome<Vec<u8>> {
        let mut stream = TcpStream::connect(self.server.address).await?;
        let kind = match method {
            "PUT" => "application/octet-stream",
            _ => "application/json",
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            self.server.host(),
            self.token,
            body.len(),
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
        let body = answer.split_off(end.ok_or("no answer")? + 4);
        let status = answer.get(9..12).unwrap_or_default();
        if status.first() == Some(&b'2') {
            Ok(body)
        } else {
            let text = String::from_utf8_lossy(&body).into_owned();
            Err(format!("{method} {path}: {text}").into())
        }
    }
}

/// The one file of that size in an installation's storage.
fn file_in(data: &Path) -> Outcome<PathBuf> {
    for folder in std::fs::read_dir(data.join("blobs/sha256"))? {
        for file in std::fs::read_dir(folder?.path())? {
            let file = file?;
            if file.metadata()?.len() == SIZE as u64 {
                return Ok(file.path());
            }
        }
    }
    Err("the file was not stored".into())
}

pub(crate) fn request(path: &str, host: &str, header: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{header}\r\n")
}

/// Downloads from one server at once.
struct Phase {
    name: &'static str,
    pid: u32,
    address: SocketAddr,
    requests: Vec<String>,
}

#[derive(Default)]
struct Progress {
    bytes: Cell<u64>,
    stop: Cell<bool>,
}

impl Phase {
    async fn measured(&self, arguments: &Arguments, round: usize) -> Outcome<Reading> {
        let reading = LocalSet::new().run_until(self.measure(arguments)).await?;
        eprintln!(
            "round {}: {} {:.0} MB/s, {:.0} ms/GB, private {} kB, resident {} kB",
            round + 1,
            self.name,
            reading.rate,
            reading.cpu,
            reading.most.private / 1024,
            reading.most.resident / 1024,
        );
        Ok(reading)
    }

    async fn measure(&self, arguments: &Arguments) -> Outcome<Reading> {
        let progress = Rc::new(Progress::default());
        let mut tasks = JoinSet::new();
        for request in self.requests.iter().cycle().take(CONNECTIONS) {
            let stream = TcpStream::connect(self.address).await?;
            tasks.spawn_local(download(stream, request.clone(), Rc::clone(&progress)));
        }
        tokio::time::sleep(arguments.warm_up()).await;
        let (cpu, bytes, started) = (cpu_micros(self.pid)?, progress.bytes.get(), Instant::now());
        let mut most = Memory::default();
        while started.elapsed() < arguments.measured() {
            tokio::time::sleep(LOOK).await;
            let now = Memory::of(self.pid)?;
            most.resident = most.resident.max(now.resident);
            most.private = most.private.max(now.private);
        }
        let seconds = started.elapsed().as_secs_f64();
        let bytes = (progress.bytes.get() - bytes) as f64;
        let cpu = cpu_micros(self.pid)? - cpu;
        progress.stop.set(true);
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(Reading {
            rate: bytes / 1_000_000.0 / seconds,
            cpu: cpu / 1_000.0 / (bytes / 1_000_000_000.0).max(1e-9),
            most,
        })
    }
}

/// Downloads the file again and again.
async fn download(mut stream: TcpStream, request: String, progress: Rc<Progress>) -> Outcome<()> {
    let mut buffer = vec![0; 256 * 1024];
    while !progress.stop.get() {
        stream.write_all(request.as_bytes()).await?;
        // The first bytes hold the head, as all servers of ours write it at once.
        let first = stream.read(&mut buffer).await?;
        let head = buffer.get(..first).unwrap_or_default();
        if !head.starts_with(b"HTTP/1.1 200") {
            return Err(String::from_utf8_lossy(head).into_owned().into());
        }
        let end = head.windows(4).position(|window| window == b"\r\n\r\n");
        let mut left = SIZE - (first - end.ok_or("a head in pieces")? - 4);
        while left > 0 {
            if progress.stop.get() {
                return Ok(());
            }
            let read = stream.read(&mut buffer).await?;
            if read == 0 {
                return Err("a download was cut".into());
            }
            left = left.saturating_sub(read);
            progress.bytes.set(progress.bytes.get() + read as u64);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_in_each_round_and_memory_is_the_most_of_all() {
        let reading = |rate, resident| Reading {
            rate,
            cpu: 1.0,
            most: Memory {
                resident,
                private: 1,
            },
        };
        let bare = [reading(100.0, 0), reading(200.0, 0), reading(50.0, 0)];
        let gated = [
            reading(90.0, 7),
            reading(100.0, 61_000_000),
            reading(45.0, 8),
        ];
        let lines = lines(&bare, &gated);
        assert!((lines[0].figure - 0.9).abs() < 1e-9 && lines[0].holds());
        assert!((lines[1].figure - 61.0).abs() < 1e-9 && !lines[1].holds());
    }
}
