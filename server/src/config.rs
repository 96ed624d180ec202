//! Configuration: one TOML file, `KITWARD_*` variables over it, `*_file` for secrets.
//!
//! `docs/configuration.md` is generated from these structs; unknown keys are refused.

mod checks;
mod document;
mod load;
mod storage;

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

pub use checks::is_loopback;
pub use document::{effective, markdown};
pub use load::{ConfigError, from_process, load, log_from_process};
pub use storage::{
    AzureConfig, GcsConfig, S3Addressing, S3Config, StorageConfig, StorageDelivery, StorageKind,
};

use crate::payments::model::Mode;

/// Everything an operator may set.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port the server listens on.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Address under which customers reach the server. Required when `listen` is not a loopback
    /// address; otherwise `http://localhost:PORT`. Plain http is accepted on loopback hosts only.
    #[schemars(with = "Option<String>")]
    pub public_url: Option<Url>,
    /// Folder for the embedded database, kit files and the master key.
    #[schemars(with = "String")]
    pub data_dir: PathBuf,
    /// `sqlite:PATH` or `postgres://…`. Default: `kitward.sqlite` in the data folder.
    #[schemars(with = "Option<String>")]
    pub database_url: Option<SecretString>,
    /// How the database is used.
    pub database: DatabaseConfig,
    /// 64 hexadecimal digits that protect all other secrets. Made at the first start when the
    /// database is a new SQLite file in a new data folder; must be given otherwise.
    #[schemars(with = "Option<String>")]
    pub master_key: Option<SecretString>,
    /// Address of the Prometheus listener (`/metrics`). Off unless set.
    #[schemars(with = "Option<String>")]
    pub metrics_listen: Option<SocketAddr>,
    /// Networks (CIDR) of reverse proxies whose `X-Forwarded-For` is believed. Without any, the
    /// client is whoever opened the connection.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpNet>,
    /// Filter of the log, as in `info` or `kitward=debug,info`.
    pub log: String,
    /// Form of the log: `text` or `json`.
    pub log_format: LogFormat,
    /// Who sells the kits.
    pub vendor: VendorConfig,
    /// Where kit files lie and how they leave.
    pub storage: StorageConfig,
    /// How mail leaves the server.
    pub mail: MailConfig,
    /// How payments by Stripe arrive.
    pub stripe: StripeConfig,
    /// Bounds of what is accepted.
    pub limits: LimitsConfig,
    /// How long what is known of people is kept.
    pub retention: RetentionConfig,
}

/// How the database is used.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// Most units of work that share one COMMIT, 1 to 4096. With 1 each waits for the disk alone.
    pub write_batch: usize,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Who sells the kits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VendorConfig {
    /// Name shown on pages and in mails.
    pub name: String,
    /// Address customers may write to; shown in the footer.
    pub support_email: Option<String>,
    /// Hue of the brand color, 0 to 360 degrees (OKLCH).
    pub brand_hue: u16,
    /// Word that new license keys start with, before the underscore: 2 to 12 characters of `a-z`
    /// and `0-9`. Keys that start with `kwl` are always accepted.
    pub key_prefix: String,
    /// Words that license keys started with before; such keys go on being accepted.
    pub former_key_prefixes: Vec<String>,
    /// Public keys of minisign, one line of base64 each, comma-separated in the variable: signatures
    /// of files that the vendor makes with keys that are not on the server are checked against them.
    pub minisign_keys: Vec<String>,
}

/// How mail leaves the server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// `smtps://user:password@host` (TLS), `smtp://user:password@host?tls=required` (STARTTLS) or
    /// `smtp://127.0.0.1:PORT` (plain, loopback only). Without it mails wait in the outbox.
    #[schemars(with = "Option<String>")]
    pub smtp_url: Option<SecretString>,
    /// Sender of every mail.
    pub from: String,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<String>,
    /// Seconds after which a silent mail server is given up for this attempt.
    pub timeout_seconds: u64,
    /// Mails about new versions that may leave in a minute, on all processes together, and as many
    /// about security releases. Other mails are not counted and wait for none of them. 0 = no limit.
    pub notices_per_minute: u32,
    /// Minutes, 0 to 1440, for which a mail about a new version waits for others to the same person.
    /// Mails about security releases wait for nothing.
    pub notices_quiet_minutes: u32,
}

/// How payments by Stripe arrive.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StripeConfig {
    /// Secret or restricted API key (`sk_…`, `rk_…`).
    #[schemars(with = "Option<String>")]
    pub secret_key: Option<SecretString>,
    /// Signing secrets of the webhook endpoint (`whsec_…`), comma-separated; several while one is
    /// being replaced.
    #[schemars(with = "Vec<String>")]
    pub webhook_secrets: Vec<SecretString>,
    /// `live` or `test`: events of the other mode are stored and touch nothing.
    pub mode: Mode,
    /// Address of the API; only tests and the demo change it.
    #[schemars(with = "String")]
    pub api_url: Url,
}

/// Bounds of what is accepted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Largest JSON body, in bytes; at least 1024.
    pub json_bytes: usize,
    /// Largest webhook body, in bytes; at least 1024.
    pub webhook_bytes: usize,
    /// Largest artifact, in bytes; at most 5368709120 (5 GiB) where `storage.kind` is `s3`.
    pub artifact_bytes: u64,
    /// License keys and tokens nobody has that one IPv4 address or IPv6 /64 may present a minute, in
    /// the long run; further ones get 429, right ones never do. 0 = no limit.
    pub key_misses_per_minute: u32,
    /// How many of them at once; at least 1.
    pub key_misses_burst: u32,
    /// Requests a minute with one management token. 0 = no limit.
    pub token_requests_per_minute: u32,
    /// Calls a CI or download token may make in one minute, for each process; at least 1.
    pub token_calls_per_minute: u32,
}

/// How long what is known of people is kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Days, 1 to 3650, after which the record of a delivery loses the network (IPv4 /24, IPv6 /56) it
    /// went to. What a license had, and when, stays.
    pub download_networks_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            data_dir: PathBuf::from("data"),
            database_url: None,
            database: DatabaseConfig::default(),
            master_key: None,
            metrics_listen: None,
            trusted_proxies: Vec::new(),
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            vendor: VendorConfig::default(),
            storage: StorageConfig::default(),
            mail: MailConfig::default(),
            stripe: StripeConfig::default(),
            limits: LimitsConfig::default(),
            retention: RetentionConfig::default(),
        }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { write_batch: 256 }
    }
}

impl Default for VendorConfig {
    fn default() -> Self {
        Self {
            name: "Kitward".to_owned(),
            support_email: None,
            brand_hue: 255,
            key_prefix: "kwl".to_owned(),
            former_key_prefixes: Vec::new(),
            minisign_keys: Vec::new(),
        }
    }
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            smtp_url: None,
            from: "licenses@localhost".to_owned(),
            reply_to: None,
            timeout_seconds: 30,
            notices_per_minute: 300,
            notices_quiet_minutes: 15,
        }
    }
}

impl Default for StripeConfig {
    fn default() -> Self {
        Self {
            secret_key: None,
            webhook_secrets: Vec::new(),
            mode: Mode::Test,
            api_url: stripe_api(),
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant that the suite parses")]
fn stripe_api() -> Url {
    Url::parse("https://api.stripe.com/").expect("a valid constant")
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            json_bytes: 64 * 1024,
            webhook_bytes: 1024 * 1024,
            artifact_bytes: 4 << 30,
            key_misses_per_minute: 30,
            key_misses_burst: 60,
            token_requests_per_minute: 3_000,
            token_calls_per_minute: 600,
        }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self {
            download_networks_days: 90,
        }
    }
}
