//! A stand-in for a storage service that speaks S3's protocol, on loopback.
//!
//! Behind it is `s3s-fs`; in front of that a door of ours, which does what Amazon does and `s3s-fs` does
//! not (it refuses a signed address that comes with an `Authorization` header, and parts that are too
//! small), counts, and can be slow, down, or answer other bytes.

mod faults;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use kitward::config::{S3Config, StorageConfig, StorageKind};
use s3s::Body;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub use faults::Fault;
use faults::{plain, spoiled};

const BUCKET: &str = "kits";
const KEY_ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "s3-secret-canary";
/// Amazon takes no smaller part, but the last.
const PART_MIN: u64 = 5 << 20;

/// What the service was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// With which method.
    pub method: String,
    /// For which path.
    pub path: String,
    /// Whether by a signed address.
    pub signed_address: bool,
    /// What it answered.
    pub status: u16,
}

#[derive(Default)]
struct State {
    fault: Fault,
    asked: Vec<Asked>,
    /// Sizes of parts by number, by upload.
    parts: HashMap<String, BTreeMap<u32, u64>>,
}

/// The running service.
pub struct S3 {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    folder: TempDir,
    /// Dropped, it ends the service.
    _stop: oneshot::Sender<()>,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl S3 {
    /// Starts it with an empty bucket.
    pub fn start() -> Self {
        Self::try_start().expect("a stand-in storage service")
    }

    fn try_start() -> io::Result<Self> {
        let folder = TempDir::with_prefix("kitward-s3-")?;
        std::fs::create_dir(folder.path().join(BUCKET))?;
        let files = FileSystem::new(folder.path()).map_err(|error| format!("{error:?}"));
        let files = files.map_err(io::Error::other)?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = service.build();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let (stop, stopped) = oneshot::channel();
        let door = Arc::clone(&state);
        // A runtime of its own: it outlives the one that started it.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        std::thread::spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    () = accept(listener, service, door) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Ok(Self {
            address,
            state,
            folder,
            _stop: stop,
        })
    }

    /// What a server that uses it is configured with. Its host is `127.0.0.1`, the server's
    /// `localhost`.
    pub fn config(&self) -> StorageConfig {
        StorageConfig {
            kind: StorageKind::S3,
            timeout_seconds: 10,
            s3: S3Config {
                endpoint: Some(
                    format!("http://{}", self.address)
                        .parse()
                        .expect("an address"),
                ),
                bucket: BUCKET.to_owned(),
                prefix: "vendor/files".to_owned(),
                access_key_id: Some(KEY_ID.into()),
                secret_access_key: Some(SECRET.into()),
                ..S3Config::default()
            },
            ..StorageConfig::default()
        }
    }

    /// The same as variables of a server's environment.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("KITWARD_STORAGE_KIND", "s3".to_owned()),
            (
                "KITWARD_STORAGE_S3_ENDPOINT",
                format!("http://{}", self.address),
            ),
            ("KITWARD_STORAGE_S3_BUCKET", BUCKET.to_owned()),
            ("KITWARD_STORAGE_S3_ACCESS_KEY_ID", KEY_ID.to_owned()),
            ("KITWARD_STORAGE_S3_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What all objects of the bucket lie below.
    pub fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// From now on this is wrong with it.
    pub fn set_fault(&self, fault: Fault) {
        self.lock().fault = fault;
    }

    /// What it was asked since that was last looked at.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.lock().asked)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, service: S3Service, state: Arc<Mutex<State>>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a runtime");
    while let Ok((socket, _)) = listener.accept().await {
        let (service, state) = (service.clone(), Arc::clone(&state));
        let answer = service_fn(move |request| {
            let (service, state) = (service.clone(), Arc::clone(&state));
            async move { Ok::<_, io::Error>(answer(&service, &state, request).await) }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), answer);
        tokio::spawn(async move {
            // Clients that go away are no failure.
            let _ = connection.await;
        });
    }
}

async fn answer(
    service: &S3Service,
    state: &Mutex<State>,
    request: Request<Incoming>,
) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let signed_address = query.contains("X-Amz-Signature=");
    let mut asked = Asked {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        signed_address,
        status: 0,
    };
    let has_key = request.headers().contains_key("authorization");
    let is_get = request.method() == Method::GET;
    let fault = fault_of(state, is_get);
    let response = if signed_address && has_key {
        // "Only one auth mechanism allowed".
        plain(StatusCode::BAD_REQUEST, "InvalidArgument")
    } else if fault == Fault::Silent {
        tokio::time::sleep(Duration::from_hours(1)).await;
        plain(StatusCode::GATEWAY_TIMEOUT, "")
    } else if fault == Fault::Down {
        plain(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable")
    } else if completes_small_parts(state, &request, &query) {
        plain(StatusCode::BAD_REQUEST, "EntityTooSmall")
    } else {
        let response = service.call(request.map(Body::from)).await;
        response
            .unwrap_or_else(|error| plain(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:?}")))
    };
    asked.status = response.status().as_u16();
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.asked.push(asked);
    drop(state);
    if is_get && response.status().is_success() {
        spoiled(response, fault)
    } else {
        response
    }
}

/// What is wrong with this answer. What is wrong once is over when a file was asked for.
fn fault_of(state: &Mutex<State>, is_get: bool) -> Fault {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let fault = state.fault;
    if is_get && fault == Fault::OtherBytesOnce {
        state.fault = Fault::None;
    }
    fault
}

/// Remembers sizes of parts; whether an upload is completed of which one but the last is too small.
fn completes_small_parts(state: &Mutex<State>, request: &Request<Incoming>, query: &str) -> bool {
    let member = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    let Some(upload) = member("uploadId") else {
        return false;
    };
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let parts = state.parts.entry(upload).or_default();
    let number = member("partNumber").and_then(|number| number.parse().ok());
    if let Some(number) = number {
        let length = request.headers().get("content-length");
        let length = length.and_then(|text| text.to_str().ok()?.parse().ok());
        parts.insert(number, length.unwrap_or(0));
        return false;
    }
    let but_last = parts.len().saturating_sub(1);
    request.method() == Method::POST && parts.values().take(but_last).any(|size| *size < PART_MIN)
}
