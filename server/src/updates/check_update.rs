//! What is newer than what the caller has, and may be had.

use std::sync::Arc;

use kitward_keys::SignError;
use secrecy::SecretString;
use semver::Version;

use super::manifest;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::downloads::authorize::{Access, AccessError, authorize};
use crate::downloads::view::{ReleaseView, release_view, told_apart};
use crate::licenses::model::LicenseId;
use crate::releases::model::{
    Caller, Channel, Machine, ReleaseId, is_newer, offered, same_precedence,
};
use crate::releases::store::{Artifact, Release};

/// What the caller has and follows.
#[derive(Debug, Clone)]
pub struct CheckUpdate {
    /// The kit's slug, or an alias of it.
    pub kit: String,
    /// The version in use.
    pub version: Version,
    /// The channel followed.
    pub channel: Channel,
    /// What it runs on.
    pub machine: Machine,
    /// What the installation calls itself.
    pub install: Option<String>,
    /// Whether a person asks, now.
    pub is_manual: bool,
    /// What binds the answer to the question.
    pub nonce: Option<String>,
}

/// The answer, and the same signed.
#[derive(Debug, Clone)]
pub struct Update {
    /// The release on offer.
    pub release: Option<ReleaseView>,
    /// Where the difference to the version in use can be read.
    pub compare_url: Option<String>,
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
    app: &Arc<App>,
    presented: Option<&SecretString>,
    input: CheckUpdate,
) -> Result<Update, CheckUpdateError> {
    let access = authorize(app, presented, &input.kit).await?;
    count(app, &access, &input);
    let best = best(&access, &input, subject(&access, &input), app.clock.now());
    let new = best.as_ref().map(|(release, _)| *release);
    let release = match best {
        Some((release, files)) => {
            let files = told_apart(app, &access, files).await;
            Some(release_view(app, &access, release, &files))
        }
        None => None,
    };
    let mut update = Update {
        compare_url: new.and_then(|new| compare_url(app, &access, &input.version, new)),
        release,
        last_entitled_version: last_entitled_version(&access, &input),
        updates_until: access.facts.updates_until,
        renew_url: access.renewal().map(|renewal| renewal.url(app)),
        manifest: String::new(),
    };
    update.manifest = manifest::sign(app, &access, &input, &update)?;
    Ok(update)
}

/// For the vendor's figures.
fn count(app: &App, access: &Access, input: &CheckUpdate) {
    let version = in_use(access, &input.version).map(|release| release.version.as_str());
    let subject = subject(access, input).unwrap_or("-");
    let now = app.clock.now();
    app.checks.count(&access.kit.id, version, subject, now);
}

/// The release in use; what a build adds to its version makes no other of it.
fn in_use<'a>(access: &'a Access, version: &Version) -> Option<&'a Release> {
    let mut all = access.releases.iter();
    let found = all.find(|(known, _)| same_precedence(known, version));
    found.map(|(_, release)| release)
}

/// The highest release on offer that has a file for the caller's machine, and those files.
/// `subject` stands in the queue of a rollout.
pub(super) fn best<'a>(
    access: &'a Access,
    input: &CheckUpdate,
    subject: Option<&str>,
    now: Timestamp,
) -> Option<(&'a Release, Vec<Artifact>)> {
    let caller = Caller {
        version: &input.version,
        channel: input.channel,
        subject,
        is_manual: input.is_manual,
        now,
    };
    let files = |release: &ReleaseId| {
        let own = access.artifacts.iter();
        let own = own.filter(|file| file.release_id == *release);
        let fits = |file: &&Artifact| {
            let (platform, arch) = (file.platform.as_deref(), file.arch.as_deref());
            input.machine.takes(platform, arch)
        };
        own.filter(fits).cloned().collect::<Vec<_>>()
    };
    let mut on_offer = access
        .releases
        .iter()
        .filter(|(version, release)| offered((version, &release.facts()), &access.facts, &caller));
    on_offer.find_map(|(_, release)| {
        let files = files(&release.id);
        let has_file = !files.is_empty();
        has_file.then_some((release, files))
    })
}

/// The address of what changed since the version in use, where that is a release that may be had, and
/// both have source to compare.
fn compare_url(app: &App, access: &Access, present: &Version, new: &Release) -> Option<String> {
    let old = in_use(access, present).filter(|old| access.check(old).is_ok())?;
    let has_source = |release: &Release| {
        let files = access.artifacts.iter();
        let mut own = files.filter(|file| file.release_id == release.id);
        own.any(Artifact::is_source)
    };
    let (kit, from, to) = (&access.kit.slug, &old.version, &new.version);
    let address = || app.link(&format!("/v1/kits/{kit}/compare/{from}...{to}"));
    (has_source(old) && has_source(new)).then(address)
}

/// Who stands in the queue of a rollout. A license as a whole, so that a team and its builds see one
/// version; but of an application, which tells its platform and what the installation is called,
/// each installation by itself, as where no license was shown.
fn subject<'a>(access: &'a Access, input: &'a CheckUpdate) -> Option<&'a str> {
    let install = input.install.as_deref();
    let is_application = input.machine.platform.is_some();
    let license = access.license().map(LicenseId::as_str);
    let license = license.filter(|_| !is_application || install.is_none());
    license.or(install)
}

/// Told to whom it means something: there is a higher version, or the caller already has one.
fn last_entitled_version(access: &Access, input: &CheckUpdate) -> Option<String> {
    let (version, release) = access.last_entitled(input.channel)?;
    let is_above = is_newer(&input.version, version);
    let matters = access.misses_newer(input.channel) || is_above;
    matters.then(|| release.version.clone())
}
