//! Killed while a signing key is rotated.

use diesel::QueryableByName;
use diesel::sql_types::Text;
use kitward_tests::{Death, Kind, both, doomed_command};

use super::world::World;
use super::{Points, calls, is_possible};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    kid: String,
}

async fn active(world: &World) -> String {
    let query = "SELECT kid FROM signing_keys WHERE purpose = 'document' AND state = 'active'";
    let mut rows: Vec<Row> = world.rows(query).await;
    assert_eq!(rows.len(), 1, "one key signs, never none and never two");
    rows.remove(0).kid
}

both!(killed_while_a_signing_key_is_rotated);
async fn killed_while_a_signing_key_is_rotated(kind: Kind) {
    if !is_possible() {
        return;
    }
    let usual: &[u32] = match kind {
        Kind::Sqlite => &[1],
        Kind::Postgres => &[5, 10, 14],
    };
    let world = World::new(kind).await;
    let mut before = active(&world).await;
    let points = Points::chosen(usual);
    for nth in points.numbers {
        let calls = calls(kind);
        let folder = world.settings.folder.clone();
        let work = tokio::task::spawn_blocking(move || {
            let file = folder.join("kitward.toml");
            let file = file.to_str().unwrap();
            let words = ["--config", file, "keys", "rotate", "document", "--now"];
            doomed_command(&folder, &words, Death { calls, nth })
        });
        let ended = work.await.unwrap();
        let has_died = ended.status == -1;
        eprintln!("call {nth} of {calls}: status {}", ended.status);
        assert!(has_died || ended.status == 0, "{ended:?}");
        assert!(
            has_died || points.until_survived || !usual.contains(&nth),
            "call {nth} was never reached"
        );
        let child = world.settings.start().await;
        let after = active(&world).await;
        if !has_died {
            assert_ne!(after, before, "an acknowledged rotation is lost");
        }
        // What was signed before stays verifiable, and what is signed now is.
        let jwks = child.actor().get("/.well-known/jwks.json").await.text();
        assert!(jwks.contains(&before) && jwks.contains(&after), "{jwks}");
        world.buy(&child).await;
        child.kill();
        world.holds_together().await;
        before = after;
        if !has_died && points.until_survived {
            break;
        }
    }
}
