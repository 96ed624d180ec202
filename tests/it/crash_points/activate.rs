//! Killed while kits activate and deactivate.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use futures_util::future::join_all;
use kitward_tests::{Actor, Child, Kind, both};
use serde_json::json;

use super::world::World;
use super::{Scenario, run};

/// What a client knows of a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seat {
    /// Acknowledged, with the activation's id.
    Held(String),
    /// Given back, or never had; acknowledged.
    Free,
    /// The answer never came.
    Unknown,
}

#[derive(Default)]
struct Activate {
    key: String,
    round: u32,
    seats: HashMap<String, Seat>,
    acknowledged: usize,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    identity: String,
    #[diesel(sql_type = BigInt)]
    held: i64,
}

/// One call; `None` where no answer came.
async fn call(actor: &Actor, verb: &str, key: &str, device: &str) -> Option<serde_json::Value> {
    let body = json!({ "key": key, "kit": "feedback-widget", "device": device });
    let path = format!("/v1/licenses/{verb}");
    let request = actor.request(reqwest::Method::POST, &path).json(&body);
    let reply = actor.try_send(request).await.ok()?;
    // A server that is about to be killed may also say that it cannot just now.
    (reply.status == 200).then(|| reply.json())
}

/// Takes seats one after the other and gives every third back, until no answer comes.
async fn client(actor: Actor, key: &str, name: String) -> Vec<(String, Seat)> {
    let mut seats = Vec::new();
    for number in 0..8 {
        let device = format!("{name}-{number}");
        let seat = match call(&actor, "activate", key, &device).await {
            None => Seat::Unknown,
            Some(answer) => {
                if let Some(id) = answer.pointer("/activation/id") {
                    Seat::Held(id.as_str().unwrap().to_owned())
                } else {
                    assert_eq!(answer["code"], "SEATS_EXHAUSTED", "{answer}");
                    Seat::Free
                }
            }
        };
        seats.push((device.clone(), seat.clone()));
        if seat == Seat::Unknown {
            break;
        }
        if number % 3 == 1 && seat != Seat::Free {
            let freed = call(&actor, "deactivate", key, &device).await;
            let seat = freed.map_or(Seat::Unknown, |_answer| Seat::Free);
            seats.push((device, seat.clone()));
            if seat == Seat::Unknown {
                break;
            }
        }
    }
    seats
}

impl Scenario for Activate {
    async fn prepare(&mut self, world: &World, child: &Child) {
        self.key = world.buy(child).await;
        self.round += 1;
    }

    async fn drive(&mut self, _world: &World, child: &mut Child) {
        let clients = (0..3).map(|number| {
            let name = format!("r{}-c{number}", self.round);
            client(child.actor(), &self.key, name)
        });
        for (device, seat) in join_all(clients).await.into_iter().flatten() {
            self.acknowledged += usize::from(seat != Seat::Unknown);
            self.seats.insert(device, seat);
        }
        eprintln!("{} answers so far", self.acknowledged);
    }

    async fn check(&mut self, world: &World, child: &Child) {
        let query = "SELECT id, identity, CASE WHEN freed_at IS NULL THEN CAST(1 AS BIGINT) ELSE 0 END AS held \
                     FROM activations";
        let rows: Vec<Row> = world.rows(query).await;
        let found: HashMap<&str, &Row> = rows
            .iter()
            .map(|row| (row.identity.as_str(), row))
            .collect();
        for (device, seat) in &self.seats {
            let row = found.get(device.as_str());
            match seat {
                Seat::Unknown => {}
                Seat::Free => assert!(row.is_none_or(|row| row.held == 0), "{device}"),
                Seat::Held(id) => {
                    let kept = row.is_some_and(|row| row.held == 1 && row.id == *id);
                    assert!(kept, "{device} lost {id}");
                }
            }
        }
        // The server that came back says the same and goes on.
        let actor = child.actor();
        for (device, seat) in &self.seats {
            if let Seat::Held(id) = seat
                && device.starts_with(&format!("r{}-", self.round))
            {
                let again = call(&actor, "activate", &self.key, device).await.unwrap();
                assert_eq!(again["activation"]["id"], json!(id), "{again}");
            }
        }
    }
}

impl Drop for Activate {
    fn drop(&mut self) {
        if !std::thread::panicking() && super::is_possible() {
            assert!(self.acknowledged > 0, "nothing was ever acknowledged");
        }
    }
}

both!(killed_while_kits_activate);
async fn killed_while_kits_activate(kind: Kind) {
    let usual: &[u32] = match kind {
        Kind::Sqlite => &[1, 2, 4, 7, 11],
        Kind::Postgres => &[45, 80, 120],
    };
    run(kind, usual, Activate::default()).await;
}
