//! A file served by actix-files alone, in a process of its own: what downloads are compared with.

use std::io::BufRead as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use actix_files::NamedFile;
use actix_web::{App, HttpServer, web};

use crate::Outcome;

/// Serves a file until the process is killed; says where.
pub(crate) async fn serve(file: &Path) -> Outcome<()> {
    let file = web::Data::new(file.to_path_buf());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::clone(&file))
            .default_service(web::to(send))
    });
    // As many as the server it is compared with has.
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let server = server.workers(cores).bind(("127.0.0.1", 0))?;
    for address in server.addrs() {
        println!("{address}");
    }
    Ok(server.run().await?)
}

async fn send(file: web::Data<PathBuf>) -> std::io::Result<NamedFile> {
    NamedFile::open(file.as_path())
}

/// Such a process; killed when dropped.
#[derive(Debug)]
pub(crate) struct Bare {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Bare {
    /// This program once more.
    pub(crate) fn start(file: &Path) -> Outcome<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("--serve-file")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        std::io::BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse()?;
        Ok(Self { process, address })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
