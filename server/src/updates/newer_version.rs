//! What a kit is told at its start: that a newer version is to be had.

use std::sync::Arc;

use semver::Version;

use super::check_update::{CheckUpdate, best};
use crate::app::App;
use crate::clock::Timestamp;
use crate::downloads::authorize::of_catalog;
use crate::kits::store::find_kit_by_slug;
use crate::licenses::answer::Notice;
use crate::licenses::facts::Facts;
use crate::licenses::model::LicenseId;
use crate::licenses::validate::Ask;
use crate::releases::catalogs::Catalog;
use crate::releases::model::{Channel, Machine, Severity, is_newer};

/// The version that an update check would offer now to the kit that asks, on the stable channel and
/// what was granted to its license apart. The catalog may be a minute old: kits ask at every start, and
/// a notice is not worth a look into the database each time.
pub async fn newer_version(app: &App, facts: &Facts, ask: &Ask) -> Option<Notice> {
    let version = Version::parse(ask.version.as_deref()?).ok()?;
    let catalog = catalog(app, facts.kit_slug.as_deref()?, facts.now).await?;
    // Most kits are up to date, and done here.
    let (highest, _) = catalog.releases.first()?;
    if !is_newer(highest, &version) {
        return None;
    }
    // What a kit says of its platform is for the customer to read: only a word that files carry names one.
    let is_known = |word: &String| {
        let mut files = catalog.artifacts.iter();
        files.any(|file| file.platform.as_ref() == Some(word))
    };
    let platform = ask.platform.clone().filter(is_known);
    let access = of_catalog(facts.holding.clone(), catalog, facts.now).ok()?;
    let check = CheckUpdate {
        kit: ask.kit.clone(),
        version,
        channel: Channel::Stable,
        machine: Machine {
            platform,
            arch: None,
        },
        install: None,
        is_manual: false,
        nonce: None,
    };
    // An application's installations stand in the queue of a rollout each by itself, and here nobody knows
    // which one asks: it hears of what has come to all of them.
    let license = access.license().map(LicenseId::as_str);
    let subject = license.filter(|_| check.machine.platform.is_none());
    let (release, _) = best(&access, &check, subject, facts.now)?;
    Some(Notice {
        code: "newer_version",
        detail: sentence(&release.version, release.severity),
    })
}

/// The catalog of a kit, at most a minute old. Where it cannot be read the answer counts without it.
async fn catalog(app: &App, slug: &str, now: Timestamp) -> Option<Catalog> {
    if let Some(known) = app.catalogs.lately(slug, now) {
        return Some(known);
    }
    let (seen, slug) = (Arc::clone(&app.catalogs), slug.to_owned());
    let read = app.db.read_snapshot(move |conn| {
        let kit = find_kit_by_slug(conn, &slug)?;
        kit.map(|kit| seen.look(conn, kit, now)).transpose()
    });
    read.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "no catalog for a notice");
        None
    })
}

fn sentence(version: &str, severity: Severity) -> String {
    let urgency = match severity {
        Severity::Normal => "",
        Severity::Security => " It closes a security hole.",
        Severity::Critical => " It is critical: take it now.",
    };
    format!("Version {version} is available.{urgency}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_how_urgent_the_version_is() {
        let said = |severity| sentence("1.3.0", severity);
        assert_eq!(said(Severity::Normal), "Version 1.3.0 is available.");
        let security = "Version 1.3.0 is available. It closes a security hole.";
        assert_eq!(said(Severity::Security), security);
        assert!(said(Severity::Critical).starts_with("Version 1.3.0 is available. It is critical"));
    }
}
