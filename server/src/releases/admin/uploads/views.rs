//! What is told of uploads.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::http::openapi::words::Sha256;
use crate::releases::model::{ReleaseId, UploadId};
use crate::releases::store::Artifact;
use crate::releases::store::uploads::{PartRow, UploadRow};
use crate::releases::upload::begin::{Begun, ends_at};

/// A file that is coming in parts, or has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Upload)]
pub(super) struct UploadView {
    /// Its id; null where nothing need be sent.
    id: Option<UploadId>,
    release_id: ReleaseId,
    /// Name of the file.
    name: String,
    /// What it is.
    kind: String,
    /// For which system it is; null for all.
    platform: Option<String>,
    /// For which processor it is; null for all.
    arch: Option<String>,
    /// In bytes.
    size: i64,
    #[schema(value_type = Sha256)]
    sha256: String,
    /// Bytes of every part but the last.
    part_size: Option<i64>,
    /// How many parts it has.
    part_count: u64,
    /// Parts that the server holds, in order.
    received: Vec<i32>,
    /// When it is over, unless somebody goes on with it.
    expires_at: Option<Timestamp>,
    /// The file, where the release has it: nothing need be sent.
    artifact: Option<Artifact>,
}

/// A part that the server holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UploadPart)]
pub(super) struct PartView {
    /// Which part, from 1.
    number: i32,
    /// In bytes.
    size: i64,
    #[schema(value_type = Sha256)]
    sha256: String,
}

impl UploadView {
    pub(super) fn open(upload: UploadRow, parts: &[PartRow]) -> Self {
        Self {
            part_count: upload.cut().count(),
            expires_at: Some(ends_at(&upload)),
            id: Some(upload.id),
            release_id: upload.release_id,
            name: upload.name,
            kind: upload.kind,
            platform: upload.platform,
            arch: upload.arch,
            size: upload.size,
            sha256: upload.sha256,
            part_size: Some(upload.part_size),
            received: parts.iter().map(|part| part.number).collect(),
            artifact: None,
        }
    }

    /// What the next page starts after: those that are listed have an id.
    pub(super) fn cursor(&self) -> String {
        let id = self.id.as_ref();
        id.map(ToString::to_string).unwrap_or_default()
    }

    fn present(artifact: Artifact) -> Self {
        Self {
            id: None,
            release_id: artifact.release_id.clone(),
            name: artifact.name.clone(),
            kind: artifact.kind.clone(),
            platform: artifact.platform.clone(),
            arch: artifact.arch.clone(),
            size: artifact.size,
            sha256: artifact.sha256.clone(),
            part_size: None,
            part_count: 0,
            received: Vec::new(),
            expires_at: None,
            artifact: Some(artifact),
        }
    }
}

impl From<Begun> for UploadView {
    fn from(begun: Begun) -> Self {
        match begun {
            Begun::Present { artifact, .. } => Self::present(artifact),
            Begun::Open { upload, parts, .. } => Self::open(upload, &parts),
        }
    }
}

impl From<PartRow> for PartView {
    fn from(row: PartRow) -> Self {
        Self {
            number: row.number,
            size: row.size,
            sha256: row.sha256,
        }
    }
}
