//! Random lives of licenses, played on the server and on a small model in memory: both must say the
//! same after every step, on both databases.
//!
//! `TEST_SEQUENCES` says how many lives; `.ci/run nightly` plays 10 000.

mod expected;
mod steps;

use kitward::licenses::model::LicenseId;
use kitward::licenses::reveal::{RevealKey, reveal_key};
use kitward::staff::Scope;
use kitward_tests::{Actor, Kind, Shop, TestApp, both};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use expected::{Life, Said};
use steps::{Policy, Step, step};

/// Lives of licenses in one run, for each database.
fn sequences() -> u32 {
    let wanted = std::env::var("TEST_SEQUENCES").ok();
    wanted.map_or(200, |text| text.parse().expect("a number"))
}

/// The kit all licenses are for.
const KIT: &str = "feedback-widget";

struct Stage {
    app: TestApp,
    admin: Actor,
    kit: Actor,
}

impl Stage {
    async fn set(kind: Kind) -> Self {
        let app = TestApp::builder()
            .without_request_limits()
            .start(kind)
            .await;
        Shop::open(&app).await;
        let admin = app.token(Scope::Admin).await;
        for policy in Policy::ALL {
            let made = admin.post("/v1/admin/policies", &policy.request()).await;
            made.expect_status(201);
        }
        let kit = app.anonymous();
        Self { app, admin, kit }
    }

    /// Plays one life. `Err` says what the two disagree about.
    async fn play(&self, policy: Policy, steps: &[Step]) -> Result<(), TestCaseError> {
        let body = json!({ "policy": policy.name(), "email": "owner-0@example.com" });
        let issued = self.admin.post("/v1/admin/licenses", &body).await;
        let id = issued.expect_status(201).str("/id");
        let mut actual = Played {
            stage: self,
            keys: Vec::new(),
            owner: 0,
            id,
        };
        actual.learn_key().await;
        let mut life = Life::new(policy, self.app.now());
        for (at, step) in steps.iter().enumerate() {
            let expected = life.take(*step, self.app.now());
            let said = actual.take(*step).await;
            if expected != said {
                let so_far = &steps[..=at];
                let why =
                    format!("{policy:?} {so_far:?}\n  model:  {expected:?}\n  server: {said:?}");
                return Err(TestCaseError::fail(why));
            }
            if let Step::Advance(seconds) = step {
                self.app.clock.advance(*seconds);
            }
        }
        Ok(())
    }
}

/// A license on the server.
struct Played<'s> {
    stage: &'s Stage,
    id: String,
    /// Every key it ever had, the newest last.
    keys: Vec<String>,
    owner: u32,
}

impl Played<'_> {
    async fn learn_key(&mut self) {
        let input = RevealKey {
            license: LicenseId::parse(&self.id).expect("an id"),
            owner: None,
            actor: kitward::audit::Actor::Operator,
        };
        let key = reveal_key(&self.stage.app.app, input).await.expect("a key");
        self.keys.push(key.expose_secret().to_owned());
    }

    fn key(&self, older: usize) -> &str {
        &self.keys[self.keys.len().saturating_sub(1 + older)]
    }

    async fn ask(&self, call: &str, key: usize, device: u8) -> Said {
        let body =
            json!({ "key": self.key(key), "kit": KIT, "device": format!("device-{device}") });
        let path = format!("/v1/licenses/{call}");
        let reply = self.stage.kit.post(&path, &body).await.expect_status(200);
        Said::read(&reply.json())
    }

    async fn act(&self, verb: &str, body: &Value) -> Said {
        let path = format!("/v1/admin/licenses/{}/{verb}", self.id);
        let reply = self.stage.admin.post(&path, body).await;
        Said::Acted(reply.status < 300)
    }

    async fn take(&mut self, step: Step) -> Said {
        match step {
            Step::Activate { key, device } => self.ask("activate", key, device).await,
            Step::Validate { key, device } => self.ask("validate", key, device).await,
            Step::Heartbeat { key, device } => self.ask("heartbeat", key, device).await,
            Step::Deactivate { key, device } => self.ask("deactivate", key, device).await,
            Step::Suspend => self.act("suspend", &json!({ "cause": "model" })).await,
            Step::Reinstate => self.act("reinstate", &json!({ "reason": "manual" })).await,
            Step::Renew => self.act("renew", &json!({ "from": "now" })).await,
            Step::Rotate { grace } => {
                let said = self.act("rotate", &json!({ "grace_seconds": grace })).await;
                self.learn_key().await;
                said
            }
            Step::Transfer => {
                self.owner += 1;
                let owner = format!("owner-{}@example.com", self.owner);
                let said = self.act("transfer", &json!({ "email": owner })).await;
                self.learn_key().await;
                said
            }
            Step::Limit(limit) => {
                let path = format!("/v1/admin/licenses/{}", self.id);
                let body = json!({ "seat_limit": limit, "over_limit_days": 366 });
                let reply = self.stage.admin.patch(&path, &body).await;
                Said::Acted(reply.status < 300)
            }
            Step::Sweep => {
                let swept = kitward::activations::sweep::sweep(&self.stage.app.app).await;
                Said::Acted(swept.is_ok())
            }
            Step::Advance(_) => Said::Acted(true),
        }
    }
}

both!(random_lives_of_licenses_are_those_of_the_model);
async fn random_lives_of_licenses_are_those_of_the_model(kind: Kind) {
    let stage = Stage::set(kind).await;
    let config = Config {
        cases: sequences(),
        // What failed is printed whole, shrunk, and is played again by its steps.
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let lives = (steps::policy(), proptest::collection::vec(step(), 1..24));
    let handle = tokio::runtime::Handle::current();
    let outcome = runner.run(&lives, |(policy, steps)| {
        tokio::task::block_in_place(|| handle.block_on(stage.play(policy, &steps)))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert_eq!(stage.inconsistencies().await, Vec::<String>::new());
}

impl Stage {
    /// Counters that disagree with the rows they count, over all licenses that were played.
    async fn inconsistencies(&self) -> Vec<String> {
        use diesel::sql_types::Text;
        use diesel::{QueryableByName, RunQueryDsl, sql_query};
        #[derive(QueryableByName)]
        struct Wrong {
            #[diesel(sql_type = Text)]
            id: String,
        }
        kitward::activations::sweep::sweep(&self.app.app)
            .await
            .expect("a sweep");
        let query = "SELECT l.id FROM licenses l WHERE l.seats_used <> (SELECT COUNT(*) FROM activations a \
                     WHERE a.license_id = l.id AND a.freed_at IS NULL) \
                     OR (SELECT COUNT(*) FROM license_keys k WHERE k.license_id = l.id AND k.is_primary) <> 1";
        let wrong = self.app.app.db.read_slow(move |conn| {
            Ok::<_, kitward::db::DbError>(sql_query(query).load::<Wrong>(conn)?)
        });
        let wrong = wrong.await.expect("an answer");
        wrong.into_iter().map(|row| row.id).collect()
    }
}
