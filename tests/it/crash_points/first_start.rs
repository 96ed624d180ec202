//! Killed while the schema, the secrets and the first keys are made.

use kitward_tests::{Death, Kind, both};

use super::world::World;
use super::{Points, calls, has_died, is_possible};

both!(killed_at_its_first_start);
async fn killed_at_its_first_start(kind: Kind) {
    if !is_possible() {
        return;
    }
    let usual: &[u32] = match kind {
        Kind::Sqlite => &[1, 2, 3, 5],
        Kind::Postgres => &[5, 12, 20],
    };
    let points = Points::chosen(usual);
    for nth in points.numbers {
        eprintln!("killed at call {nth} of {}", calls(kind));
        let world = World::empty(kind).await;
        let calls = calls(kind);
        let doomed = world.settings.start_doomed(Death { calls, nth }).await;
        let has_died = match doomed {
            None => true,
            Some(doomed) => has_died(doomed).await,
        };
        assert!(
            has_died || points.until_survived || !usual.contains(&nth),
            "call {nth} was never reached"
        );
        let child = world.settings.start().await;
        world.holds_together().await;
        let jwks = child.actor().get("/.well-known/jwks.json").await;
        let keys = jwks.expect_status(200).json();
        assert!(keys["keys"].as_array().unwrap().len() >= 2, "{keys}");
        child.kill();
        if !has_died && points.until_survived {
            break;
        }
    }
}
