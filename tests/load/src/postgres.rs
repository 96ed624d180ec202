//! A PostgreSQL of this run only, and what its own benchmark makes of it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::Outcome;
use crate::server::free_address;

/// A running cluster. It ends with this process, however that ends: a small shell holds the other
/// end of a pipe and stops it when that closes.
#[derive(Debug)]
pub(crate) struct Cluster {
    port: u16,
    _watcher: Child,
}

impl Cluster {
    /// Starts the one that is kept in this folder, or makes one there, with a database for the server
    /// and pgbench's own of 100 000 accounts. Without a folder it is gone when it ends.
    pub(crate) fn start(kept: Option<&Path>) -> Outcome<Self> {
        let folder = match kept {
            Some(folder) => folder.to_path_buf(),
            None => TempDir::with_prefix("kitward-load-pg-")?.keep(),
        };
        std::fs::create_dir_all(&folder)?;
        let anyone = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(&folder, anyone)?;
        let is_new = !folder.join("data").exists();
        if is_new {
            initialize(&folder)?;
        }
        let port = free_address()?.port();
        // What is measured here only reads; without fsync the rows are there sooner.
        let options = format!(
            "-p {port} -k {} -c listen_addresses=127.0.0.1 -c max_connections=200 \
             -c shared_buffers=1GB -c fsync=off -c max_wal_size=4GB",
            folder.display()
        );
        let mut start = as_server_user(&program("pg_ctl")?);
        start
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-w", "-t", "60", "-o", &options])
            .arg("-l")
            .arg(folder.join("log"))
            .arg("start");
        run(start)?;
        let cluster = Self {
            port,
            _watcher: watch(&folder, kept.is_some())?,
        };
        if !is_new {
            return Ok(cluster);
        }
        for database in ["kitward", "bench"] {
            let mut create = cluster.client("createdb")?;
            create.arg(database);
            run(create)?;
        }
        let mut fill = cluster.client("pgbench")?;
        fill.args(["--initialize", "--quiet", "--scale=1", "bench"]);
        run(fill)?;
        Ok(cluster)
    }

    /// Address of the server's database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/kitward", self.port)
    }

    /// Lets it settle after many rows were written.
    pub(crate) fn settle(&self) -> Outcome<()> {
        for database in ["kitward", "bench"] {
            let mut vacuum = self.client("vacuumdb")?;
            vacuum.args(["--analyze", "--quiet", database]);
            run(vacuum)?;
        }
        Ok(())
    }

    /// Transactions a second of `pgbench -S`, prepared.
    pub(crate) async fn bench(&self, connections: usize, time: Duration) -> Outcome<f64> {
        let mut bench = self.client("pgbench")?;
        let seconds = time.as_secs().max(1).to_string();
        let clients = connections.to_string();
        bench.args(["-S", "-n", "-M", "prepared", "-j", "1", "-T", &seconds]);
        bench.args(["-c", &clients, "bench"]);
        let text = tokio::task::spawn_blocking(move || run(bench)).await??;
        transactions(&text).ok_or_else(|| format!("pgbench says {text}").into())
    }

    fn client(&self, name: &str) -> Outcome<Command> {
        let mut command = Command::new(program(name)?);
        command.args(["-h", "127.0.0.1", "-U", "postgres", "-p"]);
        command.arg(self.port.to_string());
        Ok(command)
    }
}

/// `tps = 12345.6 (without initial connection time)`
fn transactions(report: &str) -> Option<f64> {
    let line = report
        .lines()
        .find_map(|line| line.strip_prefix("tps = "))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Debian puts only the clients on the path.
fn program(name: &str) -> Outcome<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let mut candidates = folders.into_iter().map(|folder| folder.join(name));
    candidates
        .find(|path| path.is_file())
        .ok_or_else(|| format!("{name} is not installed: it belongs to PostgreSQL").into())
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

fn initialize(folder: &Path) -> Outcome<()> {
    let mut initdb = as_server_user(&program("initdb")?);
    initdb.arg("-D").arg(folder.join("data")).args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    run(initdb)?;
    Ok(())
}

fn run(mut command: Command) -> Outcome<String> {
    // Output of what a command leaves running must not keep this waiting.
    let to_file = command.get_args().any(|word| word == "start");
    command.stdin(Stdio::null());
    if to_file {
        command.stdout(Stdio::null()).stderr(Stdio::null());
    }
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {text}{complaint}").into())
}

fn watch(folder: &Path, keeps: bool) -> Outcome<Child> {
    let stop = as_server_user(&program("pg_ctl")?);
    let words: Vec<String> = std::iter::once(stop.get_program())
        .chain(stop.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let folder = folder.display();
    // What is kept is without fsync and has to be closed well.
    let (mode, then) = if keeps {
        ("fast", String::new())
    } else {
        ("immediate", format!("; rm -rf '{folder}'"))
    };
    let script = format!(
        "cat >/dev/null; {} -D '{folder}/data' -m {mode} stop >/dev/null 2>&1{then}",
        words.join(" ")
    );
    Ok(Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_of_pgbench_is_read_from_its_report() {
        let report = "transaction type: <builtin: select only>\nlatency average = 2.1 ms\n\
            tps = 29871.421901 (without initial connection time)\n";
        assert_eq!(transactions(report), Some(29_871.421_901));
        assert_eq!(transactions("latency average = 2.1 ms"), None);
    }
}
