//! What a configuration must be to be served; names the field that is not.

use kitward_keys::KeyPrefix;
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::load::{ConfigError, field};
use super::{Config, StorageKind, StripeConfig, VendorConfig};
use crate::kits::model::has_control;
use crate::secrets::TokenKind;

/// Smallest bounds of bodies with which the server is of any use.
const BODY_MIN: usize = 1024;
/// Largest object that S3 copies in one request, as a file is copied to its place: 5 GiB.
const S3_COPY_MAX: u64 = 5 << 30;

pub(super) fn check(mut config: Config) -> Result<Config, ConfigError> {
    refuse_blank_secrets(&config)?;
    if config.public_url.is_none() {
        if !config.listen.ip().is_loopback() {
            return Err(field(
                "public_url",
                "is required when listen is not a loopback address",
            ));
        }
        let url = format!("http://localhost:{}/", config.listen.port());
        config.public_url = Url::parse(&url).ok();
    }
    config.public_url = config.public_url.map(check_public_url).transpose()?;
    if EnvFilter::try_new(&config.log).is_err() {
        let reason = "is not a filter, as in info or kitward=debug,info";
        return Err(field("log", reason));
    }
    if let Some(key) = &config.master_key {
        crate::secrets::MasterKey::parse(key)
            .map_err(|error| field("master_key", error.to_string()))?;
    }
    if let Some(url) = &config.database_url {
        crate::db::DatabaseUrl::parse(url)
            .map_err(|error| field("database_url", error.to_string()))?;
    }
    if !(1..=4096).contains(&config.database.write_batch) {
        return Err(field("database.write_batch", "must be 1 to 4096"));
    }
    check_vendor(&config.vendor)?;
    super::storage::check(&config.storage, config.public_url.as_ref())?;
    if !(1..=600).contains(&config.mail.timeout_seconds) {
        return Err(field("mail.timeout_seconds", "must be 1 to 600"));
    }
    if config.mail.notices_quiet_minutes > 1440 {
        return Err(field("mail.notices_quiet_minutes", "must be 0 to 1440"));
    }
    crate::mail::check(&config.mail).map_err(|(name, reason)| field(name, reason))?;
    check_stripe(&config.stripe)?;
    check_limits(&config)?;
    if !(1..=3650).contains(&config.retention.download_networks_days) {
        let name = "retention.download_networks_days";
        return Err(field(name, "must be 1 to 3650"));
    }
    Ok(config)
}

/// A secret that is given and empty is a mistake of whoever gave it, and never "not given": with an
/// empty signing secret anybody could sign.
fn refuse_blank_secrets(config: &Config) -> Result<(), ConfigError> {
    let storage = &config.storage;
    let single = [
        ("database_url", &config.database_url),
        ("master_key", &config.master_key),
        ("storage.s3.access_key_id", &storage.s3.access_key_id),
        (
            "storage.s3.secret_access_key",
            &storage.s3.secret_access_key,
        ),
        (
            "storage.gcs.service_account_key",
            &storage.gcs.service_account_key,
        ),
        ("storage.azure.access_key", &storage.azure.access_key),
        ("mail.smtp_url", &config.mail.smtp_url),
        ("stripe.secret_key", &config.stripe.secret_key),
    ];
    for (name, secret) in single {
        if secret.as_ref().is_some_and(is_blank) {
            return Err(field(name, "is given and empty"));
        }
    }
    if config.stripe.webhook_secrets.iter().any(is_blank) {
        let reason = "is given and empty, or one of its secrets is";
        return Err(field("stripe.webhook_secrets", reason));
    }
    Ok(())
}

fn is_blank(secret: &SecretString) -> bool {
    secret.expose_secret().trim().is_empty()
}

fn check_vendor(vendor: &VendorConfig) -> Result<(), ConfigError> {
    let name = vendor.name.as_str();
    if name.trim().is_empty() || name.chars().count() > 100 || has_control(name) {
        let reason = "must be 1 to 100 characters, without control characters";
        return Err(field("vendor.name", reason));
    }
    if vendor.brand_hue > 360 {
        return Err(field("vendor.brand_hue", "must be 0 to 360"));
    }
    let former = vendor.former_key_prefixes.iter();
    let former = former.map(|word| ("vendor.former_key_prefixes", word));
    for (name, word) in [("vendor.key_prefix", &vendor.key_prefix)]
        .into_iter()
        .chain(former)
    {
        check_key_prefix(name, word)?;
    }
    for key in &vendor.minisign_keys {
        kitward_keys::MinisignKey::parse(key)
            .map_err(|error| field("vendor.minisign_keys", format!("one is refused: {error}")))?;
    }
    Ok(())
}

/// A word of its own: keys must not read as tokens.
fn check_key_prefix(name: &str, word: &str) -> Result<(), ConfigError> {
    if KeyPrefix::parse(word).is_err() {
        return Err(field(name, "must be 2 to 12 characters of a-z and 0-9"));
    }
    if TokenKind::ALL.iter().any(|kind| kind.prefix() == word) {
        return Err(field(name, "is what tokens start with"));
    }
    Ok(())
}

fn check_stripe(stripe: &StripeConfig) -> Result<(), ConfigError> {
    let url = &stripe.api_url;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        _ => Err(field(
            "stripe.api_url",
            "must be https:// (or http:// on a loopback host): the secret key is sent there",
        )),
    }
}

fn check_limits(config: &Config) -> Result<(), ConfigError> {
    let limits = &config.limits;
    let bodies = [
        ("limits.json_bytes", limits.json_bytes),
        ("limits.webhook_bytes", limits.webhook_bytes),
    ];
    for (name, bytes) in bodies {
        if bytes < BODY_MIN {
            return Err(field(name, format!("must be at least {BODY_MIN}")));
        }
    }
    if limits.key_misses_burst == 0 {
        return Err(field("limits.key_misses_burst", "must be at least 1"));
    }
    if limits.artifact_bytes == 0 {
        return Err(field("limits.artifact_bytes", "must be at least 1"));
    }
    if limits.token_calls_per_minute == 0 {
        return Err(field("limits.token_calls_per_minute", "must be at least 1"));
    }
    // What is larger would be refused by the service at the last step of its upload.
    let is_s3 = config.storage.kind == StorageKind::S3;
    if is_s3 && config.limits.artifact_bytes > S3_COPY_MAX {
        let reason = "must be at most 5368709120 (5 GiB) where storage.kind is s3: S3 copies no \
                      larger object";
        return Err(field("limits.artifact_bytes", reason));
    }
    Ok(())
}

fn check_public_url(url: Url) -> Result<Url, ConfigError> {
    let refuse = |reason: &str| Err(field("public_url", reason));
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return refuse("must be scheme, host and port only");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must not hold a user name or password");
    }
    if url.host().is_none() {
        return refuse("has no host");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => refuse("plain http is accepted for loopback hosts only: use https"),
        _ => refuse("must be https:// (or http://localhost)"),
    }
}

/// Whether what is sent to this address stays on this machine.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
