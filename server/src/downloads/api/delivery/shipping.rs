//! What leaves for whom: a file as it is stored, or with the stamp of its license.

use std::sync::Arc;

use crate::app::App;
use crate::downloads::api::delivery::Shipment;
use crate::downloads::content::Content;
use crate::downloads::record::Recipient;
use crate::downloads::stamp::{PrepareError, prepare};
use crate::http::{ApiError, Code};
use crate::releases::model::ArtifactId;
use crate::releases::store::Artifact;

impl Shipment {
    /// A file for whoever was found to have a right to it.
    pub(in crate::downloads::api) async fn file(
        app: &Arc<App>,
        artifact: &Artifact,
        to: Recipient,
    ) -> Result<Self, ApiError> {
        let prepared = match &to.license {
            Some(license) => prepare(app, license, artifact).await?,
            None => None,
        };
        let stamp_nonce = prepared.as_ref().map(|stamped| stamped.nonce.clone());
        let content = match prepared {
            Some(stamped) => Content::stamped(artifact, stamped),
            None => Content::of(artifact),
        };
        Ok(Self {
            content: content.map_err(ApiError::internal)?,
            to: Some((vec![artifact.id.clone()], to)),
            stamp_nonce,
        })
    }

    /// What is made of files' bytes, and counts as each of them; `None` where nothing of them is in it.
    pub fn made_of(content: Content, to: Option<(Vec<ArtifactId>, Recipient)>) -> Self {
        Self {
            content,
            to,
            stamp_nonce: None,
        }
    }

    /// What lies beside a file; nobody counts it.
    pub(in crate::downloads::api) fn beside(content: Content) -> Self {
        Self::made_of(content, None)
    }
}

impl From<PrepareError> for ApiError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Db(error) => error.into(),
            PrepareError::Sign(error) => Self::internal(error),
            PrepareError::Look(error) => error.into(),
            PrepareError::Unstampable => {
                let detail = "This file cannot carry the stamp that each copy of this kit has. Use \
                              another version, or ask your vendor.";
                Self::new(Code::Conflict, detail)
            }
        }
    }
}
