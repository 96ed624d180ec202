//! Publishing a large file, cut in the middle: the server's memory, and what is sent again.
//!
//! The real `kitward publish` talks to a real server through a relay that counts what it sends, and
//! that ends all connections when half of the file has passed.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use kitward::app::{App, Parts};
use kitward::audit::Actor;
use kitward::config;
use kitward::releases::store::uploads;
use kitward::staff::{CreateToken, Scope, create_token};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};

use crate::Outcome;
use crate::arguments::{Arguments, Case};
use crate::lines::{Bound, Line, Unit};
use crate::process::Memory;
use crate::seed::{KIT, seed};
use crate::server::{Server, Settings};

/// Bytes of the file.
const SIZE: u64 = 1 << 30;
/// The same where the run is to be short.
const SIZE_QUICK: u64 = 96 << 20;
/// How often memory is read.
const TICK: Duration = Duration::from_millis(20);
/// How long one run may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// What one run of the command did.
#[derive(Debug, Default)]
struct Run {
    sent: u64,
    private: u64,
    took: Duration,
}

/// Measures.
pub(crate) async fn run(arguments: &Arguments, program: &Path) -> Outcome<Vec<Line>> {
    // The relay stays on this thread, as all of the load does.
    let local = LocalSet::new();
    local.run_until(measure(arguments, program)).await
}

async fn measure(arguments: &Arguments, program: &Path) -> Outcome<Vec<Line>> {
    let size = if arguments.quick { SIZE_QUICK } else { SIZE };
    let folder = TempDir::with_prefix("kitward-publish-")?;
    let data = folder.path().join("data");
    seed(&data, [].into(), 0).await?;
    let token = token(&data).await?;
    let file = folder.path().join("kit.bin");
    write_file(&file, size)?;
    let relay = Relay::start().await?;
    let server = Server::start(Settings {
        program,
        folder: &data,
        variables: vec![("KITWARD_PUBLIC_URL".to_owned(), relay.origin())],
    })
    .await?;
    relay.leads_to(&server);
    let publish = Publish {
        program: program.to_path_buf(),
        file,
        token,
        pid: server.pid(),
    };
    let cut = publish.run(&relay, Some(size / 2)).await?;
    let held = held(&data).await?;
    if held == 0 || held >= size {
        return Err(format!("the cut left {held} of {size} bytes").into());
    }
    let rest = publish.run(&relay, None).await?;
    eprintln!(
        "publish: cut after {} bytes in {:.1?}, {held} held, {} sent then in {:.1?}",
        cut.sent, cut.took, rest.sent, rest.took
    );
    Ok(lines(size, held, &cut, &rest))
}

fn lines(size: u64, held: u64, cut: &Run, rest: &Run) -> Vec<Line> {
    let megabytes = |bytes: u64| bytes as f64 / 1_000_000.0;
    let lacking = size.saturating_sub(held).max(1);
    vec![
        Line {
            case: Case::Publish,
            name: "private memory while a large file is published",
            figure: megabytes(cut.private.max(rest.private)),
            range: None,
            unit: Unit::Megabytes,
            bound: Bound::Below(80.0),
            from: format!("the most of both runs, {:.0} MB", megabytes(size)),
        },
        Line {
            case: Case::Publish,
            name: "sent after a cut / what the server did not hold",
            figure: rest.sent as f64 / lacking as f64,
            range: None,
            unit: Unit::Percent,
            bound: Bound::AtMost(1.02),
            from: format!(
                "{:.0} of {:.0} MB, {:.0} MB held",
                megabytes(rest.sent),
                megabytes(lacking),
                megabytes(held)
            ),
        },
    ]
}

/// The command, as a publisher starts it.
struct Publish {
    program: PathBuf,
    file: PathBuf,
    token: String,
    pid: u32,
}

impl Publish {
    /// Runs it until it ends, or until so many bytes have passed.
    async fn run(&self, relay: &Relay, cut_at: Option<u64>) -> Outcome<Run> {
        let before = relay.passed.get();
        let start = Instant::now();
        let mut command = Ended(self.start(relay)?);
        let mut run = Run::default();
        loop {
            run.private = run.private.max(Memory::of(self.pid)?.private);
            run.sent = relay.passed.get() - before;
            run.took = start.elapsed();
            if cut_at.is_some_and(|cut_at| run.sent >= cut_at) {
                command.0.kill()?;
                relay.cut();
                // What was on its way when it was cut.
                tokio::time::sleep(Duration::from_secs(1)).await;
                return Ok(run);
            }
            if let Some(status) = command.0.try_wait()? {
                if status.success() && cut_at.is_none() {
                    return Ok(run);
                }
                return Err(format!("kitward publish ended with {status}").into());
            }
            if start.elapsed() > PATIENCE {
                return Err("kitward publish does not end".into());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    fn start(&self, relay: &Relay) -> Outcome<Child> {
        let words = ["publish", KIT, "2.0.0"];
        let started = Command::new(&self.program)
            .args(words)
            .arg(&self.file)
            .env("KITWARD_URL", relay.origin())
            .env("KITWARD_TOKEN", &self.token)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Ok(started?)
    }
}

/// A process that is over when this is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn app(data: &Path) -> Outcome<std::sync::Arc<App>> {
    let path = data.display().to_string();
    let variables = [("KITWARD_DATA_DIR".to_owned(), path)].into();
    Ok(App::build(config::load(None, &variables)?, Parts::default()).await?)
}

async fn token(data: &Path) -> Outcome<String> {
    let app = app(data).await?;
    let input = CreateToken {
        name: "load".to_owned(),
        scopes: vec![Scope::Publish],
        expires_at: None,
        actor: Actor::Operator,
    };
    let token = create_token(&app, input).await?;
    app.db.close();
    Ok(token.secret.expose_secret().to_owned())
}

/// Bytes of parts that the server holds, by its own rows.
async fn held(data: &Path) -> Outcome<u64> {
    let app = app(data).await?;
    let figures = app.db.read_slow(uploads::figures).await?;
    app.db.close();
    Ok(u64::try_from(figures.1)?)
}

/// Bytes that no compression and no repetition makes less of.
fn write_file(path: &Path, size: u64) -> Outcome<()> {
    let mut file = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..size / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    file.flush()?;
    Ok(())
}

/// Passes connections on and counts what goes to the server.
struct Relay {
    port: u16,
    passed: Rc<Cell<u64>>,
    target: Rc<Cell<Option<std::net::SocketAddr>>>,
    open: Rc<RefCell<Vec<JoinHandle<()>>>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    async fn start() -> Outcome<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (passed, target) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(None)));
        let open = Rc::new(RefCell::new(Vec::new()));
        let accepting = {
            let (passed, target, open) = (Rc::clone(&passed), Rc::clone(&target), Rc::clone(&open));
            tokio::task::spawn_local(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let pass = pass(client, target.get(), Rc::clone(&passed));
                    open.borrow_mut().push(tokio::task::spawn_local(pass));
                }
            })
        };
        Ok(Self {
            port,
            passed,
            target,
            open,
            accepting,
        })
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    fn leads_to(&self, server: &Server) {
        self.target.set(Some(server.address));
    }

    /// Ends every connection.
    fn cut(&self) {
        for connection in self.open.borrow_mut().drain(..) {
            connection.abort();
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn pass(client: TcpStream, target: Option<std::net::SocketAddr>, passed: Rc<Cell<u64>>) {
    let Some(target) = target else { return };
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(count) = from_client.read(&mut buffer).await {
            let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return;
            };
            passed.set(passed.get() + bytes.len() as u64);
            if to_server.write_all(bytes).await.is_err() {
                return;
            }
        }
    };
    let down = tokio::io::copy(&mut from_server, &mut to_client);
    tokio::select! {
        () = up => {}
        _ = down => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_twice_misses_the_line() {
        let run = |sent| Run {
            sent,
            private: 50_000_000,
            took: Duration::ZERO,
        };
        let holds = |sent| {
            let lines = lines(1_000, 400, &run(500), &run(sent));
            lines.iter().map(Line::holds).collect::<Vec<_>>()
        };
        assert_eq!(holds(601), [true, true]);
        assert_eq!(holds(1_000), [true, false]);
    }
}
