//! Releases and files as kits see them.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

use super::authorize::Access;
use super::model::path_segment;
use super::stamp::{is_stamped, is_told};
use crate::app::App;
use crate::clock::Timestamp;
use crate::http::openapi::words::{ReleaseVersion, Sha256, Sha512, WebAddress};
use crate::releases::look_again::examined;
use crate::releases::model::{Channel, Severity};
use crate::releases::store::{Artifact, Release};

/// A release.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReleaseView {
    /// Semantic version.
    #[schema(value_type = ReleaseVersion)]
    pub version: String,
    /// For whom it is.
    pub channel: Channel,
    /// How urgent it is.
    pub severity: Severity,
    /// When it came out.
    pub published_at: Option<Timestamp>,
    /// What changed, as Markdown.
    pub notes: Option<String>,
    /// What must be installed before it.
    #[schema(value_type = Option<ReleaseVersion>)]
    pub minimum_version: Option<String>,
    /// Its files.
    pub artifacts: Vec<ArtifactView>,
}

/// A file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ArtifactView {
    /// Name of the file.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// For which system it is; null for all.
    pub platform: Option<String>,
    /// For which processor it is; null for all.
    pub arch: Option<String>,
    /// In bytes.
    #[schema(minimum = 0)]
    pub size: i64,
    /// 64 hexadecimal digits.
    #[schema(value_type = Sha256)]
    pub sha256: String,
    /// 128 hexadecimal digits.
    #[schema(value_type = Sha512)]
    pub sha512: String,
    /// Its signature file, as minisign writes it.
    pub signature: Option<String>,
    /// Whether what comes carries the stamp of the license that was shown, which has to be taken out
    /// before it is compared with size, hashes and signature; left out where it does not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stamped: bool,
    /// Its stable address.
    #[schema(value_type = WebAddress)]
    pub url: String,
}

/// How long a list or an update check waits for looks into files.
const PATIENCE: Duration = Duration::from_secs(2);

/// These files, after a look into those of which nobody knows yet whether they are stamped: what is told
/// here is what a download gives. What cannot be looked into now is told as it is stored.
pub async fn told_apart(
    app: &Arc<App>,
    access: &Access,
    mut files: Vec<Artifact>,
) -> Vec<Artifact> {
    let (now, until) = (app.clock.now(), Instant::now() + PATIENCE);
    let may_be_stamped = access.kit.stamps && access.license().is_some();
    for file in &mut files {
        if !may_be_stamped || is_told(file) || app.untold_files.rests(&file.id, now) {
            continue;
        }
        match timeout_at(until, examined(app, file)).await {
            Ok(Ok(known)) => *file = known,
            Ok(Err(error)) => {
                app.untold_files.put(file.id.clone(), now);
                tracing::warn!(%error, "nobody knows whether a file is stamped");
            }
            // The look goes on, and whoever asks later is told.
            Err(_late) => break,
        }
    }
    files
}

/// A release with those of `artifacts` that belong to it, for who has this access.
pub fn release_view(
    app: &App,
    access: &Access,
    release: &Release,
    artifacts: &[Artifact],
) -> ReleaseView {
    let kit = &access.kit;
    // A stamp names a license: who showed none gets files as they are stored.
    let is_licensed = access.license().is_some();
    let own = artifacts
        .iter()
        .filter(|artifact| artifact.release_id == release.id);
    let view = |artifact: &Artifact| ArtifactView {
        name: artifact.name.clone(),
        kind: artifact.kind.clone(),
        platform: artifact.platform.clone(),
        arch: artifact.arch.clone(),
        size: artifact.size,
        sha256: artifact.sha256.clone(),
        sha512: artifact.sha512.clone(),
        signature: artifact.signature.clone(),
        stamped: is_licensed && is_stamped(kit, artifact),
        url: artifact_url(app, &kit.slug, &release.version, &artifact.name),
    };
    ReleaseView {
        version: release.version.clone(),
        channel: release.channel,
        severity: release.severity,
        published_at: release.published_at,
        notes: Some(release.notes.clone()).filter(|notes| !notes.is_empty()),
        minimum_version: release.minimum_version.clone(),
        artifacts: own.map(view).collect(),
    }
}

/// The stable address of a file.
pub fn artifact_url(app: &App, kit: &str, version: &str, name: &str) -> String {
    let (kit, version, name) = (path_segment(kit), path_segment(version), path_segment(name));
    app.link(&format!(
        "/v1/kits/{kit}/releases/{version}/artifacts/{name}"
    ))
}
