//! The answer to an update check, signed.

use kitward_keys::{
    ArtifactClaims, Audience, DocumentType, ReleaseClaims, SignError, UpdateClaims, jws,
};

use super::check_update::{CheckUpdate, Update};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::types::new_type_id;
use crate::downloads::authorize::Access;
use crate::downloads::view::{ArtifactView, ReleaseView};
use crate::licenses::model::LicenseId;

/// How long a manifest is good, where the license does not end before.
const MANIFEST_SECONDS: i64 = 24 * 60 * 60;

/// `sub` where no license was shown.
const NOBODY: &str = "-";

/// Signs; notes too long for a manifest stay outside of it, then signatures, which stand beside their
/// files as well; files never do.
pub fn sign(
    app: &App,
    access: &Access,
    input: &CheckUpdate,
    update: &Update,
) -> Result<String, SignError> {
    let mut claims = claims(app, access, input, update);
    let keys = app.keys.load();
    let signed = |claims: &UpdateClaims| jws::sign(DocumentType::Update, &keys.document, claims);
    let mut manifest = signed(&claims);
    for shorten in [without_notes, without_signatures] {
        if matches!(manifest, Err(SignError::TooLarge))
            && let Some(release) = &mut claims.release
        {
            shorten(release);
            manifest = signed(&claims);
        }
    }
    manifest
}

fn without_notes(release: &mut ReleaseClaims) {
    release.notes = None;
}

fn without_signatures(release: &mut ReleaseClaims) {
    for artifact in &mut release.artifacts {
        artifact.signature = None;
    }
}

fn claims(app: &App, access: &Access, input: &CheckUpdate, update: &Update) -> UpdateClaims {
    let now = app.clock.now();
    UpdateClaims {
        iss: app.installation_id.clone(),
        aud: Audience::of(&access.kit.slug, &input.kit),
        sub: access
            .license()
            .map_or(NOBODY, LicenseId::as_str)
            .to_owned(),
        iat: now.unix(),
        exp: ends_at(access, now),
        nonce: input.nonce.clone(),
        jti: new_type_id("upd", now, app.entropy.as_ref()),
        available: update.release.is_some(),
        release: update.release.clone().map(release_claims),
        compare_url: update.compare_url.clone(),
        last_entitled_version: update.last_entitled_version.clone(),
        updates_until: update.updates_until.map(|until| until.to_string()),
        renew_url: update.renew_url.clone(),
    }
}

/// A manifest does not outlive the license with its grace; nor does it end before it begins, where
/// the license has less than a second left.
fn ends_at(access: &Access, now: Timestamp) -> i64 {
    let end = now.plus_seconds(MANIFEST_SECONDS);
    let holding = access.holding.as_ref();
    let usable = holding.and_then(|holding| holding.standing(true).usable_until());
    let end = usable.map_or(end, |usable| usable.min(end));
    end.unix().max(now.unix() + 1)
}

fn release_claims(release: ReleaseView) -> ReleaseClaims {
    let published_at = release.published_at.map(|at| at.to_string());
    ReleaseClaims {
        version: release.version,
        channel: release.channel.to_string(),
        severity: release.severity.to_string(),
        published_at: published_at.unwrap_or_default(),
        notes: release.notes,
        minimum_version: release.minimum_version,
        artifacts: release.artifacts.into_iter().map(artifact_claims).collect(),
    }
}

fn artifact_claims(artifact: ArtifactView) -> ArtifactClaims {
    ArtifactClaims {
        name: artifact.name,
        kind: artifact.kind,
        platform: artifact.platform,
        arch: artifact.arch,
        size: artifact.size,
        sha256: artifact.sha256,
        sha512: artifact.sha512,
        signature: artifact.signature,
        stamped: artifact.stamped,
        url: artifact.url,
    }
}
