//! Databases for tests: a file per test, or a database per test in one throw-away cluster.

use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use tempfile::TempDir;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

/// One test's database; removed when dropped.
#[derive(Debug)]
pub struct Database {
    /// Its address.
    pub url: String,
    name: Option<String>,
}

/// A PostgreSQL of this process only. It ends with the process: a small shell holds the other end
/// of a pipe and stops the cluster when that closes, however the process ends.
struct Cluster {
    server: String,
    _own: Option<OwnCluster>,
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    folders
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

pub(crate) fn postgres_is_there() -> bool {
    std::env::var_os("TEST_DATABASE_URL").is_some()
        || (program("initdb").is_some() && program("pg_ctl").is_some())
}

/// PostgreSQL refuses to run as root: its own user is used then.
fn as_server_user(program: &Path) -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program);
    command
}

fn run(mut command: Command) {
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("a program that starts");
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A port for another process, which binds it later. None that the system gives away meanwhile (Linux:
/// 32768 and above), and each once.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let number = start.wrapping_add(number) % 12_000;
        let port = 20_000 + u16::try_from(number).expect("a small number");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Cluster {
    fn start() -> Self {
        if let Ok(server) = std::env::var("TEST_DATABASE_URL") {
            let server = server.trim_end_matches('/').to_owned();
            return Self { server, _own: None };
        }
        let own = OwnCluster::start();
        Self {
            server: format!("postgres://postgres@127.0.0.1:{}", own.port),
            _own: Some(own),
        }
    }
}

/// A cluster of its own, also for tests that kill it.
#[derive(Debug)]
pub struct OwnCluster {
    folder: PathBuf,
    port: u16,
    _watcher: Child,
}

impl OwnCluster {
    /// Makes and starts one.
    pub fn start() -> Self {
        let folder = TempDir::with_prefix("kitward-pg-")
            .expect("a folder")
            .keep();
        let user_can_enter = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&folder, user_can_enter).expect("permissions");
        let mut initdb = as_server_user(&program("initdb").expect("initdb"));
        initdb.arg("-D").arg(folder.join("data")).args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        run(initdb);
        let port = free_port();
        run(control(&folder, port, "start"));
        let watcher = watch(&folder);
        Self {
            folder,
            port,
            _watcher: watcher,
        }
    }

    /// Address of an empty database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it as a power cut would.
    pub fn kill(&self) {
        run(control(&self.folder, self.port, "stop"));
    }

    /// Starts it again.
    pub fn restart(&self) {
        run(control(&self.folder, self.port, "start"));
    }
}

fn control(folder: &Path, port: u16, verb: &str) -> Command {
    let mut command = as_server_user(&program("pg_ctl").expect("pg_ctl"));
    let options = format!(
        "-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=400 \
         -c shared_buffers=64MB",
        folder.display()
    );
    command
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-w", "-t", "60", "-o", &options]);
    command.arg("-l").arg(folder.join("log")).arg(verb);
    if verb != "start" {
        command.args(["-m", "immediate"]);
    }
    command
}

fn watch(folder: &Path) -> Child {
    let pg_ctl = program("pg_ctl").expect("pg_ctl");
    let stop = as_server_user(&pg_ctl);
    let words: Vec<String> = std::iter::once(stop.get_program())
        .chain(stop.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let folder = folder.display();
    let script = format!(
        "cat >/dev/null; {} -D '{folder}/data' -m immediate stop >/dev/null 2>&1; rm -rf '{folder}'",
        words.join(" ")
    );
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell")
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start)
}

impl Database {
    /// A new, empty database; a file lies in `folder`.
    pub fn create(kind: Kind, folder: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        if kind == Kind::Sqlite {
            return Self {
                url: format!("sqlite:{}/kitward.sqlite", folder.display()),
                name: None,
            };
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("kitward_{}_{number}", std::process::id());
        administer(&format!("CREATE DATABASE {name}"));
        Self {
            url: format!("{}/{name}", cluster().server),
            name: Some(name),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            administer(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn administer(statement: &str) {
    let url = format!("{}/postgres", cluster().server);
    let mut conn = PgConnection::establish(&url).expect("the cluster");
    conn.batch_execute(statement)
        .expect("an administrative statement");
}
