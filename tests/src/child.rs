//! A server in a process of its own, for tests that kill it.
//!
//! The process is the test binary itself: a test called `child::serves_when_asked` serves when the
//! variable is set, and does nothing otherwise.

mod death;

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::time::{Duration, Instant};

use crate::actors::Actor;
use crate::database::free_port;

pub use death::Death;

const VARIABLE: &str = "KITWARD_TEST_CHILD";

/// A serving process.
#[derive(Debug)]
pub struct Child {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it logged.
    pub log: PathBuf,
}

/// Settings of a child, as lines of its configuration file.
#[derive(Debug, Clone)]
pub struct ChildSettings {
    /// Folder for its data and its log.
    pub folder: PathBuf,
    /// Further lines; sections last.
    pub toml: String,
    port: u16,
}

impl ChildSettings {
    /// A child that keeps its data in `folder`, on the same port each time.
    pub fn new(folder: &Path, toml: String) -> Self {
        Self {
            folder: folder.to_path_buf(),
            toml,
            port: free_port(),
        }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&self) -> Child {
        let mut child = self.spawn(None);
        let is_ready = child.becomes_ready().await;
        assert!(is_ready, "the child ended: {}", child.logged());
        child
    }

    /// Starts one that will be killed; nothing where that came before it was ready.
    pub async fn start_doomed(&self, death: Death) -> Option<Child> {
        let mut child = self.spawn(Some(death));
        child.becomes_ready().await.then_some(child)
    }

    fn spawn(&self, death: Option<Death>) -> Child {
        let file = self.folder.join("kitward.toml");
        let text = format!(
            "listen = \"127.0.0.1:{}\"\ndata_dir = \"{}\"\n{}",
            self.port,
            self.folder.join("data").display(),
            self.toml
        );
        std::fs::write(&file, text).expect("a configuration");
        let log = self.folder.join("log");
        let stderr = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log");
        let program = std::env::current_exe().expect("this program");
        let mut command = match death {
            Some(death) => death.program(&program),
            None => Command::new(program),
        };
        let process = command
            .args([
                "--exact",
                "child::serves_when_asked",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(VARIABLE, &file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .expect("a process");
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        Child {
            process,
            address,
            log,
        }
    }
}

impl Child {
    /// Whether it became ready before it ended.
    async fn becomes_ready(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(30);
        let actor = self.actor();
        loop {
            let request = actor.request(reqwest::Method::GET, "/readyz");
            if actor
                .try_send(request)
                .await
                .is_ok_and(|reply| reply.status == 200)
            {
                return true;
            }
            if self.has_ended() {
                return false;
            }
            assert!(
                Instant::now() < until,
                "the child is not ready: {}",
                self.logged()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether it ended by itself, or was killed by what it was doomed to.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("a process").is_some()
    }

    /// Somebody who talks to it.
    pub fn actor(&self) -> Actor {
        Actor::new(
            format!("http://localhost:{}", self.address.port()),
            self.address,
        )
    }

    /// Its log so far.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).expect("a log")
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        // One that was doomed may have been faster.
        let _ = self.process.kill();
        self.process.wait().expect("an end");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Already ended where the test killed it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const COMMAND: &str = "TEST_KITWARD_COMMAND";
const MARK: &str = "<<<";

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit status.
    pub status: i32,
    /// Its output.
    pub out: String,
    /// Its complaints.
    pub err: String,
}

/// Runs a command of the binary in `folder`, with these variables and no other of ours.
pub fn command(folder: &Path, variables: &[(&str, &str)], words: &[&str]) -> Ended {
    let program = Command::new(std::env::current_exe().expect("this program"));
    run_command(program, folder, variables, words)
}

/// Runs one that will be killed; its status is -1 then.
pub fn doomed_command(folder: &Path, words: &[&str], death: Death) -> Ended {
    let program = death.program(&std::env::current_exe().expect("this program"));
    run_command(program, folder, &[], words)
}

fn run_command(
    mut program: Command,
    folder: &Path,
    variables: &[(&str, &str)],
    words: &[&str],
) -> Ended {
    // What the caller's shell has set must not change what is tested.
    let of_the_caller = std::env::vars_os()
        .map(|(name, _)| name)
        .filter(|name| name.to_string_lossy().starts_with("KITWARD_"));
    for name in of_the_caller {
        program.env_remove(name);
    }
    let output = program
        .args([
            "--exact",
            "child::runs_a_command_when_asked",
            "--nocapture",
            "--test-threads=1",
        ])
        .current_dir(folder)
        .env(COMMAND, words.join("\u{1f}"))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("a process");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let out = text
        .split_once(&format!("{MARK}\n"))
        .map_or("", |(_, out)| out)
        .to_owned();
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    Ended {
        status: output.status.code().unwrap_or(-1),
        out,
        err,
    }
}

/// Runs a command and ends the process if this process was started for one.
pub fn run_command_if_asked() {
    let Ok(words) = std::env::var(COMMAND) else {
        return;
    };
    let words = std::iter::once("kitward")
        .chain(words.split('\u{1f}'))
        .map(Into::into);
    println!("\n{MARK}");
    let code = kitward::cli::run_words(words.collect::<Vec<std::ffi::OsString>>().into_iter());
    // An ExitCode cannot be asked for its number, only returned.
    let number = (0..=255).find(|number| {
        format!("{:?}", std::process::ExitCode::from(*number)) == format!("{code:?}")
    });
    std::process::exit(i32::from(number.expect("a status")));
}

/// Serves for ever if this process was started as a child.
pub fn serve_if_asked() {
    let Some(file) = std::env::var_os(VARIABLE) else {
        return;
    };
    crate::block_on(async move {
        let config =
            kitward::config::load(Some(Path::new(&file)), &std::collections::BTreeMap::new());
        let config = config.expect("a configuration");
        kitward::logging::start(&config);
        let listener = TcpListener::bind(config.listen).expect("a free port");
        let app = kitward::app::App::build(config, kitward::app::Parts::default()).await;
        let app = app.unwrap_or_else(|error| panic!("{}", kitward::http::error::chain(&error)));
        let options = kitward::run::Options {
            workers: 2,
            outbox: true,
        };
        let _running = kitward::run::start(&app, listener, options).expect("a server");
        std::future::pending::<()>().await;
    });
}
