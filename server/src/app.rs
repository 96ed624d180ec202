//! The parts of one installation, put together once at start.
//!
//! One `App` = one vendor = one database + one key ring + one storage. Nothing is global, so that
//! several can live in one process.

mod addresses;

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use url::Url;

use crate::activations::seen::Seen;
use crate::clock::{Clock, SystemClock};
use crate::comparisons::Turns;
use crate::config::Config;
use crate::db::{DatabaseUrl, Db, Group, OpenError};
use crate::downloads::authorize::AtGate;
use crate::entropy::{Entropy, SystemEntropy};
use crate::key_ring::{self, ChangeError, Custody, KeyRing, KeyRingError};
use crate::kits::known_terms::TermsSeen;
use crate::licenses::facts::Glimpse;
use crate::licenses::tokens::usage::TokenUse;
use crate::limits::Limits;
use crate::mail::{MailSetupError, Mailer};
use crate::metrics::Metrics;
use crate::outbox::Lanes;
use crate::payments::stripe::{StripeApi, StripeSetupError};
use crate::releases::catalogs::CatalogsSeen;
use crate::releases::look_again::SlowFiles;
use crate::releases::upload::room::Room;
use crate::reports::checks::Checks;
use crate::secrets::{self, BootstrapError, Installation, Vault};
use crate::storage::{Storage, StorageError};

/// What tests replace.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

/// One installation.
#[derive(Debug)]
pub struct App {
    /// What the operator set.
    pub config: Config,
    /// The door to the database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Who this installation is: `iss` of signed documents.
    pub installation_id: String,
    /// Keys that open sealed cells and make look-up digests.
    pub vault: Vault,
    /// Signing keys in use.
    pub keys: ArcSwap<KeyRing>,
    /// Terms of licenses that need not be read again.
    pub terms_seen: Arc<TermsSeen>,
    /// Calls of kits that wait for a look at their license.
    pub glimpses: Group<Glimpse>,
    /// Update checks and downloads that wait for a look at their license.
    pub gates: Group<AtGate>,
    /// Catalogs of kits that need not be read again.
    pub catalogs: Arc<CatalogsSeen>,
    /// Kit files.
    pub storage: Storage,
    /// Memory for parts of kit files on their way in.
    pub upload_room: Room,
    /// Kit files that took too long to look into.
    pub slow_files: SlowFiles,
    /// Files that lists and update checks looked into in vain: downloads try them at each call.
    pub untold_files: SlowFiles,
    /// Wakes the workers of the outbox.
    pub lanes: Lanes,
    /// The way to the mail server, if one is configured.
    pub mailer: Option<Mailer>,
    /// The way to Stripe, if a key is configured.
    pub stripe: Option<StripeApi>,
    /// How often derived tokens are used.
    pub token_use: TokenUse,
    /// Counters for operators.
    pub metrics: Metrics,
    /// What this process counts to turn floods away.
    pub limits: Limits,
    /// Seats seen since that was last written.
    pub seen: Seen,
    /// Update checks since they were last written.
    pub checks: Checks,
    /// Comparisons of releases that are being computed.
    pub turns: Turns,
    public_url: Url,
    authority: String,
    origin: String,
    stopping: AtomicBool,
}

/// Why the installation could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error("cannot make the data folder {path}")]
    DataDir {
        /// Its path.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A field that only this point needs.
    #[error("{0} is not set")]
    Unset(&'static str),
    /// The database.
    #[error("the database cannot be used")]
    Database(#[from] OpenError),
    /// Master key and sealed keys.
    #[error("the secrets cannot be opened")]
    Secrets(#[from] BootstrapError),
    /// Signing keys.
    #[error("the signing keys cannot be loaded")]
    Keys(#[from] KeyRingError),
    /// The first signing keys.
    #[error("the first signing keys cannot be made")]
    FirstKeys(#[from] ChangeError),
    /// Kit files.
    #[error("the kit storage cannot be opened")]
    Storage(#[from] StorageError),
    /// Mail.
    #[error("mail cannot be set up")]
    Mail(#[from] MailSetupError),
    /// Stripe.
    #[error("payments by Stripe cannot be set up")]
    Stripe(#[from] StripeSetupError),
}

/// What everything else rests on: database and secrets. Commands that keep the key ring open no more,
/// so that they work where a signing key does not open.
#[derive(Debug)]
pub struct Foundation {
    config: Config,
    /// The door to the database.
    pub db: Db,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    installation: Installation,
}

impl Foundation {
    /// Opens database and secrets; where there are none yet, makes them.
    pub async fn open(config: Config, parts: Parts) -> Result<Self, StartError> {
        let Parts { clock, entropy } = parts;
        create_data_dir(&config.data_dir).map_err(|source| StartError::DataDir {
            path: config.data_dir.display().to_string(),
            source,
        })?;
        let db = Db::open_with(database_url(&config)?, config.database.write_batch)?;
        let (now, master) = (clock.now(), config.master_key.as_ref());
        let installation =
            secrets::open(&db, master, &config.data_dir, now, Arc::clone(&entropy)).await?;
        let foundation = Self {
            config,
            db,
            clock,
            entropy,
            installation,
        };
        key_ring::ensure(&foundation.custody()).await?;
        Ok(foundation)
    }

    /// What keeps the key ring.
    pub fn custody(&self) -> Custody<'_> {
        Custody {
            db: &self.db,
            vault: &self.installation.vault,
            entropy: self.entropy.as_ref(),
            issuer: &self.installation.id,
            now: self.clock.now(),
        }
    }
}

impl App {
    /// Opens everything. The same for `serve`, `demo` and tests.
    pub async fn build(config: Config, parts: Parts) -> Result<Arc<Self>, StartError> {
        let public_url = config
            .public_url
            .clone()
            .ok_or(StartError::Unset("public_url"))?;
        let foundation = Foundation::open(config, parts).await?;
        let keys = key_ring::load(&foundation.custody()).await?;
        let Foundation {
            config,
            db,
            clock,
            entropy,
            installation,
        } = foundation;
        let app = Self {
            storage: Storage::open(&config.storage, &config.data_dir)?,
            upload_room: Room::default(),
            slow_files: SlowFiles::default(),
            untold_files: SlowFiles::default(),
            terms_seen: Arc::default(),
            glimpses: Group::default(),
            gates: Group::default(),
            catalogs: Arc::default(),
            lanes: Lanes::default(),
            mailer: Mailer::from_config(&config.mail, &public_url)?,
            stripe: StripeApi::from_config(&config.stripe)?,
            token_use: TokenUse::default(),
            metrics: Metrics::default(),
            limits: Limits::new(&config.limits),
            seen: Seen::default(),
            checks: Checks::default(),
            turns: Turns::default(),
            installation_id: installation.id,
            keys: ArcSwap::from_pointee(keys),
            authority: addresses::authority_of(&public_url),
            origin: public_url.origin().ascii_serialization(),
            stopping: AtomicBool::new(false),
            public_url,
            vault: installation.vault,
            config,
            db,
            clock,
            entropy,
        };
        Ok(Arc::new(app))
    }

    /// What keeps the key ring.
    pub fn custody(&self) -> Custody<'_> {
        Custody {
            db: &self.db,
            vault: &self.vault,
            entropy: self.entropy.as_ref(),
            issuer: &self.installation_id,
            now: self.clock.now(),
        }
    }

    /// Tells readiness checks that this process is about to end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Whether it is.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// Makes the data folder for its owner only, where there is none; what an operator made stays as it
/// is.
pub fn create_data_dir(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// The configured database, or the embedded one in the data folder.
pub fn database_url(config: &Config) -> Result<DatabaseUrl, OpenError> {
    match &config.database_url {
        Some(url) => Ok(DatabaseUrl::parse(url)?),
        None => Ok(DatabaseUrl::Sqlite(config.data_dir.join("kitward.sqlite"))),
    }
}

impl App {
    /// Whether mails can leave.
    pub fn can_mail(&self) -> bool {
        self.mailer.is_some()
    }
}
