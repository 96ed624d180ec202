//! What stands around a server that is killed again and again, and what must always be true of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use kitward::app::{App, Parts};
use kitward::db::{DbError, Shard};
use kitward_fakes::{FakeStripe, Inbox, sign_event};
use kitward_tests::{Actor, Child, ChildSettings, Database, Kind, MASTER_KEY, Shop};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "whsec_crash";

/// Each counts rows that contradict others.
const CONTRADICTIONS: [&str; 8] = [
    "licenses l WHERE seats_used <> (SELECT count(*) FROM activations a \
     WHERE a.license_id = l.id AND a.freed_at IS NULL)",
    "licenses WHERE seat_cap IS NOT NULL AND seats_used > seat_cap",
    "licenses l WHERE NOT EXISTS (SELECT 1 FROM license_keys k WHERE k.license_id = l.id)",
    "(SELECT order_item_id FROM licenses GROUP BY order_item_id, ordinal HAVING count(*) > 1) twice",
    "(SELECT purpose FROM signing_keys WHERE state = 'active' GROUP BY purpose \
     HAVING count(*) > 1) twice",
    "(SELECT 1 AS one WHERE (SELECT count(*) FROM signing_keys WHERE state = 'active' \
     AND purpose IN ('license_key', 'document')) <> 2) missing",
    "blobs b WHERE references_count <> (SELECT count(*) FROM artifacts a WHERE a.sha256 = b.sha256)",
    "releases r WHERE status = 'published' AND NOT EXISTS \
     (SELECT 1 FROM artifacts a WHERE a.release_id = r.id)",
];

pub(super) struct World {
    pub(super) kind: Kind,
    pub(super) settings: ChildSettings,
    pub(super) stripe: FakeStripe,
    pub(super) inbox: Inbox,
    /// Header of whoever manages the shop.
    pub(super) admin: String,
    _database: Database,
    _folder: TempDir,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

impl World {
    /// A shop that sells `price_personal`, 6 devices, and has not been started yet.
    pub(super) async fn new(kind: Kind) -> Self {
        let mut world = Self::empty(kind).await;
        let child = world.settings.start().await;
        world.open_shop(&child).await;
        child.kill();
        world
    }

    /// An installation that was never started.
    pub(super) async fn empty(kind: Kind) -> Self {
        let folder = TempDir::new().unwrap();
        let database = Database::create(kind, folder.path());
        let stripe = FakeStripe::start().await.unwrap();
        let inbox = Inbox::start().await.unwrap();
        let own_database = match kind {
            Kind::Sqlite => String::new(),
            Kind::Postgres => format!(
                "database_url = \"{}\"\nmaster_key = \"{MASTER_KEY}\"\n",
                database.url
            ),
        };
        let toml = format!(
            "{own_database}[mail]\nsmtp_url = \"{}\"\nfrom = \"licenses@example.com\"\n\
             [stripe]\nsecret_key = \"sk_test_crash\"\nwebhook_secrets = [\"{SECRET}\"]\napi_url = \"{}\"\n",
            inbox.smtp_url(),
            stripe.base_url()
        );
        Self {
            kind,
            settings: ChildSettings::new(folder.path(), toml),
            stripe,
            inbox,
            admin: String::new(),
            _database: database,
            _folder: folder,
        }
    }

    /// The same installation, looked at from here. To be closed before a server is started: what it
    /// recovers from must be its own.
    async fn look(&self) -> Arc<App> {
        let file = self.settings.folder.join("kitward.toml");
        let nothing = std::collections::BTreeMap::new();
        let config = kitward::config::load(Some(&file), &nothing).unwrap();
        App::build(config, Parts::default()).await.unwrap()
    }

    async fn open_shop(&mut self, child: &Child) {
        let app = self.look().await;
        let input = kitward::staff::CreateToken {
            name: "test".to_owned(),
            scopes: vec![kitward::staff::Scope::Admin],
            expires_at: None,
            actor: kitward::audit::Actor::Operator,
        };
        let token = kitward::staff::create_token(&app, input).await.unwrap();
        app.db.close();
        self.admin = format!("Bearer {}", token.secret.expose_secret());
        let admin = child.actor().with("authorization", &self.admin);
        let kit = json!({ "slug": "feedback-widget", "name": "Feedback Widget Kit" });
        admin.post("/v1/admin/kits", &kit).await.expect_status(201);
        let policy = Shop::policy(&admin, "personal", &json!({ "seat_limit": 6 })).await;
        let price = json!({
            "external_id": "price_personal", "policies": [policy], "quantity_rule": "seats",
        });
        admin
            .post("/v1/admin/prices", &price)
            .await
            .expect_status(201);
    }

    /// Delivers a provider's event; `None` where no answer came.
    pub(super) async fn deliver(&self, actor: &Actor, event: &Value) -> Option<u16> {
        let body = event.to_string().into_bytes();
        let now = kitward::clock::Clock::now(&kitward::clock::SystemClock).unix();
        let request = actor
            .request(Method::POST, "/webhooks/stripe")
            .header("stripe-signature", sign_event(SECRET, now, &body))
            .body(body);
        actor.try_send(request).await.ok().map(|reply| reply.status)
    }

    /// Buys a license on a healthy server and reads its key from the mail.
    pub(super) async fn buy(&self, child: &Child) -> String {
        let before = self.inbox.messages().len();
        let ids = self
            .stripe
            .add_checkout(Shop::checkout("price_personal", 1));
        let event = self
            .stripe
            .event("checkout.session.completed", &ids.session);
        assert_eq!(self.deliver(&child.actor(), &event).await, Some(200));
        until("the mail", || self.inbox.messages().len() > before).await;
        let mails = self.inbox.messages();
        kitward_tests::key_in(&mails.last().unwrap().text())
    }

    /// A killed process holds what it reserved for seconds; here they pass at once.
    pub(super) async fn let_reservations_end(&self) {
        let app = self.look().await;
        app.db
            .write(Shard::Wide, |tx| -> Result<(), DbError> {
                let now = "UPDATE outbox SET reserved_until = NULL, due_at = created_at";
                Ok(tx.conn().batch_execute(now)?)
            })
            .await
            .unwrap();
        app.db.close();
    }

    /// The rows of a query, from a look of its own.
    pub(super) async fn rows<T>(&self, query: impl Into<String>) -> Vec<T>
    where
        T: QueryableByName<diesel::sqlite::Sqlite>
            + QueryableByName<diesel::pg::Pg>
            + Send
            + 'static,
    {
        let app = self.look().await;
        let query = query.into();
        let rows = app
            .db
            .read_slow(move |conn| -> Result<Vec<T>, DbError> {
                Ok(match conn {
                    kitward::db::AnyConn::Pg(conn) => sql_query(query).load(conn)?,
                    kitward::db::AnyConn::Sqlite(conn) => sql_query(query).load(conn)?,
                })
            })
            .await;
        app.db.close();
        rows.unwrap()
    }

    /// What must be true whatever happened.
    pub(super) async fn holds_together(&self) {
        let app = self.look().await;
        let audit = kitward::audit::verify(&app, &[]).await;
        app.db.close();
        assert!(audit.unwrap().entries > 0);
        for contradiction in CONTRADICTIONS {
            let query = format!("SELECT count(*) AS count FROM {contradiction}");
            let found: Vec<Count> = self.rows(query).await;
            assert_eq!(found[0].count, 0, "{contradiction}");
        }
        if self.kind == Kind::Sqlite {
            let told: Vec<Told> = self.rows("PRAGMA integrity_check").await;
            let told: Vec<&str> = told
                .iter()
                .map(|row| row.integrity_check.as_str())
                .collect();
            assert_eq!(told, ["ok"]);
        }
    }
}

/// Waits for what a running server does by itself.
pub(super) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
