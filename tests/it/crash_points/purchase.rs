//! Killed while purchases become orders, licenses and mails.

use std::time::{Duration, Instant};

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use futures_util::future::join_all;
use kitward_tests::{Child, Kind, Shop, both};
use serde_json::Value;

use super::world::{World, until};
use super::{Scenario, run};

/// Purchases of one round.
const COUNT: usize = 6;

#[derive(Default)]
struct Purchase {
    /// Session and event of what was acknowledged.
    acknowledged: Vec<(String, Value)>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    business_key: String,
    #[diesel(sql_type = BigInt)]
    licenses: i64,
}

async fn licenses_of_orders(world: &World) -> Vec<Row> {
    let query = "SELECT o.business_key AS business_key, (SELECT count(*) FROM licenses l \
                 JOIN order_items i ON i.id = l.order_item_id WHERE i.order_id = o.id) AS licenses \
                 FROM orders o";
    world.rows(query).await
}

impl Purchase {
    fn is_fulfilled(&self, rows: &[Row]) -> bool {
        self.acknowledged.iter().all(|(session, _)| {
            rows.iter()
                .any(|row| row.business_key == *session && row.licenses == 1)
        })
    }
}

impl Scenario for Purchase {
    async fn prepare(&mut self, _world: &World, _child: &Child) {}

    async fn drive(&mut self, world: &World, child: &mut Child) {
        let mails = world.inbox.messages().len();
        let events = (0..COUNT).map(|_| {
            let ids = world
                .stripe
                .add_checkout(Shop::checkout("price_personal", 1));
            let event = world
                .stripe
                .event("checkout.session.completed", &ids.session);
            (ids.session, event)
        });
        let actor = child.actor();
        let deliveries = events.map(async |(session, event)| {
            let status = world.deliver(&actor, &event).await;
            (status == Some(200)).then_some((session, event))
        });
        let delivered = join_all(deliveries).await;
        self.acknowledged.extend(delivered.into_iter().flatten());
        eprintln!("{} acknowledged so far", self.acknowledged.len());
        until("all mails, or an end", || {
            child.has_ended() || world.inbox.messages().len() >= mails + COUNT
        })
        .await;
    }

    async fn check(&mut self, world: &World, child: &Child) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.is_fulfilled(&licenses_of_orders(world).await) {
            assert!(Instant::now() < end, "an acknowledged purchase is lost");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // The provider delivers again after the crash, and nothing doubles.
        for (_, event) in self.acknowledged.iter().rev().take(2) {
            assert_eq!(world.deliver(&child.actor(), event).await, Some(200));
        }
        let rows = licenses_of_orders(world).await;
        assert!(rows.iter().all(|row| row.licenses <= 1));
        // One mail for each at least; one that was under way may come twice.
        until("the mails", || {
            let known: std::collections::HashSet<String> = world
                .inbox
                .messages()
                .iter()
                .map(|mail| kitward_tests::key_in(&mail.text()))
                .collect();
            known.len() >= self.acknowledged.len()
        })
        .await;
    }
}

impl Drop for Purchase {
    fn drop(&mut self) {
        if !std::thread::panicking() && super::is_possible() {
            assert!(!self.acknowledged.is_empty(), "nothing was acknowledged");
        }
    }
}

both!(killed_while_purchases_are_fulfilled);
async fn killed_while_purchases_are_fulfilled(kind: Kind) {
    let usual: &[u32] = match kind {
        Kind::Sqlite => &[1, 3, 6, 10],
        Kind::Postgres => &[20, 40, 70],
    };
    run(kind, usual, Purchase::default()).await;
}
