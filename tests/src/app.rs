//! A real installation for one test.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use kitward::app::{App, Parts};
use kitward::audit::Actor as AuditActor;
use kitward::clock::{ManualClock, Timestamp};
use kitward::config::Config;
use kitward::entropy::SeededEntropy;
use kitward::outbox::{self, Lane};
use kitward::run::{Options, Running};
use kitward::staff::{CreateToken, Scope, create_token};
use kitward_fakes::{FakeStripe, Inbox};
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use crate::actors::Actor;
use crate::database::{Database, Kind};

/// Signing secrets of the webhook endpoint in tests.
pub const WEBHOOK_SECRETS: [&str; 2] = ["whsec_test_one", "whsec_test_two"];

/// Master key of tests.
pub const MASTER_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// The moment at which the clock of tests stands first.
pub const START: &str = "2027-01-15T12:00:00Z";

/// A running installation with everything around it.
#[derive(Debug)]
pub struct TestApp {
    /// Its parts.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Its Stripe.
    pub stripe: FakeStripe,
    /// Its mail server.
    pub inbox: Inbox,
    /// Which database it uses.
    pub kind: Kind,
    address: SocketAddr,
    running: Option<Running>,
    /// Dropped after the server: the database it used, the folder.
    database: Arc<Database>,
    folder: Arc<TempDir>,
}

/// A change of the configuration.
type Edit = Arc<dyn Fn(&mut Config) + Send + Sync>;

/// What may differ from the usual installation.
#[derive(Clone, Default)]
pub struct Builder {
    edit: Vec<Edit>,
    outbox: bool,
    seed: u64,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("outbox", &self.outbox)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Builder {
    /// Changes the configuration.
    #[must_use]
    pub fn config(mut self, edit: impl Fn(&mut Config) + Send + Sync + 'static) -> Self {
        self.edit.push(Arc::new(edit));
        self
    }

    /// Lifts the limits on calls with a token and on keys that do not exist.
    #[must_use]
    pub fn without_request_limits(self) -> Self {
        self.config(|config| {
            config.limits.key_misses_per_minute = 0;
            config.limits.token_requests_per_minute = 0;
        })
    }

    /// Lets workers run; otherwise a test drains the outbox itself.
    #[must_use]
    pub fn with_workers(mut self) -> Self {
        self.outbox = true;
        self
    }

    /// Starts it.
    pub async fn start(self, kind: Kind) -> TestApp {
        let folder = Arc::new(TempDir::with_prefix("kitward-test-").expect("a folder"));
        let database = Arc::new(Database::create(kind, folder.path()));
        let stripe = FakeStripe::start().await.expect("a stand-in Stripe");
        let inbox = Inbox::start().await.expect("a mail server");
        let clock = Arc::new(ManualClock::at(Timestamp::parse(START).expect("a time")));
        stripe.set_now(Timestamp::parse(START).expect("a time").unix());
        self.start_with(
            kind,
            Surroundings {
                folder,
                database,
                stripe,
                inbox,
                clock,
            },
        )
        .await
    }

    async fn start_with(self, kind: Kind, around: Surroundings) -> TestApp {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut config = config(&around, address);
        for edit in &self.edit {
            edit(&mut config);
        }
        // Two processes on one database must not draw the same random bytes.
        let entropy = Arc::new(SeededEntropy::new(self.seed + u64::from(address.port())));
        let clock: Arc<ManualClock> = Arc::clone(&around.clock);
        let app = App::build(config, Parts { clock, entropy })
            .await
            .expect("an installation");
        let options = Options {
            workers: 2,
            outbox: self.outbox,
        };
        let running = kitward::run::start(&app, listener, options).expect("a server");
        let Surroundings {
            folder,
            database,
            stripe,
            inbox,
            clock,
        } = around;
        TestApp {
            app,
            clock,
            stripe,
            inbox,
            kind,
            address,
            running: Some(running),
            database,
            folder,
        }
    }
}

struct Surroundings {
    folder: Arc<TempDir>,
    database: Arc<Database>,
    stripe: FakeStripe,
    inbox: Inbox,
    clock: Arc<ManualClock>,
}

fn config(around: &Surroundings, address: SocketAddr) -> Config {
    let mut config = Config {
        listen: address,
        public_url: url::Url::parse(&format!("http://localhost:{}/", address.port())).ok(),
        data_dir: around.folder.path().join("data"),
        database_url: Some(SecretString::from(around.database.url.clone())),
        master_key: Some(SecretString::from(MASTER_KEY)),
        ..Config::default()
    };
    config.mail.smtp_url = Some(SecretString::from(around.inbox.smtp_url()));
    "Example Kits <licenses@example.com>".clone_into(&mut config.mail.from);
    config.mail.timeout_seconds = 10;
    "Example Kits".clone_into(&mut config.vendor.name);
    config.stripe.secret_key = Some(SecretString::from("sk_test_harness"));
    config.stripe.webhook_secrets = WEBHOOK_SECRETS.map(SecretString::from).to_vec();
    config.stripe.api_url = url::Url::parse(&around.stripe.base_url()).expect("an address");
    config
}

impl TestApp {
    /// An installation to be changed before it starts.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The usual installation.
    pub async fn start(kind: Kind) -> Self {
        Self::builder().start(kind).await
    }

    /// A second process on the same database, storage, Stripe and mail server.
    pub async fn second(&self) -> Self {
        self.second_with(|_config| ()).await
    }

    /// The same with another configuration.
    pub async fn second_with(&self, edit: fn(&mut Config)) -> Self {
        let around = Surroundings {
            folder: Arc::clone(&self.folder),
            database: Arc::clone(&self.database),
            stripe: self.stripe.clone(),
            inbox: self.inbox.clone(),
            clock: Arc::clone(&self.clock),
        };
        Builder {
            seed: 1 << 32,
            ..Builder::default()
        }
        .config(edit)
        .start_with(self.kind, around)
        .await
    }

    /// Its folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Address of its database.
    pub fn database_url(&self) -> &str {
        &self.database.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.app.origin().to_owned()
    }

    /// Somebody without any credential.
    pub fn anonymous(&self) -> Actor {
        Actor::new(self.origin(), self.address)
    }

    /// A browser nobody is signed in with.
    pub fn browser(&self) -> Actor {
        self.anonymous().browser()
    }

    /// The holder of a management token.
    pub async fn token(&self, scope: Scope) -> Actor {
        let input = CreateToken {
            name: "test".to_owned(),
            scopes: vec![scope],
            expires_at: None,
            actor: AuditActor::Operator,
        };
        let created = create_token(&self.app, input).await.expect("a token");
        self.anonymous().with(
            "authorization",
            format!("Bearer {}", created.secret.expose_secret()),
        )
    }

    /// A kit that presents a license key.
    pub fn kit(&self, key: &str) -> Actor {
        self.anonymous()
            .with("authorization", format!("License {key}"))
    }

    /// A customer who signed in by a link.
    pub async fn customer(&self, address: &str) -> Actor {
        let link = kitward::people::operator_link(&self.app, address)
            .await
            .expect("a link");
        let token = link.rsplit('/').next().expect("a token").to_owned();
        let browser = self.browser();
        browser
            .form("/sign-in/link", &[("token", &token)])
            .await
            .expect_status(303);
        browser
    }

    /// Works on everything that is due in the outbox.
    pub async fn drain(&self) {
        loop {
            let mut tried = 0;
            for lane in Lane::ALL {
                tried += outbox::drain(&self.app, *lane).await.expect("an outbox");
            }
            if tried == 0 {
                return;
            }
        }
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }
}
