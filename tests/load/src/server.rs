//! `kitward serve` as a process of its own.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// A serving process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

/// How to start one.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) program: &'a Path,
    /// Its data folder; its log lies there too.
    pub(crate) folder: &'a Path,
    /// Further variables.
    pub(crate) variables: Vec<(String, String)>,
}

/// Address of a port nobody listens on.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

impl Server {
    /// Starts it and waits until it accepts connections.
    pub(crate) async fn start(settings: Settings<'_>) -> Outcome<Self> {
        let address = free_address()?;
        let log = settings.folder.join("log");
        let mut command = Command::new(settings.program);
        for (name, _) in std::env::vars_os() {
            // What the caller's shell has set must not change what is measured.
            if name.to_string_lossy().starts_with("KITWARD_") {
                command.env_remove(name);
            }
        }
        let process = command
            .arg("serve")
            .env("KITWARD_LISTEN", address.to_string())
            .env("KITWARD_DATA_DIR", settings.folder)
            .envs(settings.variables)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()?;
        let mut server = Self { process, address };
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(address).is_err() {
            if server.process.try_wait()?.is_some() || Instant::now() >= end {
                let logged = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("the server does not serve: {logged}").into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What it takes requests as.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server of this workspace, built as this program was.
pub(crate) fn build() -> Outcome<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--locked",
        "--package",
        "kitward",
        "--bin",
        "kitward",
    ]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let built = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .status()?;
    if !built.success() {
        return Err("the server could not be built".into());
    }
    let program = std::env::current_exe()?.with_file_name("kitward");
    if program.is_file() {
        Ok(program)
    } else {
        Err(format!("there is no {}: name it by --server", program.display()).into())
    }
}
