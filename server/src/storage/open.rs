//! Opening the store that the configuration names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::signer::Signer;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use secrecy::ExposeSecret;

use super::{Storage, StorageError};
use crate::config::{
    AzureConfig, GcsConfig, S3Addressing, S3Config, StorageConfig, StorageDelivery, StorageKind,
};

/// Bytes of one part of an upload: what is held in memory meanwhile. Services take no smaller parts
/// than 5 MiB.
const LOCAL_PART: usize = 1 << 20;
const REMOTE_PART: usize = 8 << 20;

impl Storage {
    /// Opens the store that is configured; the local one lies in the data folder.
    pub fn open(config: &StorageConfig, data_dir: &Path) -> Result<Self, StorageError> {
        match config.kind {
            StorageKind::Local => Self::local(config, data_dir),
            StorageKind::S3 => {
                let store = s3(config)?;
                Ok(Self::remote(
                    config,
                    PrefixStore::new(store, &*config.s3.prefix),
                ))
            }
            StorageKind::Gcs => {
                let store = gcs(&config.gcs, patience(config))?;
                Ok(Self::remote(
                    config,
                    PrefixStore::new(store, &*config.gcs.prefix),
                ))
            }
            StorageKind::Azure => {
                let store = azure(&config.azure, patience(config))?;
                let store = PrefixStore::new(store, &*config.azure.prefix);
                Ok(Self::remote(config, store))
            }
        }
    }

    fn local(config: &StorageConfig, data_dir: &Path) -> Result<Self, StorageError> {
        let folder = data_dir.join("blobs");
        std::fs::create_dir_all(&folder)?;
        let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            signer: None,
            is_local: true,
            folder: Some(folder),
            part: LOCAL_PART,
            patience: patience(config),
            signed_life: Duration::from_secs(config.signed_seconds),
        })
    }

    fn remote<S: ObjectStore + Signer>(config: &StorageConfig, store: S) -> Self {
        let store = Arc::new(store);
        let signer: Arc<dyn Signer> = Arc::<S>::clone(&store);
        Self {
            store,
            signer: Some(signer).filter(|_| config.delivery == StorageDelivery::Redirect),
            is_local: false,
            folder: None,
            part: REMOTE_PART,
            patience: patience(config),
            signed_life: Duration::from_secs(config.signed_seconds),
        }
    }
}

fn patience(config: &StorageConfig) -> Duration {
    Duration::from_secs(config.timeout_seconds)
}

/// No bound on a whole transfer, which a slow client makes long; one on each silence.
fn client(patience: Duration) -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(patience.min(Duration::from_secs(5)))
        .with_read_timeout(patience)
}

/// Few and short: whoever waits can ask again.
fn retry(patience: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(1),
            base: 2.0,
        },
        max_retries: 2,
        retry_timeout: patience,
    }
}

fn s3(config: &StorageConfig) -> Result<impl ObjectStore + Signer, StorageError> {
    let (s3, patience) = (&config.s3, patience(config));
    let mut builder = AmazonS3Builder::new()
        .with_region(&s3.region)
        .with_bucket_name(&s3.bucket)
        .with_retry(retry(patience))
        // Plain http has passed the check of the settings, for loopback hosts only.
        .with_client_options(client(patience).with_allow_http(is_plain(s3)))
        .with_virtual_hosted_style_request(s3.addressing == S3Addressing::VirtualHost);
    let endpoint = match s3.addressing {
        S3Addressing::Path => s3.endpoint.clone(),
        S3Addressing::VirtualHost => s3.virtual_host(),
    };
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    if let (Some(id), Some(secret)) = (&s3.access_key_id, &s3.secret_access_key) {
        builder = builder
            .with_access_key_id(id.expose_secret())
            .with_secret_access_key(secret.expose_secret());
    }
    Ok(builder.build()?)
}

fn is_plain(s3: &S3Config) -> bool {
    s3.endpoint
        .as_ref()
        .is_some_and(|url| url.scheme() == "http")
}

fn gcs(gcs: &GcsConfig, patience: Duration) -> Result<impl ObjectStore + Signer, StorageError> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&gcs.bucket)
        .with_retry(retry(patience))
        .with_client_options(client(patience));
    if let Some(key) = &gcs.service_account_key {
        builder = builder.with_service_account_key(key.expose_secret());
    }
    Ok(builder.build()?)
}

fn azure(
    azure: &AzureConfig,
    patience: Duration,
) -> Result<impl ObjectStore + Signer, StorageError> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&azure.account)
        .with_container_name(&azure.container)
        .with_retry(retry(patience))
        .with_client_options(client(patience));
    if let Some(key) = &azure.access_key {
        builder = builder.with_access_key(key.expose_secret());
    }
    Ok(builder.build()?)
}
