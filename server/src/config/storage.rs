//! Where kit files lie and how they leave; what such settings must be.

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

use super::checks::is_loopback;
use super::load::{ConfigError, field};

/// Longest life of a signed address, in seconds: after a revocation it opens its file for so long.
const SIGNED_MAX: u64 = 15 * 60;

/// Where kit files lie and how they leave.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// `local` (in the data folder), `s3` (or what speaks its protocol), `gcs` or `azure`.
    pub kind: StorageKind,
    /// How files leave storage that is not local: `redirect` sends the client on to an address signed
    /// for one file and a short time, under another host name than `public_url`; `proxy` sends the
    /// bytes through this server. With `azure` only `proxy`.
    pub delivery: StorageDelivery,
    /// Seconds a signed address is good, 30 to 900.
    pub signed_seconds: u64,
    /// Seconds after which storage that does not answer is given up, 1 to 300.
    pub timeout_seconds: u64,
    /// With `kind = "s3"`.
    pub s3: S3Config,
    /// With `kind = "gcs"`.
    pub gcs: GcsConfig,
    /// With `kind = "azure"`.
    pub azure: AzureConfig,
}

/// What holds the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// A folder.
    Local,
    /// Amazon S3 and what speaks its protocol.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

/// How files leave storage that is not local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StorageDelivery {
    /// By a signed address.
    Redirect,
    /// Through this server.
    Proxy,
}

/// How buckets are addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum S3Addressing {
    /// `https://host/bucket/…`.
    Path,
    /// `https://bucket.host/…`.
    VirtualHost,
}

/// Amazon S3 and what speaks its protocol.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct S3Config {
    /// Address of the service, without the bucket. Default: Amazon's, by the region. Plain http is
    /// accepted on loopback hosts only.
    #[schemars(with = "Option<String>")]
    pub endpoint: Option<Url>,
    /// Region of the bucket.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What all keys start with, without slashes at its ends.
    pub prefix: String,
    /// How the bucket is addressed: `path` or `virtual_host`.
    pub addressing: S3Addressing,
    /// Id of the access key. Without it, the credentials of the machine's role are used.
    #[schemars(with = "Option<String>")]
    pub access_key_id: Option<SecretString>,
    /// The access key's secret.
    #[schemars(with = "Option<String>")]
    pub secret_access_key: Option<SecretString>,
}

/// Google Cloud Storage.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GcsConfig {
    /// The bucket.
    pub bucket: String,
    /// What all keys start with, without slashes at its ends.
    pub prefix: String,
    /// The service account's key, as the JSON text Google gives out. Without it, the machine's
    /// account is used.
    #[schemars(with = "Option<String>")]
    pub service_account_key: Option<SecretString>,
}

/// Azure Blob Storage.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AzureConfig {
    /// The storage account.
    pub account: String,
    /// The container.
    pub container: String,
    /// What all keys start with, without slashes at its ends.
    pub prefix: String,
    /// The account's access key.
    #[schemars(with = "Option<String>")]
    pub access_key: Option<SecretString>,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            kind: StorageKind::Local,
            delivery: StorageDelivery::Redirect,
            signed_seconds: 300,
            timeout_seconds: 20,
            s3: S3Config::default(),
            gcs: GcsConfig::default(),
            azure: AzureConfig::default(),
        }
    }
}

impl Default for S3Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: String::new(),
            prefix: String::new(),
            addressing: S3Addressing::Path,
            access_key_id: None,
            secret_access_key: None,
        }
    }
}

impl StorageConfig {
    /// What is in effect, in one line and without secrets.
    pub fn in_words(&self) -> String {
        let place = match self.kind {
            StorageKind::Local => return "local, in the data folder".to_owned(),
            StorageKind::S3 => {
                let host = self.s3.signed_host();
                let service = host.map_or_else(
                    || format!("Amazon, region {}", self.s3.region),
                    |host| format!("at {host}"),
                );
                format!("s3 · bucket {} {service}", self.s3.bucket)
            }
            StorageKind::Gcs => format!("gcs · bucket {}", self.gcs.bucket),
            StorageKind::Azure => {
                let azure = &self.azure;
                format!("azure · container {} of {}", azure.container, azure.account)
            }
        };
        match self.delivery {
            StorageDelivery::Redirect => {
                format!("{place} · addresses signed for {} s", self.signed_seconds)
            }
            StorageDelivery::Proxy => format!("{place} · through this server"),
        }
    }
}

impl S3Config {
    /// The service's address with the bucket's name in its host; `None` where it is Amazon's own.
    pub fn virtual_host(&self) -> Option<Url> {
        let mut url = self.endpoint.clone()?;
        let host = format!("{}.{}", self.bucket, url.host_str()?);
        url.set_host(Some(&host)).ok()?;
        Some(url)
    }

    /// The host name that signed addresses have.
    fn signed_host(&self) -> Option<String> {
        let url = match self.addressing {
            S3Addressing::Path => self.endpoint.clone(),
            S3Addressing::VirtualHost => self.virtual_host(),
        };
        url.and_then(|url| url.host_str().map(str::to_owned))
    }
}

pub(super) fn check(storage: &StorageConfig, public_url: Option<&Url>) -> Result<(), ConfigError> {
    if !(30..=SIGNED_MAX).contains(&storage.signed_seconds) {
        return Err(field("storage.signed_seconds", "must be 30 to 900"));
    }
    if !(1..=300).contains(&storage.timeout_seconds) {
        return Err(field("storage.timeout_seconds", "must be 1 to 300"));
    }
    match storage.kind {
        StorageKind::Local => Ok(()),
        StorageKind::S3 => check_s3(storage, public_url),
        StorageKind::Gcs => {
            check_bucket("storage.gcs.bucket", &storage.gcs.bucket)?;
            check_prefix("storage.gcs.prefix", &storage.gcs.prefix)
        }
        StorageKind::Azure => check_azure(storage),
    }
}

fn check_s3(storage: &StorageConfig, public_url: Option<&Url>) -> Result<(), ConfigError> {
    let s3 = &storage.s3;
    check_bucket("storage.s3.bucket", &s3.bucket)?;
    check_prefix("storage.s3.prefix", &s3.prefix)?;
    if s3.region.is_empty() {
        return Err(field("storage.s3.region", "is empty"));
    }
    if s3.access_key_id.is_some() != s3.secret_access_key.is_some() {
        let reason = "must be given together with access_key_id";
        return Err(field("storage.s3.secret_access_key", reason));
    }
    if let Some(endpoint) = &s3.endpoint {
        check_endpoint(endpoint, s3.addressing)?;
    }
    let ours = public_url.and_then(|url| url.host_str().map(str::to_owned));
    let is_ours = ours.is_some() && s3.signed_host() == ours;
    if storage.delivery == StorageDelivery::Redirect && is_ours {
        let reason = "has the host name of public_url: some clients (npm, wget) would send the \
                      customer's key on to it. Give storage another host name, or set \
                      storage.delivery to proxy";
        return Err(field("storage.s3.endpoint", reason));
    }
    Ok(())
}

fn check_endpoint(endpoint: &Url, addressing: S3Addressing) -> Result<(), ConfigError> {
    let refuse = |reason: &str| Err(field("storage.s3.endpoint", reason));
    if endpoint.path() != "/" || endpoint.query().is_some() || endpoint.fragment().is_some() {
        return refuse("must be scheme, host and port only");
    }
    if !endpoint.username().is_empty() || endpoint.password().is_some() {
        return refuse("must not hold a user name or password");
    }
    let has_name = matches!(endpoint.host(), Some(Host::Domain(_)));
    if addressing == S3Addressing::VirtualHost && !has_name {
        return refuse("must be a host name where addressing is virtual_host");
    }
    match endpoint.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(endpoint) => Ok(()),
        _ => refuse("must be https:// (or http:// on a loopback host)"),
    }
}

fn check_azure(storage: &StorageConfig) -> Result<(), ConfigError> {
    let azure = &storage.azure;
    check_bucket("storage.azure.account", &azure.account)?;
    check_bucket("storage.azure.container", &azure.container)?;
    check_prefix("storage.azure.prefix", &azure.prefix)?;
    if storage.delivery == StorageDelivery::Redirect {
        let reason = "must be proxy where storage.kind is azure: its signed addresses carry no file \
                      name";
        return Err(field("storage.delivery", reason));
    }
    Ok(())
}

/// What all three services accept as the name of a bucket, container or account.
fn check_bucket(name: &str, bucket: &str) -> Result<(), ConfigError> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(fits) {
        let reason = "must be 3 to 63 characters of a-z, 0-9, dash, dot and underscore";
        return Err(field(name, reason));
    }
    Ok(())
}

fn check_prefix(name: &str, prefix: &str) -> Result<(), ConfigError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._/".contains(&b);
    let is_step = |part: &str| !part.is_empty() && part != "." && part != "..";
    let good = prefix.len() <= 200
        && prefix.bytes().all(fits)
        && (prefix.is_empty() || prefix.split('/').all(is_step));
    if good {
        Ok(())
    } else {
        let reason = "must be at most 200 letters, digits, dashes, dots, underscores and slashes, \
                      without slashes at its ends";
        Err(field(name, reason))
    }
}

#[cfg(test)]
mod tests;
