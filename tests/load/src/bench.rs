//! A run: installations, servers, rounds, the table.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tempfile::TempDir;

use crate::Outcome;
use crate::arguments::{Arguments, Case};
use crate::client::{Group, Target, drive};
use crate::downloads;
use crate::keys::Keys;
use crate::lines::{Line, lines};
use crate::phases::{Phase, Reading, Readings};
use crate::postgres::Cluster;
use crate::process::Memory;
use crate::publish;
use crate::requests::{Requests, Traffic};
use crate::seed::seed;
use crate::server::{Server, Settings, build};
use crate::stamped;
use crate::table;

/// Licenses of the usual installation.
const LICENSES: usize = 100_000;
/// Licenses of the large one.
const MILLION: usize = 1_000_000;
/// Connections of the load.
const CONNECTIONS: usize = 64;
/// Connections that take seats while 64 others look.
const BESIDE: usize = 8;
/// Connections through which a server reads from PostgreSQL.
const SERVER_CONNECTIONS: usize = 8;
/// PostgreSQL's installation has no data folder to make a key in.
const MASTER_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// A server with the keys of its installation.
#[derive(Debug)]
struct Place {
    server: Server,
    keys: Rc<Keys>,
}

/// Everything that runs.
#[derive(Debug, Default)]
struct Stage {
    /// Only looked at.
    reading: Option<Place>,
    million: Option<Place>,
    /// Seats are taken here.
    writing: Option<Place>,
    one_by_one: Option<Place>,
    postgres: Option<Place>,
    idle: Option<Memory>,
    cluster: Option<Cluster>,
    folder: Option<TempDir>,
}

/// Measures; `false` where a line was missed.
pub(crate) async fn run(arguments: &Arguments) -> Outcome<bool> {
    let phases = Phase::wanted(|case| arguments.wants(case));
    let stage = Stage::set(arguments, &phases).await?;
    let mut readings = Readings::default();
    for round in 0..arguments.rounds() {
        let mut order = phases.clone();
        if round % 2 == 1 {
            order.reverse();
        }
        for phase in order {
            let reading = stage.measure(phase, arguments).await?;
            eprintln!(
                "round {}: {phase:?} {:.0}/s, server {:.1} µs, load {:.1} µs, p50 {:.2} p99 {:.2} ms, \
                 beside {:.0}/s, private {} kB",
                round + 1,
                reading.rate,
                reading.cpu,
                reading.own_cpu,
                reading.p50,
                reading.p99,
                reading.beside,
                reading.private / 1024,
            );
            readings.add(phase, reading);
        }
    }
    let mut found = lines(&readings, stage.idle);
    drop(stage);
    if arguments.wants(Case::Download) {
        found.extend(downloads::run(arguments, &program(arguments)?).await?);
    }
    if arguments.wants(Case::Publish) {
        found.extend(publish::run(arguments, &program(arguments)?).await?);
    }
    if arguments.wants(Case::Stamped) {
        let program = program(arguments)?;
        found.extend(stamped::run(arguments, &program).await?);
    }
    found.retain(|line| arguments.wants(line.case));
    Ok(report(&found, arguments.markdown))
}

fn program(arguments: &Arguments) -> Outcome<PathBuf> {
    match &arguments.server {
        Some(program) => Ok(program.clone()),
        None => build(),
    }
}

fn report(lines: &[Line], markdown: bool) -> bool {
    let text = if markdown {
        table::markdown(lines)
    } else {
        table::plain(lines)
    };
    print!("{text}");
    let missed: Vec<&str> = lines
        .iter()
        .filter(|line| !line.holds())
        .map(|line| line.name)
        .collect();
    for name in &missed {
        eprintln!("missed: {name}");
    }
    missed.is_empty()
}

impl Stage {
    async fn set(arguments: &Arguments, phases: &[Phase]) -> Outcome<Self> {
        let program = program(arguments)?;
        let temporary = TempDir::with_prefix("kitward-load-")?;
        let folder = arguments.keep.as_deref().unwrap_or(temporary.path());
        let needs = |any: &[Phase]| any.iter().any(|phase| phases.contains(phase));
        let start = Starter {
            program,
            arguments,
            copies: temporary.path().to_path_buf(),
        };
        let mut stage = Self::default();
        let of_sqlite = [
            Phase::Signing,
            Phase::Validate,
            Phase::Updates,
            Phase::Quiet,
        ];
        if needs(&of_sqlite) {
            let (usual, keys) = installation(folder, LICENSES).await?;
            let keys = Rc::new(keys);
            let reading = start.copy(&usual, "reading", &keys, None).await?;
            if arguments.wants(Case::Memory) {
                tokio::time::sleep(Duration::from_secs(2)).await;
                stage.idle = Some(Memory::of(reading.server.pid())?);
            }
            stage.reading = Some(reading);
            if needs(&[Phase::Activate, Phase::Mixed]) {
                stage.writing = Some(start.copy(&usual, "writing", &keys, None).await?);
            }
            if needs(&[Phase::OneByOne]) {
                let batch = ("KITWARD_DATABASE_WRITE_BATCH", "1");
                let place = start.copy(&usual, "one-by-one", &keys, Some(batch)).await?;
                stage.one_by_one = Some(place);
            }
        }
        if needs(&[Phase::Million]) {
            let (large, keys) = installation(folder, MILLION).await?;
            stage.million = Some(start.place(&large, Rc::new(keys), Vec::new()).await?);
        }
        if needs(&[Phase::Postgres]) {
            let kept = arguments.keep.as_deref();
            let (cluster, place) = start.on_postgres(kept).await?;
            (stage.cluster, stage.postgres) = (Some(cluster), Some(place));
        }
        stage.folder = Some(temporary);
        Ok(stage)
    }

    async fn measure(&self, phase: Phase, arguments: &Arguments) -> Outcome<Reading> {
        let place = match phase {
            Phase::Signing | Phase::Validate | Phase::Updates => &self.reading,
            Phase::Million => &self.million,
            Phase::Activate | Phase::Quiet | Phase::Mixed => &self.writing,
            Phase::OneByOne => &self.one_by_one,
            Phase::Postgres => &self.postgres,
            Phase::BenchLoad => return self.bench(CONNECTIONS, arguments).await,
            Phase::BenchServer => return self.bench(SERVER_CONNECTIONS, arguments).await,
        };
        let place = place.as_ref().ok_or("a phase without its server")?;
        let traffic: &[(Traffic, usize)] = match phase {
            Phase::Signing => &[(Traffic::Forged, CONNECTIONS)],
            Phase::Updates => &[(Traffic::Check, CONNECTIONS)],
            Phase::Activate | Phase::OneByOne => &[(Traffic::Activate, CONNECTIONS)],
            Phase::Mixed => &[
                (Traffic::Validate, CONNECTIONS),
                (Traffic::Activate, BESIDE),
            ],
            Phase::Validate
            | Phase::Million
            | Phase::Quiet
            | Phase::Postgres
            | Phase::BenchLoad
            | Phase::BenchServer => &[(Traffic::Validate, CONNECTIONS)],
        };
        let groups = traffic.iter().map(|(traffic, connections)| Group {
            connections: *connections,
            requests: Requests::new(*traffic, &place.keys, place.server.host()),
        });
        let target = Target {
            address: place.server.address,
            pid: place.server.pid(),
            warm_up: arguments.warm_up(),
            measured: arguments.measured(),
        };
        Ok(Reading::of(drive(target, groups.collect()).await?))
    }

    async fn bench(&self, connections: usize, arguments: &Arguments) -> Outcome<Reading> {
        let cluster = self.cluster.as_ref().ok_or("pgbench without PostgreSQL")?;
        Ok(Reading {
            rate: cluster.bench(connections, arguments.measured()).await?,
            ..Reading::default()
        })
    }
}

/// An installation with so many licenses in `folder`, made where there is none.
async fn installation(folder: &Path, licenses: usize) -> Outcome<(PathBuf, Keys)> {
    let data = folder.join(format!("{licenses}-licenses"));
    let file = folder.join(format!("{licenses}-licenses.keys"));
    if file.is_file() {
        return Ok((data, Keys::read(&file)?));
    }
    eprintln!("making an installation with {licenses} licenses");
    std::fs::create_dir_all(folder)?;
    let keys = seed(&data, BTreeMap::new(), licenses).await?;
    // Last, because it says that all is there.
    keys.write(&file)?;
    Ok((data, keys))
}

struct Starter<'a> {
    program: PathBuf,
    arguments: &'a Arguments,
    copies: PathBuf,
}

impl Starter<'_> {
    async fn place(
        &self,
        folder: &Path,
        keys: Rc<Keys>,
        mut variables: Vec<(String, String)>,
    ) -> Outcome<Place> {
        // Forged keys are what the signing route is measured with.
        let (limit, off) = ("KITWARD_LIMITS_KEY_MISSES_PER_MINUTE", "0");
        variables.push((limit.to_owned(), off.to_owned()));
        variables.extend(self.arguments.variables.iter().cloned());
        let server = Server::start(Settings {
            program: &self.program,
            folder,
            variables,
        });
        Ok(Place {
            server: server.await?,
            keys,
        })
    }

    /// A server on a copy of an installation, so that phases that write change no other's data.
    async fn copy(
        &self,
        installation: &Path,
        name: &str,
        keys: &Rc<Keys>,
        variable: Option<(&str, &str)>,
    ) -> Outcome<Place> {
        let folder = self.copies.join(name);
        copy_folder(installation, &folder)?;
        let variables = variable.map(|(name, value)| (name.to_owned(), value.to_owned()));
        self.place(&folder, Rc::clone(keys), variables.into_iter().collect())
            .await
    }

    async fn on_postgres(&self, kept: Option<&Path>) -> Outcome<(Cluster, Place)> {
        let kept = kept.map(|folder| folder.join("postgres"));
        let cluster = Cluster::start(kept.as_deref())?;
        let variables = BTreeMap::from([
            ("KITWARD_DATABASE_URL".to_owned(), cluster.url()),
            ("KITWARD_MASTER_KEY".to_owned(), MASTER_KEY.to_owned()),
        ]);
        let folder = kept.map_or_else(|| self.copies.join("postgres"), |kept| kept.join("server"));
        let file = folder.join("license-keys");
        let keys = if file.is_file() {
            Keys::read(&file)?
        } else {
            eprintln!("making an installation with {LICENSES} licenses on PostgreSQL");
            let keys = seed(&folder, variables.clone(), LICENSES).await?;
            cluster.settle()?;
            // Last, because it says that all is there.
            keys.write(&file)?;
            keys
        };
        let variables = variables.into_iter().collect();
        let place = self.place(&folder, Rc::new(keys), variables).await?;
        Ok((cluster, place))
    }
}

fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
