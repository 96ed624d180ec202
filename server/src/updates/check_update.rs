//! What is newer than what the caller has, and may be had.

use kitward_keys::{
    ArtifactClaims, Audience, DocumentType, ReleaseClaims, SignError, UpdateClaims, jws,
};
use secrecy::SecretString;
use semver::Version;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::db::types::new_type_id;
use crate::downloads::authorize::{Access, AccessError, authorize};
use crate::downloads::view::{ArtifactView, ReleaseView, release_view};
use crate::licenses::model::LicenseId;
use crate::releases::model::{Caller, Channel, is_newer, offered};
use crate::releases::store::{self, Release};

/// How long a manifest is good.
const MANIFEST_SECONDS: i64 = 24 * 60 * 60;

/// What the caller has and follows.
#[derive(Debug, Clone)]
pub struct CheckUpdate {
    /// The kit's slug, or an alias of it.
    pub kit: String,
    /// The version in use.
    pub version: Version,
    /// The channel followed.
    pub channel: Channel,
    /// What binds the answer to the question.
    pub nonce: Option<String>,
}

/// The answer, and the same signed.
#[derive(Debug, Clone)]
pub struct Update {
    /// The release on offer.
    pub release: Option<ReleaseView>,
    /// The highest version the license covers, where there are higher ones.
    pub last_entitled_version: Option<String>,
    /// The end of the license's updates.
    pub updates_until: Option<Timestamp>,
    /// Where the license can be renewed, where its updates end.
    pub renew_url: Option<String>,
    /// `update+jwt`
    pub manifest: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CheckUpdateError {
    /// The license is refused.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The manifest could not be signed.
    #[error("the manifest could not be signed")]
    Sign(#[from] SignError),
}

impl From<DbError> for CheckUpdateError {
    fn from(error: DbError) -> Self {
        Self::Access(error.into())
    }
}

/// Looks for an update and signs what was found.
pub async fn check_update(
    app: &App,
    presented: Option<&SecretString>,
    input: CheckUpdate,
) -> Result<Update, CheckUpdateError> {
    let access = authorize(app, presented, &input.kit).await?;
    let release = match best(&access, &input, app.clock.now()) {
        Some(release) => Some(view(app, &access, release.clone()).await?),
        None => None,
    };
    let updates_until = access.facts.updates_until;
    let mut update = Update {
        release,
        last_entitled_version: last_entitled_version(&access, &input),
        updates_until,
        renew_url: access.renewal().map(|renewal| renewal.url(app)),
        manifest: String::new(),
    };
    update.manifest = sign(app, claims(app, &access, &input, &update))?;
    Ok(update)
}

/// The highest release on offer.
fn best<'a>(access: &'a Access, input: &CheckUpdate, now: Timestamp) -> Option<&'a Release> {
    let caller = Caller {
        version: &input.version,
        channel: input.channel,
        subject: access.license().map(LicenseId::as_str),
        is_manual: false,
        now,
    };
    let mut highest_first = access.releases.iter();
    let found = highest_first
        .find(|(version, release)| offered((version, &release.facts()), &access.facts, &caller));
    found.map(|(_, release)| release)
}

/// Told to whom it means something: there is a higher version, or the caller already has one.
fn last_entitled_version(access: &Access, input: &CheckUpdate) -> Option<String> {
    let (version, release) = access.last_entitled(input.channel)?;
    let is_above = is_newer(&input.version, version);
    let matters = access.misses_newer(input.channel) || is_above;
    matters.then(|| release.version.clone())
}

async fn view(app: &App, access: &Access, release: Release) -> Result<ReleaseView, DbError> {
    let id = release.id.clone();
    let artifacts = app
        .db
        .read(move |conn| store::artifacts_of(conn, &[id]))
        .await?;
    Ok(release_view(app, &access.kit, &release, &artifacts))
}

fn claims(app: &App, access: &Access, input: &CheckUpdate, update: &Update) -> UpdateClaims {
    let now = app.clock.now();
    UpdateClaims {
        iss: app.installation_id.clone(),
        aud: Audience::of(&access.kit.slug, &input.kit),
        sub: access
            .license()
            .map_or_else(|| "-".to_owned(), ToString::to_string),
        iat: now.unix(),
        exp: now.plus_seconds(MANIFEST_SECONDS).unix(),
        nonce: input.nonce.clone(),
        jti: new_type_id("upd", now, app.entropy.as_ref()),
        available: update.release.is_some(),
        release: update.release.clone().map(release_claims),
        last_entitled_version: update.last_entitled_version.clone(),
        updates_until: update.updates_until.map(|until| until.to_string()),
        renew_url: update.renew_url.clone(),
    }
}

fn release_claims(release: ReleaseView) -> ReleaseClaims {
    let published_at = release.published_at.map(|at| at.to_string());
    ReleaseClaims {
        version: release.version,
        channel: release.channel.to_string(),
        severity: release.severity.to_string(),
        published_at: published_at.unwrap_or_default(),
        notes: release.notes,
        artifacts: release.artifacts.into_iter().map(artifact_claims).collect(),
    }
}

fn artifact_claims(artifact: ArtifactView) -> ArtifactClaims {
    ArtifactClaims {
        name: artifact.name,
        kind: artifact.kind,
        size: artifact.size,
        sha256: artifact.sha256,
        sha512: artifact.sha512,
        url: artifact.url,
    }
}

/// Signs; notes too long for a manifest stay outside of it, files never do.
fn sign(app: &App, mut claims: UpdateClaims) -> Result<String, SignError> {
    let keys = app.keys.load();
    match jws::sign(DocumentType::Update, &keys.document, &claims) {
        Err(SignError::TooLarge) => {
            if let Some(release) = &mut claims.release {
                release.notes = None;
            }
            jws::sign(DocumentType::Update, &keys.document, &claims)
        }
        signed => signed,
    }
}
