//! Killed at the N-th fsync, or at the N-th thing it says to its neighbors: what was acknowledged is
//! there afterwards, and nothing contradicts itself.
//!
//! `strace` kills the server at the beginning of a system call. Each thread counts its own; on SQLite
//! it is the one writing thread that counts. A few points each time, all of them every night:
//! `TEST_CRASH_POINTS=all`, or some by number: `TEST_CRASH_POINTS=3,17`.
//!
//! A scenario is a type with three functions; [`run`] does the rest.

#![expect(clippy::print_stderr, reason = "shown where a test fails")]

mod activate;
mod first_start;
mod publish;
mod purchase;
mod rotate;
mod world;

use std::time::{Duration, Instant};

use kitward_tests::{Child, Death, Kind};

use world::World;

/// What durable SQLite waits for.
const FSYNC: &str = "fsync,fdatasync";
/// What the server says to PostgreSQL, to those who ask and to the mail server.
const SEND: &str = "sendto,sendmsg,writev";

fn calls(kind: Kind) -> &'static str {
    match kind {
        Kind::Sqlite => FSYNC,
        Kind::Postgres => SEND,
    }
}

/// What is under way while the server dies.
trait Scenario {
    /// Brings a healthy server to where a round starts.
    async fn prepare(&mut self, world: &World, child: &Child);
    /// Works until all is done or the server is gone, and notes what was acknowledged.
    async fn drive(&mut self, world: &World, child: &mut Child);
    /// Compares that with what is there.
    async fn check(&mut self, world: &World, child: &Child);
}

/// At which calls to kill.
struct Points {
    numbers: Vec<u32>,
    /// Whether to stop at the first that is never reached.
    until_survived: bool,
}

impl Points {
    /// `usual` and one more, unless the environment says otherwise.
    fn chosen(usual: &[u32]) -> Self {
        let wanted = std::env::var("TEST_CRASH_POINTS").unwrap_or_default();
        let until_survived = wanted == "all";
        let numbers = match wanted.as_str() {
            "all" => (1..=1_000).collect(),
            "" => {
                let most = usual.iter().max().copied().unwrap_or(1);
                let chance = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
                let one_more = 1 + chance % most;
                usual.iter().copied().chain([one_more]).collect()
            }
            list => list
                .split(',')
                .map(|number| number.parse().unwrap())
                .collect(),
        };
        Self {
            numbers,
            until_survived,
        }
    }
}

/// Whether it can be done here; prints why not, which CI does not take.
fn is_possible() -> bool {
    if Death::is_possible() {
        return true;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "strace is missing or may not trace, and this is CI"
    );
    eprintln!("skipped: strace is missing, or may not trace here");
    false
}

/// Whether it died of its doom; otherwise it is killed now. Its callers see the end of a process a
/// little earlier than the process itself is over.
async fn has_died(mut child: Child) -> bool {
    let end = Instant::now() + Duration::from_secs(5);
    while !child.has_ended() {
        if Instant::now() > end {
            child.kill();
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

/// Kills, restarts and compares, at each of these points.
async fn run(kind: Kind, usual: &[u32], mut scenario: impl Scenario) {
    if !is_possible() {
        return;
    }
    let points = Points::chosen(usual);
    let world = World::new(kind).await;
    let mut child = world.settings.start().await;
    for nth in points.numbers {
        // Shown where a later step fails.
        eprintln!("killed at call {nth} of {}", calls(kind));
        scenario.prepare(&world, &child).await;
        child.kill();
        let calls = calls(kind);
        let doomed = world.settings.start_doomed(Death { calls, nth }).await;
        let has_died = match doomed {
            None => true,
            Some(mut doomed) => {
                scenario.drive(&world, &mut doomed).await;
                has_died(doomed).await
            }
        };
        eprintln!("it {}", if has_died { "died" } else { "survived" });
        assert!(
            has_died || points.until_survived || !usual.contains(&nth),
            "call {nth} was never reached: the scenario does too little"
        );
        world.let_reservations_end().await;
        child = world.settings.start().await;
        scenario.check(&world, &child).await;
        world.holds_together().await;
        if !has_died && points.until_survived {
            break;
        }
    }
}
